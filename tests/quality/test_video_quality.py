"""Bars for shot detection on films of every kind, and for loudness beside FFmpeg's meter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality import bars, video

pytestmark = pytest.mark.timeout(170)


@pytest.mark.slow
def test_drawn_films_have_their_cuts_found_and_little_else() -> None:
    # One seed in one encoding: some thirty changes.
    rows = video.shot_rows("drawn pictures", video.judge_drawn([201]))
    assert bars.missed(rows, "video", only="video: all over drawn pictures") == []
    calm = next(value for measure, value, *_ in rows if measure.startswith("video: false changes"))
    assert calm <= 1


def test_loudness_agrees_with_ffmpegs_meter_on_real_sound(shared_data: Path) -> None:
    rows = video.measure_loudness(shared_data)
    for of in ("integrated loudness", "loudness range", "sample peak"):
        assert bars.missed(rows, "video", only=f"video: {of}") == []
