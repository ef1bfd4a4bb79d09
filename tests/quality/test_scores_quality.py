"""A bar for verdicts that rest on text that was read; `make quality` measures more of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality import scores

pytestmark = pytest.mark.timeout(170)


def test_verdicts_from_read_text_are_those_from_true_text(shared_data: Path) -> None:
    rows = scores.measure_drawn(shared_data, count=3)
    measured = {measure: value for measure, value, *_ in rows}

    assert measured["scores: all rules: agreement"] >= 0.95
    assert measured["scores: all rules: insufficient"] <= 0.35
    assert measured["scores: safe-zone: agreement"] == 1
