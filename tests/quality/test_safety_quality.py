"""Bars for false alarms on harmless creatives and copy. Recall on bad pictures is unknown: there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality import safety
from tests.quality.embeddings import Row

pytestmark = pytest.mark.timeout(170)


def values(rows: list[Row]) -> dict[str, float]:
    return {measure: value for measure, value, *_ in rows}


def test_harmless_pictures_are_let_pass(shared_data: Path) -> None:
    measured = values(safety.measure_pictures(shared_data, most=70))
    assert measured["safety: score, median"] < 0.02
    assert measured["safety: harmless pictures at low or above"] <= 0.02
    assert measured["safety: harmless pictures at medium or above"] == 0


def test_harmless_videos_are_let_pass(shared_data: Path) -> None:
    # A pig, a cockatoo and a cartoon rabbit reach the level low: known, and why it means nothing yet.
    measured = values(safety.measure_films(shared_data, most=5))
    assert measured["safety: harmless videos at medium or above"] == 0


def test_harmless_copy_has_no_hit_and_political_ads_are_told(shared_data: Path) -> None:
    measured = values(safety.measure_copy(shared_data))
    assert measured["safety_copy: harmless copy with any hit"] <= 0.02
    assert measured["safety_copy: political ads at low or above"] >= 0.65
    assert measured["safety_copy: political ads with another category"] <= 0.05
