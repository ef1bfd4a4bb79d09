"""Bars of the local labeller on ads that were held out, on real ads, and on ads that give orders."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality import labels
from tests.quality.label_texts import HELD_OUT
from tests.quality.labels import Row

pytestmark = pytest.mark.timeout(170)


def values(rows: list[Row]) -> dict[str, float]:
    return {measure: value for measure, value, *_ in rows}


def test_held_out_ads_are_labelled_right_or_not_at_all() -> None:
    measured = values(labels.measure_copy([("held out", HELD_OUT, 1)]))
    for taxonomy, right, answered in (
        ("iab_product", 0.92, 0.8),
        ("language", 0.95, 0.7),
        ("hook", 0.8, 0.6),
        ("offer", 0.93, 0.85),
        ("funnel", 0.93, 0.8),
        ("angle", 0.9, 0.65),
    ):
        assert measured[f"labels_copy: {taxonomy}, held out: right of answered"] >= right, taxonomy
        assert measured[f"labels_copy: {taxonomy}, held out: answered"] >= answered, taxonomy
    assert measured["labels_copy: no product said, unknown, held out"] >= 0.9


def test_real_ads_are_labelled_and_not_taken_for_orders(shared_data: Path) -> None:
    measured = values([*labels.measure_lines(shared_data), *labels.measure_false_orders(shared_data)])
    assert measured["labels: iab_product, creatives, text by eye, held out: right of answered"] >= 0.75
    assert measured["labels_copy: political ads with a false order"] <= 0.02
    assert measured["labels_copy: harmless ads with a false order"] == 0
