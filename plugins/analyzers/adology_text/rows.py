"""Pieces of one line that the finder saw apart, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adology_text import boxes
from adology_text.boxes import Quad
from adology_text.ctc import Reading

ROW = 0.6
"""Share of the lower one's height that pieces have in common."""

SPACE = 0.15
"""Widest space between boxes of one line, in heights; boxes are wider than their words."""

SIGN_SPACE = 0.5

ALIKE = 1.6
"""Heights of pieces differ by no more than this factor."""

SIGNS = "$€£¥₹₩₺₪₱₫₽"
SIGN_ALIKE = 4.0
"""A currency sign may be this much smaller than its amount."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A place and what stands there."""

    quad: Quad
    reading: Reading


def put_together(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces that stand beside each other in one line as one."""
    rest = sorted(pieces, key=lambda piece: (boxes.bounds(piece.quad), piece.reading.text))
    lines: list[Piece] = []
    for piece in rest:
        before = next((line for line in reversed(lines) if _goes_on(line, piece)), None)
        if before is None:
            lines.append(piece)
        else:
            lines[lines.index(before)] = _joined(before, piece)
    return lines


def _goes_on(line: Piece, piece: Piece) -> bool:
    if not (boxes.is_level(line.quad) and boxes.is_level(piece.quad)):
        return False
    low, high = sorted((boxes.size(line.quad)[1], boxes.size(piece.quad)[1]))
    sign = line.reading.text in SIGNS and piece.reading.text[:1].isdigit()
    alike = high <= (SIGN_ALIKE if sign else ALIKE) * low
    space = boxes.gap(line.quad, piece.quad, 0)
    return alike and -ALIKE * low < space < (SIGN_SPACE if sign else SPACE) * low and boxes.share_along(line.quad, piece.quad, 1) >= ROW


def _joined(line: Piece, piece: Piece) -> Piece:
    first, second = line.reading, piece.reading
    between = "" if first.text in SIGNS and second.text[:1].isdigit() else " "
    letters = len(first.text) + len(second.text)
    mean = (first.confidence * len(first.text) + second.confidence * len(second.text)) / letters
    reading = Reading(
        text=first.text + between + second.text, confidence=round(mean, 4), letters=(*first.letters, *second.letters)
    )
    return Piece(quad=boxes.around([line.quad, piece.quad]), reading=reading)
