"""Amounts of money in the lines, each looked at again before it is believed.

The known trap is the lost decimal point: "$49.99" read as "$4999". Three more looks at the
amount alone (only its letters, stretched, as a negative), what the recogniser nearly read between
the digits, raised or separate cents, and the form of the number decide about `confidence`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from adology_copy import money
from adology_copy.model import Discount, Price
from adology_copy.model import Piece as Copy
from adology_copy.numerals import amount as read_amount
from adology_text import boxes, ink
from adology_text.boxes import Pixels
from adology_text.ctc import MARKS, Letter, Reading
from adology_text.model import Doubt, PicturePercent, PicturePrice
from adology_text.recognise import Reads
from adology_text.rows import Piece

CAPS: dict[Doubt, float] = {
    "second_look_differs": 0.5,
    "mark_between_digits": 0.5,
    "raised_digits": 0.4,
    "small_digits_beside": 0.4,
    "cut_off": 0.6,
    "ungrouped": 0.7,
    "odd_grouping": 0.7,
    "tiny": 0.7,
    "unsure_letters": 0.75,
    "no_decimals": 0.75,
}
"""Most confidence that a doubt leaves. From measuring drawn prices; above 0.8 none was wrong."""

SUSPECT = frozenset({
    "second_look_differs", "mark_between_digits", "raised_digits", "small_digits_beside", "cut_off", "ungrouped",
    "odd_grouping",
})  # fmt: skip
"""Doubts that say "a mark or digit may be lost", not merely "hard to read"."""

NEARLY = 0.02
"""Probability of a mark between two digits from which it may be there."""

UNSURE = 0.9
TINY_PX = 10.0
EDGE = 0.6
"""An amount whose outer letter has its middle this near to a side of the picture may go on outside, in heights."""

RAISED = 0.75
"""Digits that are lower than this share of the first one's height are cents."""

STRETCH = 1.4
MARGIN = 0.6
"""Space left beside the amount when it is cut out, in heights."""

BESIDE = 0.6
"""Digits this near to the right of an amount belong to it, in its heights."""

MOST_LOOKS = 40
LONG = 4
THREE = 3
CENTS = re.compile(r"[.,]?\d{1,3}\W?")
GOES_ON = re.compile(r"[\s:;'*\-]?\d")
STUCK = re.compile(r"([^\W\d_A-Z])(?=[$€£¥₹]\s?\d)")
DIGITS = re.compile(r"\d[\d.,' ]*\d|\d")


@dataclass(frozen=True)
class Line:
    """A line with the height of its letters in pixels and their contrast."""

    piece: Piece
    height_px: float
    contrast: float | None = None


def find(
    picture: Pixels, lines: Sequence[Line], reader: Reads, language: str
) -> tuple[tuple[PicturePrice, ...], tuple[PicturePercent, ...]]:
    """Prices and percentages off, by line. `language` (ISO 639-1 or "und") decides about crowns."""
    prices: list[PicturePrice] = []
    percents: list[PicturePercent] = []
    for number, line in enumerate(lines):
        found, discounts = _money_in(line.piece.reading.text, language)
        amounts: list[Price | Discount] = [*found, *(one for one in discounts if one.amount)]
        for amount in amounts:
            looked = _judge(picture, lines, number, amount, reader if len(prices) < MOST_LOOKS else None, language)
            prices.append(looked)
        percents += [
            PicturePercent(
                percent=one.percent,
                raw=one.raw,
                line=number,
                confidence=round(min(line.piece.reading.confidence, _surest(_letters(line.piece.reading, one))), 3),
                up_to=one.up_to,
            )
            for one in discounts
            if one.percent
        ]
    return tuple(sorted(prices, key=lambda price: price.line)), tuple(percents)


def _money_in(text: str, language: str) -> tuple[tuple[Price, ...], tuple[Discount, ...]]:
    """The copy analyzer's reading; spaces before a sign get lost in pictures."""
    return money.find([Copy(where="body", index=0, text=STUCK.sub(r"\1 ", text))], language)


def _judge(
    picture: Pixels, lines: Sequence[Line], number: int, found: Price | Discount, reader: Reads | None, language: str
) -> PicturePrice:
    line = lines[number]
    reading = line.piece.reading
    letters = _letters(reading, found)
    doubts: dict[Doubt, None] = dict.fromkeys(form_doubts(found.raw, found.amount))
    amount, other = found.amount, ""
    crop = _amount_crop(boxes.cut_out(picture, line.piece.quad), letters)
    if reader is None:
        doubts["second_look_differs"] = None
    else:
        amount, other = _vote(found, [_amount_in(one, found, language) for one in reader.read(_looks(crop))])
    if other:
        doubts["second_look_differs"] = None
    if amount == found.amount and any(_nearly_marked(letters)):
        doubts["mark_between_digits"] = None
    if letters and _has_raised(crop, found.raw):
        doubts["raised_digits"] = None
        other = other or _with_cents(found.raw)
    if _digits_beside(lines, number, found):
        doubts["small_digits_beside"] = None
    if _at_edge(line, letters, picture.shape[1]):
        doubts["cut_off"] = None
    if line.height_px < TINY_PX:
        doubts["tiny"] = None
    sure = _surest(letters)
    if sure < UNSURE:
        doubts["unsure_letters"] = None
    confidence = min([reading.confidence, sure, *(CAPS[doubt] for doubt in doubts)])
    return PicturePrice(
        amount=amount,
        currency=found.currency,
        raw=found.raw,
        line=number,
        confidence=round(confidence, 3),
        assumed=isinstance(found, Price) and found.assumed,
        starting=isinstance(found, Price) and found.starting,
        off=isinstance(found, Discount),
        suspect=not SUSPECT.isdisjoint(doubts),
        doubts=tuple(doubts),
        other=other,
    )


def form_doubts(raw: str, amount: str) -> tuple[Doubt, ...]:
    """What the form of the number alone gives reason to doubt."""
    digits = next(iter(DIGITS.findall(raw)), "")
    whole = amount.partition(".")[0]
    marks = [letter for letter in digits if letter in MARKS or letter == " "]
    if not marks and len(whole) >= LONG:
        return ("ungrouped",)
    if not marks and len(whole) == THREE:
        return ("no_decimals",)
    tail = len(re.split(r"\D", digits)[-1])
    if len(marks) == 1 and (tail == 1 or (tail == THREE and marks[0] == ".")):
        return ("odd_grouping",)
    return ()


def _letters(reading: Reading, found: Price | Discount) -> tuple[Letter, ...]:
    """The letters that make up the amount; empty where they cannot be told."""
    spelled = "".join(letter.text for letter in reading.letters)
    at = spelled.find(found.raw)
    if at < 0 or any(len(letter.text) != 1 for letter in reading.letters):
        return ()
    return reading.letters[at : at + len(found.raw)]


def _surest(letters: Sequence[Letter]) -> float:
    """How sure the least sure letter is."""
    return min((letter.sure for letter in letters if not letter.text.isspace()), default=1.0)


def _nearly_marked(letters: Sequence[Letter]) -> list[bool]:
    return [a.text.isdigit() and b.text.isdigit() and b.mark_before >= NEARLY for a, b in pairwise(letters)]


def _amount_crop(crop: Pixels, letters: Sequence[Letter]) -> Pixels:
    """The part of the line that the amount stands in."""
    if not letters:
        return crop
    margin = MARGIN * crop.shape[0]
    left = max(0, int(letters[0].at * crop.shape[1] - margin))
    right = min(crop.shape[1], int(letters[-1].at * crop.shape[1] + margin) + 1)
    return crop[:, left:right] if right - left >= crop.shape[0] // 2 else crop


def _looks(crop: Pixels) -> list[Pixels]:
    """The amount again: only the rows of its letters, stretched, and as a grey negative."""
    height, width = crop.shape[:2]
    twice = cv2.resize(crop, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
    letters = ink.find_letters(crop)
    top, bottom = 0, height
    if letters is not None:
        rows = np.flatnonzero(letters.mean(axis=1) > 0.02)  # noqa: PLR2004 - more than a speck
        if len(rows):
            room = max(1, round(0.1 * height))
            top, bottom = max(0, int(rows[0]) - room), min(height, int(rows[-1]) + 1 + room)
    tight = twice[2 * top : 2 * bottom]
    wide = cv2.resize(crop, (max(1, round(STRETCH * width)), height), interpolation=cv2.INTER_CUBIC)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    negative = 255 - cv2.normalize(grey, None, 0, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]  # None: a new one
    return [np.asarray(one, dtype=np.uint8) for one in (tight, wide, cv2.cvtColor(negative, cv2.COLOR_GRAY2RGB))]


def _amount_in(reading: Reading, first: Price | Discount, language: str) -> str:
    """The amount that another look shows; empty where it shows none."""
    prices, discounts = _money_in(reading.text, language)
    amounts = [one.amount for one in prices] + [one.amount for one in discounts if one.amount]
    if first.amount in amounts:
        return first.amount
    if amounts:
        return amounts[0]
    # The sign may be lost where only the amount is looked at.
    bare = [read_amount(digits.strip(" .,'")) for digits in DIGITS.findall(reading.text)]
    return first.amount if first.amount in bare else next(iter(bare), "")


def _vote(found: Price | Discount, looks: Sequence[str]) -> tuple[str, str]:
    """The amount to report, and the other one where looks differ."""
    votes = Counter([found.amount, *looks])
    others = [(count, amount) for amount, count in votes.items() if amount not in ("", found.amount)]
    if not others:
        return found.amount, found.amount if votes[""] > 1 else ""
    count, other = max(others)
    # Only a mark is believed against the first look: other digits come from looking too closely.
    marked = "." in other and other.replace(".", "") == found.amount
    return (other, found.amount) if marked and count >= votes[found.amount] else (found.amount, other)


def _has_raised(crop: Pixels, raw: str) -> bool:
    """Whether the last digits are lower than the first: cents without a mark."""
    letters = ink.find_letters(crop)
    digits = sum(letter.isdigit() for letter in raw)
    if letters is None or digits < THREE or any(mark in raw for mark in MARKS):
        return False
    count, _, stats, _ = cv2.connectedComponentsWithStats(letters.astype(np.uint8), connectivity=8)
    least = 0.2 * crop.shape[0]
    parts = sorted((int(stats[at][0]), int(stats[at][3])) for at in range(1, count) if stats[at][3] >= least)
    if len(parts) < digits:
        return False
    tallest = max(height for _, height in parts)
    return all(height < RAISED * tallest for _, height in parts[-2:])


def _with_cents(raw: str) -> str:
    digits = "".join(letter for letter in raw if letter.isdigit())
    return f"{int(digits[:-2])}.{digits[-2:]}"


def _digits_beside(lines: Sequence[Line], number: int, found: Price | Discount) -> bool:
    """Whether cents, or the rest of the number, stand beside the amount as a line of their own."""
    piece = lines[number].piece
    after = piece.reading.text.partition(found.raw)[2]
    if after:
        return GOES_ON.match(after) is not None
    height = boxes.size(piece.quad)[1]
    for other, line in enumerate(lines):
        if other == number or not CENTS.fullmatch(line.piece.reading.text):
            continue
        right = boxes.bounds(line.piece.quad)[0] - boxes.bounds(piece.quad)[2]
        beside = boxes.share_along(piece.quad, line.piece.quad, 1) >= 0.5  # noqa: PLR2004 - half of it
        if beside and -0.5 * height < right < BESIDE * height:
            return True
    return False


def _at_edge(line: Line, letters: Sequence[Letter], width: int) -> bool:
    """Whether a side of the picture may cut the amount off."""
    left, _, right, _ = boxes.bounds(line.piece.quad)
    ends = [left, right] if not letters else [left + letters[at].at * (right - left) for at in (0, -1)]
    return ends[0] < EDGE * line.height_px or ends[1] > width - EDGE * line.height_px
