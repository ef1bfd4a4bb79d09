"""Text as rules see it: one case, no accents, nothing hidden, with the way back to where it stands."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

HIDDEN = frozenset({"Cf", "Mn", "Me", "Cc"})
"""Categories of characters that break up a word unseen: joiners, soft hyphens, tags, loose marks."""

UNSEEN = frozenset({"Cf", "Cc", "Co", "Cs", "Cn"})

LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u0261"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
    "\u03bf\u03b1\u03b5\u03b9\u03bd\u03c1\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7",
    "aeopcyxijshdgABEKMHOPCTXIJSoaeivpABEHIKMNOPTX",
)
"""Cyrillic and Greek letters that look Latin."""
WORD = re.compile(r"[^\W\d_]+")
LATIN = re.compile(r"[A-Za-z]")


JOINERS = "\u200c\u200d"
"""Invisible, and needed to write Persian, Hindi and some emoji."""


def visible(text: str) -> str:
    """The text without what nobody sees and some models read: tags, zero-width characters, control characters."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in "\n\r\t" or c in JOINERS or unicodedata.category(c) not in UNSEEN)


def fold(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters the place in `text` that it comes from.

    Line breaks stay. Letters that only look Latin become Latin in words that hold both.
    """
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(_unmasked(text)):
        plain = _plain(character)
        folded.append(plain)
        places.extend([place] * len(plain))
    return "".join(folded), places


def _unmasked(text: str) -> str:
    return WORD.sub(lambda m: m.group().translate(LOOKALIKES) if LATIN.search(m.group()) else m.group(), text)


@lru_cache(maxsize=8192)
def _plain(character: str) -> str:
    if character in "\n\r\u2028\u2029":
        return "\n"
    if character.isspace():
        return " "
    plain = unicodedata.normalize("NFKC", character).casefold()
    parts = unicodedata.normalize("NFD", plain)
    if parts[:1].isascii():
        # Accents go from Latin letters only: another letter stands there in other scripts.
        return "".join(part for part in parts if unicodedata.category(part) not in HIDDEN).replace("\u2019", "'")
    if plain in ("\u2019", "\u2018", "\u02bc"):
        return "'"
    return "" if all(unicodedata.category(part) in HIDDEN for part in plain) else plain
