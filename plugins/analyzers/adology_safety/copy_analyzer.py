"""The analyzer of what ads say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from adology import Ad, AdItem, Analyzer, Context, Skip
from adology_copy.analyzer import gather
from adology_copy.model import Piece
from adology_safety import words
from adology_safety.copy_model import Category, CopySafety, Hit, Risk
from adology_safety.levels import LEVELS, Level
from adology_safety.rules import find
from adology_safety.settings import CopySafetySettings

GRAVE: frozenset[Category] = frozenset({"adult", "drugs", "hate", "obscenity"})
"""A strong phrase makes these high: most networks refuse such ads. The others are restricted subjects."""


class CopySafetyAnalyzer(Analyzer[CopySafetySettings, CopySafety]):
    """Sensitive subjects that the copy names, each with the phrase and where it stands."""

    name = "safety_copy"
    version = 1
    accepts = ("ad",)
    uses = (f"rules/{words.VERSION}",)

    def analyze(self, ctx: Context[CopySafetySettings], item: AdItem) -> CopySafety:
        """The verdict on one ad's copy.

        Raises:
            Skip: the ad has no copy.
        """
        pieces, truncated = pieces_of(item.ad, ctx.settings.max_chars)
        if not pieces:
            raise Skip(f"ad {item.ad.id} has no copy: no body, title, caption, description or button")
        return judge(pieces, most=ctx.settings.max_hits, truncated=truncated)


def pieces_of(ad: Ad, max_chars: int) -> tuple[tuple[Piece, ...], bool]:
    """The ad's distinct texts and its button; and were they cut?"""
    pieces, truncated = gather(ad, max_chars)
    if ad.cta.strip():
        pieces = (*pieces, Piece(where="cta", index=0, text=ad.cta[:max_chars]))
    return pieces, truncated


def judge(pieces: Sequence[Piece], *, most: int = 50, truncated: bool = False) -> CopySafety:
    """The verdict on texts; `most` phrases are kept as evidence, all of them count."""
    hits = [
        Hit(
            category=found.category,
            strength=found.strength,
            phrase=piece.text[found.start : found.end],
            language=found.language,
            where=piece.where,
            index=piece.index,
            start=found.start,
        )
        for piece in pieces
        for found in find(piece.text)
    ]
    risks = _risks(hits)
    return CopySafety(
        rules=words.VERSION,
        level=max((risk.level for risk in risks), key=LEVELS.index, default="none"),
        risks=risks,
        hits=tuple(hits[:most]),
        truncated=truncated,
    )


def _risks(hits: Iterable[Hit]) -> tuple[Risk, ...]:
    """The categories, riskiest first, then by number of phrases."""
    by_category: dict[Category, list[Hit]] = {}
    for hit in hits:
        by_category.setdefault(hit.category, []).append(hit)
    risks = [
        Risk(category=category, level=_level(category, found), hits=len(found))
        for category, found in by_category.items()
    ]
    return tuple(sorted(risks, key=lambda risk: (-LEVELS.index(risk.level), -risk.hits, risk.category)))


def _level(category: Category, hits: Sequence[Hit]) -> Level:
    """Strong phrases tell; two different weak ones together do as well, one alone is a hint."""
    if any(hit.strength == "strong" for hit in hits):
        return "high" if category in GRAVE else "medium"
    return "medium" if len(Counter(hit.phrase.casefold() for hit in hits)) > 1 else "low"
