"""Scripts that the recogniser does not know: what it makes of them is no text.

It knows Latin, Chinese, Japanese and Greek in part. Of Cyrillic, Korean, Arabic, Hebrew, Thai,
Hindi, … it reads letters that look a little alike, mostly with a poor confidence, and leaves out
the rest. One such line could be bad printing; where most of a picture reads like that, its script
is none of the known ones. Then only what reads nearly perfectly is taken for text: a brand in
Latin letters, an amount.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from adology_text import boxes
from adology_text.boxes import Quad
from adology_text.rows import Piece
from adology_text.scripts import is_greek

POOR = 0.85
"""Lines below this count as not read, when it is asked whether the script is known."""

MOST = 0.5
"""Where more than this share of a picture's text, by length in heights, is not read, its script is not known."""

PERFECT = 0.95
"""In such a picture only lines from here on are kept."""

FEW_LETTERS = 2
"""And only longer ones: two letters of some other script often look like two known ones."""

GREEK = 0.5
"""Lines of at least two letters with this share of Greek ones are Greek."""

INCOMPLETE = 0.6
"""Highest confidence in Greek: of its small letters the recogniser has none with an accent, and no ς, and leaves them
out; of the capitals it takes Π for N and Γ for T."""


def readable(pieces: Sequence[Piece], unread: Sequence[Quad]) -> list[Piece]:
    """Those pieces that are text; `unread` are places that look like text without any reading."""
    poor = [piece for piece in pieces if piece.reading.confidence < POOR and not _is_greek(piece)]
    not_read = sum(map(_length, [*unread, *(piece.quad for piece in poor)]))
    everything = sum(map(_length, [*unread, *(piece.quad for piece in pieces)]))
    if not_read <= MOST * everything:
        return list(pieces)
    return [piece for piece in pieces if _is_perfect(piece) or _is_greek(piece)]


def doubted(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces, those in Greek with no more confidence than they deserve."""
    return [
        Piece(
            quad=piece.quad,
            reading=structs.replace(piece.reading, confidence=min(piece.reading.confidence, INCOMPLETE)),
            parts=piece.parts,
        )
        if _is_greek(piece)
        else piece
        for piece in pieces
    ]


def _length(quad: Quad) -> float:
    """How many heights long."""
    short, long = sorted(boxes.size(quad))
    return long / max(1.0, short)


def _is_perfect(piece: Piece) -> bool:
    return piece.reading.confidence >= PERFECT and len(piece.reading.text) > FEW_LETTERS


def _is_greek(piece: Piece) -> bool:
    letters = [letter for letter in piece.reading.text if letter.isalpha()]
    return len(letters) > 1 and sum(map(is_greek, letters)) >= GREEK * len(letters)
