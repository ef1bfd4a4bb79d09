"""Bars of the local labeller on ads that were held out, on real ads, and on ads that give orders."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality import bars, labels
from tests.quality.label_texts import HELD_OUT

pytestmark = pytest.mark.timeout(170)


FALSE_ORDERS = tuple(one for one in bars.BARS["labels"] if one.measure.endswith("with a false order"))


def test_held_out_ads_are_labelled_right_or_not_at_all() -> None:
    rows = labels.measure_copy([("held out", HELD_OUT, 1)])
    assert bars.missed(rows, "labels", only="labels_copy: ", but=FALSE_ORDERS) == []


def test_real_ads_are_labelled_and_not_taken_for_orders(shared_data: Path) -> None:
    assert bars.missed(labels.measure_lines(shared_data), "labels", only="labels: ") == []
    rows = labels.measure_false_orders(shared_data)
    assert [bars.describe(one) for one in bars.hold(rows, FALSE_ORDERS) if not one.passed] == []
