"""Measures of pixels, and the analyzer on real files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from adology import Context, MediaItem
from adology.testing import AnalyzerConformance
from adology_scores import Measures, MeasuresAnalyzer, MeasuresSettings, measure
from adology_scores.catalogue import MEASURES
from adology_scores.looks import Looks, entropy, mass, measure_looks
from tests.unit.analyzers.media_files import film, scene, sine

TEXT = {
    "kind": "image",
    "width": 400,
    "height": 300,
    "lines": [
        {"text": "Shop now", "box": [0.1, 0.1, 0.6, 0.3], "confidence": 0.98, "height_px": 40.0, "height_share": 0.13,
         "contrast": 9.0},
    ],
    "text_share": 0.1,
}  # fmt: skip


@pytest.mark.anyio
class TestMeasures(AnalyzerConformance):
    plugin = MeasuresAnalyzer
    results: ClassVar[dict[str, Any]] = {"text": TEXT}


def noise(seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (200, 200, 3), dtype=np.uint8), "RGB")


def test_grey_pictures_have_no_colour_and_flat_ones_nothing_that_stands_out() -> None:
    looks = measure_looks(Image.new("RGB", (300, 200), (90, 90, 90)))
    assert looks == Looks(colourfulness=0.0, edge_density=0.0, luminance_contrast=0.0, saliency=None)


def test_colourfulness_is_that_of_the_paper() -> None:
    # Half pure red, half pure green: rg spreads ±255, yb stands at 127.5.
    picture = Image.new("RGB", (256, 256), (255, 0, 0))
    picture.paste((0, 255, 0), (128, 0, 256, 256))
    assert measure_looks(picture).colourfulness == pytest.approx(255 + 0.3 * 127.5)


def test_a_busy_picture_has_more_edges_than_a_calm_one() -> None:
    calm, busy = Image.new("RGB", (256, 256), "white"), scene(256, 256)
    calm.paste((0, 0, 0), (64, 64, 192, 192))
    assert 0 < measure_looks(calm).edge_density < measure_looks(busy).edge_density < 1


def test_what_stands_out_is_where_the_eye_goes() -> None:
    picture = Image.new("RGB", (300, 300), (200, 200, 200))
    picture.paste((20, 20, 20), (210, 210, 240, 240))
    found = measure_looks(picture).saliency
    assert found is not None
    assert found.sum() == pytest.approx(1)
    assert mass(found, [(0.6, 0.6, 0.9, 0.9)]) > 0.5
    assert mass(found, [(0, 0, 1, 1)]) == pytest.approx(1)
    assert mass(found, [(0.6, 0.6, 0.9, 0.9)] * 2) == mass(found, [(0.6, 0.6, 0.9, 0.9)])
    even = measure_looks(noise()).saliency
    assert even is not None
    assert entropy(found) < entropy(even) <= 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [(320, 240), (1600, 1200)])
def test_a_picture_in_two_sizes_measures_alike(seed: int, size: tuple[int, int]) -> None:
    whole = scene(800, 600, seed)
    first, other = measure_looks(whole), measure_looks(whole.resize(size, Image.Resampling.LANCZOS))
    assert other.colourfulness == pytest.approx(first.colourfulness, rel=0.02)
    assert other.edge_density == pytest.approx(first.edge_density, rel=0.1)
    assert other.luminance_contrast == pytest.approx(first.luminance_contrast, rel=0.02)
    assert first.saliency is not None
    assert other.saliency is not None
    assert entropy(other.saliency) == pytest.approx(entropy(first.saliency), abs=0.02)


def test_saliency_of_text_is_told_of_the_lines_that_count() -> None:
    found = measure("image", [(scene(), None)], {"text": TEXT})
    assert found.saliency_text_share is not None
    assert found.saliency_text_share == found.saliency_cta_share
    without = measure("image", [(scene(), None)], {"text": TEXT | {"lines": []}})
    assert without.saliency_text_share is None
    assert {one.measure: one.why for one in without.missing}["saliency_text_share"].startswith("no text was found")


def test_what_another_analyzer_did_not_say_is_missing_with_the_reason() -> None:
    found = measure("video", [(scene(), 0.5)], {"media": {"aspect_ratio": "wide"}})
    why = {one.measure: one.why for one in found.missing}
    assert found.colourfulness is not None
    assert why["text_density"] == "there is no result of the analyzer text"
    assert why["shots"] == "there is no result of the analyzer video"
    assert why["aspect_ratio"].startswith("the result of the analyzer media has another shape")
    left = {name for name, one in MEASURES.items() if "video" in one.kinds and not one.why_not}
    left -= {"aspect_distance", "text_outside_zone"}  # by the pack's geometry
    assert left == set(why) | {name for name in left if getattr(found, name) is not None}


def test_every_measure_is_a_field_and_every_field_a_measure() -> None:
    by_pack = {"aspect_distance", "text_outside_zone"}
    fields = set(Measures.__struct_fields__) - {"kind", "missing", "evidence"}
    assert fields == {n for n, m in MEASURES.items() if "ad" not in m.kinds and not m.why_not} - by_pack


def run(path: Path, tmp_path: Path, **results: Any) -> Measures:
    # The kind is wrong on purpose: only the bytes may count.
    item = MediaItem(sha256="0" * 64, path=path, kind="image", content_type="x/y", size_bytes=1, results=results)
    return MeasuresAnalyzer().analyze(Context("measures", MeasuresSettings(frames=2), scratch=tmp_path), item)


def test_a_real_video_is_measured(tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mp4", [scene(160, 120)] * 10, sound=sine(-20, 1.0))
    found = run(path, tmp_path, media={"aspect_ratio": 1.3333, "duration_s": 1.0,
                                       "audio": {"loudness_lufs": -20.0, "measured_s": 1.0}})  # fmt: skip
    assert found.kind == "video"
    assert found.duration_s == 1.0
    assert found.sound_present is True
    assert found.edge_density is not None
    assert found.edge_density > 0


def test_values_lie_within_the_ranges_that_are_stated() -> None:
    for seed in range(3):
        picture = scene(400, 300, seed)
        found = measure("image", [(picture, None)], {"text": TEXT})
        for name, one in MEASURES.items():
            value = getattr(found, name, None)
            if isinstance(value, int | float) and not isinstance(value, bool):
                assert one.low is None or value >= one.low, name
                assert one.high is None or value <= one.high, name
