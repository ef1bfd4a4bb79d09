"""Bars for false alarms on harmless creatives and copy. Recall on bad pictures is unknown: there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality import bars, safety

pytestmark = pytest.mark.timeout(170)


def test_harmless_pictures_are_let_pass(shared_data: Path) -> None:
    rows = safety.measure_pictures(shared_data, most=70)
    assert bars.missed(rows, "safety", only="safety: harmless pictures") == []
    assert bars.missed(rows, "safety", only="safety: score, median") == []


def test_harmless_videos_are_let_pass(shared_data: Path) -> None:
    # A pig, a cockatoo and a cartoon rabbit reach the level low: known, and why it means nothing yet.
    rows = safety.measure_films(shared_data, most=5)
    assert bars.missed(rows, "safety", only="safety: harmless videos") == []


def test_harmless_copy_has_no_hit_and_political_ads_are_told(shared_data: Path) -> None:
    assert bars.missed(safety.measure_copy(shared_data), "safety", only="safety_copy: ") == []
