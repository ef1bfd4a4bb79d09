# ruff: noqa: RUF001 - typographic apostrophes occur in copy
"""Finds what an ad asks people to do: its button, else the first phrase in its copy."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adology_copy.cta_table import FAMILY_OF, PHRASES
from adology_copy.model import Cta, Piece

NAME_OF: dict[str, str] = {
    " ".join(phrase.split()): name for name, phrases in PHRASES.items() for phrase in phrases.split("|")
}
TECHNICAL = re.compile(r"[A-Za-z]+(?:[_ -][A-Za-z]+){0,5}")
WITHOUT_SPACES = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def _pattern(phrase: str) -> str:
    """The phrase between word ends, with any spaces and apostrophes; anywhere in unspaced scripts."""
    text = re.escape(phrase).replace(r"\ ", r"\s{1,3}").replace("'", "['’]")
    return text if WITHOUT_SPACES.search(phrase) else rf"(?<![^\W_]){text}(?![^\W_])"


PHRASE = re.compile("|".join(_pattern(p) for p in sorted(NAME_OF, key=len, reverse=True)), re.IGNORECASE)


def find_cta(button: str, pieces: Sequence[Piece]) -> Cta | None:
    """The button where the ad has one that says something, else the first known phrase in the copy."""
    said = _button(button.strip())
    if said is not None and said.family != "none":
        return said
    for piece in pieces:
        text = _phrase_in(piece.text)
        if text:
            name = name_of(text)
            return Cta(id=name, family=FAMILY_OF.get(name, "other"), text=text, where=piece.where)
    return said


def _phrase_in(text: str) -> str:
    """The first known phrase. Single words count only alone on their line: "jouer" is also prose."""
    for match in PHRASE.finditer(text):
        found = match.group()
        if len(found.split()) > 1 or WITHOUT_SPACES.search(found) or _is_alone(text, match):
            return found
    return ""


def _is_alone(text: str, match: re.Match[str]) -> bool:
    start = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.end())
    around = text[start : match.start()] + text[match.end() : len(text) if end < 0 else end]
    return not any(c.isalnum() for c in around)


def name_of(phrase: str) -> str:
    """Meta's name for a phrase, "other" where we do not know it."""
    return NAME_OF.get(" ".join(phrase.lower().replace("’", "'").split()), "other")


def _button(text: str) -> Cta | None:
    if not text:
        return None
    name = re.sub(r"[ -]+", "_", text.lower()) if TECHNICAL.fullmatch(text) else ""
    if name not in FAMILY_OF:
        name = name_of(text)
    if name == "other" and (match := PHRASE.search(text)):
        name = name_of(match.group())
    return Cta(id=name, family=FAMILY_OF.get(name, "other"), text=text, where="cta")
