"""Finding the listed phrases in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from adology import Struct
from adology_safety import words
from adology_safety.copy_model import Category, Strength
from adology_safety.fold import fold

WITHOUT_SPACES = frozenset({"ja", "zh"})
"""Languages in which a word is found anywhere, as nothing separates words."""

SEPARATOR = r"[\W_]{1,3}"
INFLECTED = r"\w{0,12}"


class Found(Struct, frozen=True, kw_only=True):
    """A phrase in a text: `text[start:end]`."""

    category: Category
    strength: Strength
    language: str
    start: int
    end: int


class _Row(Struct, frozen=True, kw_only=True):
    strength: Strength
    language: str


def find(text: str) -> Iterator[Found]:
    """Every phrase of every category, in order of place; within a category none overlap."""
    folded, places = fold(text)
    found = [
        Found(
            category=category,
            strength=row.strength,
            language=row.language,
            start=places[match.start()],
            end=places[match.end() - 1] + 1,
        )
        for category, (pattern, rows) in _patterns().items()
        for match in pattern.finditer(folded)
        # Harmless uses have no row: they only take their words away from the others.
        if match.lastgroup and (row := rows.get(match.lastgroup))
    ]
    return iter(sorted(found, key=lambda each: (each.start, each.end, each.category)))


@cache
def _patterns() -> dict[Category, tuple[re.Pattern[str], dict[str, _Row]]]:
    return {category: _compile(category) for category in words.RULES}


def _compile(category: Category) -> tuple[re.Pattern[str], dict[str, _Row]]:
    """One pattern per category: harmless uses first, then strong phrases, then weak ones."""
    rows: dict[str, _Row] = {}
    harmless = words.HARMLESS.get(category, "")
    parts = [f"(?P<harmless>{_alternatives(harmless, 'mul')})"] if harmless else []
    strengths: tuple[Strength, ...] = ("strong", "weak")
    for number, strength in enumerate(strengths):
        for language, lists in words.RULES[category].items():
            if lists[number]:
                name = f"{strength}_{language}"
                rows[name] = _Row(strength=strength, language=language)
                parts.append(f"(?P<{name}>{_alternatives(lists[number], language)})")
    return re.compile("|".join(parts)), rows


def _alternatives(listed: str, language: str) -> str:
    """Phrases between bars; longest first, since the first that fits is taken."""
    phrases = sorted((fold(phrase)[0] for phrase in listed.split("|")), key=lambda phrase: (-len(phrase), phrase))
    if language in WITHOUT_SPACES:
        return "|".join(re.escape(phrase) for phrase in phrases)
    return rf"(?<![^\W_])(?:{'|'.join(map(_expression, phrases))})(?![^\W_])"


def _expression(phrase: str) -> str:
    """A star stands for any ending of its word, a space for any separator, a hyphen for one or none."""
    parts = re.split(r"([ -])", phrase)
    joints = {" ": SEPARATOR, "-": f"(?:{SEPARATOR})?"}
    return "".join(
        joints.get(part) or re.escape(part.removesuffix("*")) + INFLECTED * part.endswith("*") for part in parts
    )
