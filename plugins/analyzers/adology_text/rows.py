"""Pieces of one line that the finder saw apart, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adology_text import boxes
from adology_text.boxes import Quad
from adology_text.ctc import Reading

ROW = 0.6
"""Share of the lower one's height that pieces have in common."""

SPACE = -0.2
"""Boxes of one line overlap by this much, in heights: the columns of a page do not."""

SIGN_SPACE = 0.5
"""Widest space between a currency sign and its amount, in heights of the smaller."""

ALIKE = 1.6
"""Heights of pieces differ by no more than this factor."""

DOUBLE = 0.7
DOUBLE_ALIKE = 0.35
"""Overlap over the smaller box from which two pieces are one: at once, or with the same letters and digits."""

LENGTH_COUNTS = 20
"""Up to so many letters each makes a reading worth a hundredth more."""

COLUMN = 0.5
NEAR = 6.0
COLUMN_LINES = 2
"""A piece begins a column when so many others, within `NEAR` heights, begin within `COLUMN` heights of its left."""
STACK_LINES = 1
"""So many are enough where the piece before it has as many below: two names side by side, each with its small print."""
SAME_ROW = 0.3
"""Heights: what begins less far above or below is the piece itself, or stands in its row."""

SIGNS = "$€£¥₹₩₺₪₱₫₽"
SIGN_ALIKE = 4.0
"""A currency sign may be this much smaller than its amount."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A place and what stands there; `parts` pieces of the finder's make it up."""

    quad: Quad
    reading: Reading
    parts: int = 1


def without_doubles(pieces: Sequence[Piece]) -> list[Piece]:
    """Each line once: of two readings of one place the surer one, unless the other says much more."""
    kept: list[Piece] = []
    for piece in sorted(pieces, key=_worth, reverse=True):
        if not any(_is_double(piece, other) for other in kept):
            kept.append(piece)
    return kept


def _worth(piece: Piece) -> tuple[float, str, list[list[float]]]:
    text = piece.reading.text
    return piece.reading.confidence + min(len(text), LENGTH_COUNTS) / 100, text, piece.quad.tolist()


def _is_double(a: Piece, b: Piece) -> bool:
    low, high = sorted((boxes.size(a.quad)[1], boxes.size(b.quad)[1]))
    shared = boxes.overlap_exactly(a.quad, b.quad)
    if shared >= DOUBLE:
        return high <= ALIKE * low
    letters = [set(filter(str.isalnum, piece.reading.text.casefold())) for piece in (a, b)]
    return shared >= DOUBLE_ALIKE and bool(letters[0]) and letters[0] == letters[1]


def put_together(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces that stand beside each other in one line as one, their readings joined."""
    rest = sorted(pieces, key=lambda piece: (boxes.bounds(piece.quad), piece.reading.text))
    lines: list[Piece] = []
    for piece in rest:
        below = _aligned(piece, rest)
        before = next((line for line in reversed(lines) if _goes_on(line, piece)), None)
        # Lines above and below begin at the same distance from the left: the gutter is narrow, but real.
        if before is not None and (below >= COLUMN_LINES or min(below, _aligned(before, rest)) >= STACK_LINES):
            before = None
        if before is None:
            lines.append(piece)
        else:
            lines[lines.index(before)] = _joined(before, piece)
    return lines


def _aligned(piece: Piece, pieces: Sequence[Piece]) -> int:
    """How many others, above and below, begin at the same distance from the left."""
    left, top, _, _ = boxes.bounds(piece.quad)
    height = boxes.size(piece.quad)[1]
    others = (boxes.bounds(other.quad) for other in pieces if other is not piece)
    return sum(
        abs(at[0] - left) < COLUMN * height and SAME_ROW * height < abs(at[1] - top) < NEAR * height for at in others
    )


def _goes_on(line: Piece, piece: Piece) -> bool:
    if not (boxes.is_level(line.quad) and boxes.is_level(piece.quad)):
        return False
    low, high = sorted((boxes.size(line.quad)[1], boxes.size(piece.quad)[1]))
    sign = line.reading.text in SIGNS and piece.reading.text[:1].isdigit()
    alike = high <= (SIGN_ALIKE if sign else ALIKE) * low
    space = boxes.gap(line.quad, piece.quad, 0)
    return (
        alike
        and -ALIKE * low < space < (SIGN_SPACE if sign else SPACE) * low
        and boxes.share_along(line.quad, piece.quad, 1) >= ROW
    )


def _joined(line: Piece, piece: Piece) -> Piece:
    first, second = line.reading, piece.reading
    between = "" if first.text in SIGNS and second.text[:1].isdigit() else " "
    letters = len(first.text) + len(second.text)
    mean = (first.confidence * len(first.text) + second.confidence * len(second.text)) / letters
    reading = Reading(
        text=first.text + between + second.text, confidence=round(mean, 4), letters=(*first.letters, *second.letters)
    )
    return Piece(quad=boxes.around([line.quad, piece.quad]), reading=reading, parts=line.parts + piece.parts)
