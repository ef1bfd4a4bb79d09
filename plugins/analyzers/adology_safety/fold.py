"""Text as rules see it, with the way back to where it stands."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

INVISIBLE = frozenset({"Cf", "Mn", "Me", "Cc"})
"""Categories of characters that hide a word without being seen: joiners, soft hyphens, loose marks."""


def fold(text: str) -> tuple[str, list[int]]:
    """The text in one case, without accents, full-width forms and invisible characters.

    Also, for each of its characters, the place in `text` that it comes from.
    """
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        plain = _plain(character)
        folded.append(plain)
        places.extend([place] * len(plain))
    return "".join(folded), places


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    if character.isspace():
        return " "
    plain = unicodedata.normalize("NFKC", character).casefold()
    parts = unicodedata.normalize("NFD", plain)
    if parts[:1].isascii():
        # Accents go from Latin letters only: й is another letter than и, and が than か.
        return "".join(part for part in parts if unicodedata.category(part) not in INVISIBLE)
    return "" if all(unicodedata.category(part) in INVISIBLE for part in plain) else plain
