# ruff: noqa: RUF001 - letters that look alike are what this is about
"""Letters taken for those of another script that look the same, set right by what stands around them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from msgspec import structs

from adology_text.rows import SIGNS, Piece

GREEK_FOR = str.maketrans({
    "o": "ο", "p": "ρ", "v": "ν", "a": "α", "y": "γ", "i": "ι", "k": "κ", "u": "υ", "n": "η", "t": "τ", "x": "χ",
    "w": "ω", "A": "Α", "B": "Β", "E": "Ε", "H": "Η", "I": "Ι", "K": "Κ", "M": "Μ", "N": "Ν", "O": "Ο", "P": "Ρ",
    "T": "Τ", "X": "Χ", "Y": "Υ", "Z": "Ζ", "á": "ά", "ó": "ό", "í": "ί", "é": "έ", "ú": "ύ",
})  # fmt: skip
GREEK_LETTERS = 2
"""So many real Greek letters make a line Greek; one alone is a sign, as in μm and 2π."""

LIKE_SIGNS = {"十": "+", "一": "—", "口": ""}
"""Han letters that lone signs and boxes are taken for."""

ZERO = re.compile(rf"(?<=[{re.escape(SIGNS)}])(\s?)[Oo](?![^\W\d_])")
WORD = re.compile(r"[^\W\d_]+")


def tidied(pieces: Sequence[Piece]) -> tuple[list[Piece], int]:
    """The pieces with their letters set right, and how many were ornaments and left out."""
    written = sum(_is_east_asian(letter) for piece in pieces for letter in piece.reading.text)
    kept: list[Piece] = []
    for piece in pieces:
        text = piece.reading.text
        if len(text) == 1 and written == 1 and _is_east_asian(text):
            text = LIKE_SIGNS.get(text, "")
        text = greek(ZERO.sub(r"\g<1>0", text))
        if text == piece.reading.text:
            kept.append(piece)
        elif text:
            # Letter by letter the model's own opinion is of another text now.
            reading = structs.replace(piece.reading, text=text, letters=())
            kept.append(Piece(quad=piece.quad, reading=reading, parts=piece.parts))
    return kept, len(pieces) - len(kept)


def greek(text: str) -> str:
    """A line with Greek words has the rest of its words in Greek letters, where they look the same."""
    if sum(is_greek(letter) for letter in text) < GREEK_LETTERS:
        return text
    return WORD.sub(lambda match: _greek_word(match.group()), text)


def _greek_word(word: str) -> str:
    turned = word.translate(GREEK_FOR)
    # A word with letters that Greek has not is in Latin on purpose.
    return turned if all(is_greek(letter) for letter in turned) else word


def is_greek(letter: str) -> bool:
    """Whether it is a letter of the Greek alphabet."""
    return unicodedata.name(letter, "").startswith("GREEK")


def _is_east_asian(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(("CJK", "HIRAGANA", "KATAKANA"))
