"""Bars for reading text; `make quality` measures more of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality import bars, ocr
from tests.quality import ocr_drawn as drawn

pytestmark = pytest.mark.timeout(170)


def values(rows: list[ocr.Row]) -> dict[str, float]:
    return {measure: value for measure, value, *_ in rows}


@pytest.mark.slow
def test_small_letters_are_read_better_than_by_the_bare_library(shared_data: Path) -> None:
    # Of this size, where fine print is most easily missed.
    rows = ocr.measure_drawn(shared_data, count=4, kinds=(drawn.SMALL,), sizes=((1080, 1080),))
    assert bars.missed(rows, "text", only="text: drawn, small") == []
    assert values(rows)["text: drawn, small, adology: line recall"] >= 0.9


def test_labelled_creatives_are_read_at_least_as_well_as_by_the_bare_library(shared_data: Path) -> None:
    rows = ocr.measure_labelled(shared_data, step=28)

    assert bars.missed(rows, "text", only="text: all, adology") == []
    assert bars.missed(rows, "text", only="text: prices, labelled: wrong") == []


def test_no_price_is_wrong_with_confidence_above_the_bar(shared_data: Path) -> None:
    rows = ocr.measure_prices(shared_data, count=4)

    assert bars.missed(rows, "text", only="text: prices, drawn: wrong") == []
    # Of four prices, most of them tiny and straight on a photograph.
    assert values(rows)["text: prices, drawn: found with the right amount"] >= 0.5


def test_an_unknown_script_is_not_taken_for_text(shared_data: Path) -> None:
    rows = ocr.measure_scripts(shared_data, names=("Cyrillic", "Thai"), rounds=1)

    assert bars.missed(rows, "text", only="text: script Cyrillic") == []
    # Where no font has its letters, it says so.
    assert {measure for measure, *_ in rows} >= {"text: script Thai: wrong with confidence above 0.8"}
