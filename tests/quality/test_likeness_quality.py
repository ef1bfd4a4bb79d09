"""Bars for near-duplicates, on a part of what `make quality` measures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality import likeness
from tests.quality.embeddings import Row

pytestmark = pytest.mark.timeout(170)


def values(rows: list[Row]) -> dict[str, float]:
    return {f"{measure.removeprefix('likeness: ')} ({note})": value for measure, value, _, _, note in rows}


def test_changed_images_are_found_and_other_ads_of_a_template_are_not_merged(shared_data: Path) -> None:
    measured = values(likeness.measure_images(shared_data, most=8, drawn=2, changes=("crop to 50 %",)))
    assert measured["images, hard negatives merged (held out)"] == 0
    assert measured["images, precision (held out)"] == 1
    assert measured["images, F1 (held out)"] >= 0.87
    assert next(v for name, v in measured.items() if name.startswith("images, true pairs proposed")) >= 0.9
    assert next(v for name, v in measured.items() if "variant, recall@5" in name) >= 0.9


def test_changed_videos_are_found_and_others_are_not(shared_data: Path) -> None:
    clips = ("clips/carphone_pristine.mp4", "near_dup/bigbuckbunny__q.mp4")
    measured = values(likeness.measure_films(shared_data, clips=clips, changes=("trimmed",)))
    for half in ("fitted on", "held out"):
        assert measured[f"videos, precision ({half})"] == 1
        assert measured[f"videos, recall ({half})"] >= 0.9
    assert measured["videos, hard negatives merged (held out)"] == 0
