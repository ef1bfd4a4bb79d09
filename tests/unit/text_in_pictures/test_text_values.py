"""Prices and dates in lines. The recogniser is stood in for, so that it can be made to fail."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from adology_copy.model import Price
from adology_text import PicturePrice, dates, disagreements, prices
from adology_text.boxes import Pixels, from_bounds
from adology_text.ctc import Letter, Reading
from adology_text.prices import Line, form_doubts
from adology_text.rows import Piece

PICTURE = np.full((600, 600, 3), 255, dtype=np.uint8)
Box = tuple[float, float, float, float]
MIDDLE: Box = (200, 100, 400, 140)


class SecondLook:
    """Answers every further look with the next of `texts`."""

    def __init__(self, *texts: str) -> None:
        self._texts = texts

    def find(self, picture: Pixels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        raise AssertionError(f"nothing has to be found in {picture.shape}")

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        return [Reading(text=text, confidence=0.99) for text, _ in zip(self._texts, crops, strict=True)]


def line(text: str, box: Box = MIDDLE, *, mark_at: int = -1, height_px: float = 30.0, sure: float = 0.999) -> Line:
    letters = tuple(
        Letter(text=letter, sure=sure, at=(at + 0.5) / len(text), mark_before=0.3 if at == mark_at else 0.0)
        for at, letter in enumerate(text)
    )
    reading = Reading(text=text, confidence=0.99, letters=letters)
    return Line(piece=Piece(quad=from_bounds(*box), reading=reading), height_px=height_px)


def price(
    text: str, *looks: str, beside: Sequence[Line] = (), mark_at: int = -1, height_px: float = 30.0
) -> PicturePrice:
    lines = [line(text, mark_at=mark_at, height_px=height_px), *beside]
    (found, *_), _ = prices.find(PICTURE, lines, SecondLook(*(looks or (text,) * 3)), "en")
    return found


@pytest.mark.parametrize(
    "text", ["$49.99", "Now £1,299.00", "from 49,90 €", "R$ 1.299,00", "only $56 per week", "$13,000"]
)
def test_a_price_that_reads_the_same_every_time_is_believed(text: str) -> None:
    found = price(text)

    assert found.confidence > 0.9
    assert not found.suspect
    assert found.doubts == ()


def test_a_lost_point_that_a_second_look_finds_is_put_back_but_not_believed() -> None:
    found = price("$4999", "$49.99", "$49.99", "$4999")

    assert (found.amount, found.other) == ("49.99", "4999")
    assert found.confidence <= 0.5
    assert found.suspect


def test_a_look_that_differs_takes_the_confidence_away() -> None:
    found = price("$49.99", "$48.99", "$49.99", "$49.99")

    assert (found.amount, found.other) == ("49.99", "48.99")
    assert found.confidence <= 0.5
    assert "second_look_differs" in found.doubts


def test_a_mark_that_was_nearly_read_between_digits_makes_suspect() -> None:
    found = price("$499", mark_at=2)

    assert found.suspect
    assert found.confidence <= 0.5
    assert "mark_between_digits" in found.doubts


def test_cents_that_stand_beside_as_a_line_of_their_own_make_suspect() -> None:
    found = price("$49", beside=[line("99", (402, 100, 430, 122))])

    assert found.doubts == ("small_digits_beside",)
    assert found.confidence <= 0.4


def test_digits_far_away_say_nothing() -> None:
    assert not price("$49", beside=[line("99", (560, 100, 590, 122))]).suspect


def test_an_amount_at_the_side_of_the_picture_may_go_on_outside() -> None:
    (found,), _ = prices.find(PICTURE, [line("$12", (500, 100, 600, 140))], SecondLook("$12", "$12", "$12"), "en")

    assert found.doubts == ("cut_off",)


def test_tiny_digits_are_not_believed() -> None:
    assert price("$49.99", height_px=7.0).confidence <= 0.8


@pytest.mark.parametrize(
    ("raw", "amount", "doubts"),
    [
        ("$4999", "4999", ("ungrouped",)),
        ("$499", "499", ("no_decimals",)),
        ("$49", "49", ()),
        ("$4,999", "4999", ()),
        ("$49.9", "49.9", ("odd_grouping",)),
        ("$4.999", "4999", ("odd_grouping",)),
        ("1.299,00 €", "1299.00", ()),
    ],
)
def test_the_form_of_a_number_gives_reason_to_doubt(raw: str, amount: str, doubts: tuple[str, ...]) -> None:
    assert form_doubts(raw, amount) == doubts


def test_no_doubtful_price_is_above_the_bar() -> None:
    assert max(prices.CAPS.values()) <= 0.8


def test_amounts_and_percentages_off_are_told_from_prices() -> None:
    lines = [
        line("Save $20 today"),
        line("Up to 70% off", (200, 200, 400, 240)),
        line("Only $49.99", (200, 300, 400, 340)),
    ]

    class Same(SecondLook):
        def read(self, crops: Sequence[Pixels]) -> list[Reading]:
            return [Reading(text="", confidence=0.0)] * len(crops)

    money, percents = prices.find(PICTURE, lines, Same(), "en")

    assert [(one.amount, one.off, one.line) for one in money] == [("20", True, 0), ("49.99", False, 2)]
    assert [(one.percent, one.up_to, one.line) for one in percents] == [("70", True, 1)]


def test_a_sign_stuck_to_a_word_is_read() -> None:
    assert price("Now$286.50").amount == "286.50"
    assert price("US$286.50").currency == "USD"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Due date 28 May 2024", ("2024-05-28",)),
        ("Ends November 28, 2026!", ("2026-11-28",)),
        ("bis 3. März 2026", ("2026-03-03",)),
        ("hasta el 5 de mayo", ("--05-05",)),
        ("until 31.12.2026", ("2026-12-31",)),
        ("2026-02-28", ("2026-02-28",)),
        ("valid 03/04/2026", ("2026-04-03", "2026-03-04")),
        ("valid 13/04/26", ("2026-04-13",)),
        ("12/12/2026", ("2026-12-12",)),
        ("11月28日まで", ("--11-28",)),
    ],
)
def test_dates_are_read(text: str, values: tuple[str, ...]) -> None:
    assert [found.values for found in dates.find(text)] == [values]


@pytest.mark.parametrize(
    "text", ["30 February 2026", "$12.50", "version 1.2.3", "may 70% off", "40/2/2026", "10 x 20", "24/7"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert dates.find(text) == ()


def seen(amount: str, *, currency: str = "USD", off: bool = False, assumed: bool = False) -> PicturePrice:
    return PicturePrice(amount=amount, currency=currency, raw=amount, line=0, confidence=0.9, off=off, assumed=assumed)


def told(amount: str, *, currency: str = "USD") -> Price:
    return Price(amount=amount, currency=currency, raw=amount, where="body", index=0, start=0)


def test_equal_prices_agree_however_they_are_written() -> None:
    assert disagreements([seen("49.90")], [told("49.9")]) == ()
    assert disagreements([seen("49.90")], []) == ()
    assert disagreements([], [told("49.9")]) == ()


def test_a_lost_decimal_point_is_recognised_by_the_copy() -> None:
    (found,) = disagreements([seen("4999")], [told("12.00"), told("49.99")])

    assert (found.why, found.copy_amount, found.picture) == ("lost_decimal_point", "49.99", 0)


def test_another_amount_is_told_with_the_nearest_in_the_copy() -> None:
    (found,) = disagreements([seen("49.99"), seen("39.99")], [told("12.00"), told("45.00"), told("49.99")])

    assert (found.why, found.copy_amount, found.picture) == ("other_amount", "45.00", 1)


def test_amounts_off_and_other_currencies_are_not_compared() -> None:
    assert disagreements([seen("20", off=True)], [told("49.99")]) == ()
    assert disagreements([seen("20", currency="EUR")], [told("49.99")]) == ()
    assert len(disagreements([seen("20", currency="USD", assumed=True)], [told("49.99", currency="CAD")])) == 1
