"""Bars for shot detection on films of every kind, and for loudness beside FFmpeg's meter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality import video
from tests.quality.embeddings import Row

pytestmark = pytest.mark.timeout(170)


def values(rows: list[Row]) -> dict[str, float]:
    return {measure: value for measure, value, *_ in rows}


def test_drawn_films_have_their_cuts_found_and_little_else() -> None:
    measured = values(video.shot_rows("films", video.judge_drawn([201])))
    assert measured["video: all over films, recall"] >= 0.95
    assert measured["video: all over films, precision"] >= 0.95
    assert measured["video: false changes over films without any"] <= 1


def test_loudness_agrees_with_ffmpegs_meter_on_real_sound(shared_data: Path) -> None:
    measured = values(video.measure_loudness(shared_data))
    assert measured["video: integrated loudness, largest difference to FFmpeg"] <= 0.1
    assert measured["video: loudness range, largest difference to FFmpeg"] <= 1.0
    assert measured["video: sample peak, largest difference to FFmpeg"] <= 0.3
