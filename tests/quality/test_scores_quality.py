"""A bar for verdicts that rest on text that was read; `make quality` measures more of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality import bars, scores

pytestmark = pytest.mark.timeout(170)


def test_verdicts_from_read_text_are_those_from_true_text(shared_data: Path) -> None:
    rows = scores.measure_drawn(shared_data, count=3)

    assert bars.missed(rows, "scores", only="scores: all rules") == []
    assert bars.missed(rows, "scores", only="scores: safe-zone") == []
