"""The analyzer of what ads say."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from adology import Ad, AdItem, Analyzer, Context, Needs, Skip
from adology_copy.analyzer import gather
from adology_copy.model import Piece
from adology_safety import moderation, words
from adology_safety.copy_model import Category, CopySafety, Hit, Risk
from adology_safety.levels import LEVELS, Level
from adology_safety.rules import find
from adology_safety.settings import CopySafetySettings

GRAVE: frozenset[Category] = frozenset({"adult", "drugs", "hate", "obscenity"})
"""A strong phrase makes these high: most networks refuse such ads. The others are restricted subjects."""


class CopySafetyAnalyzer(Analyzer[CopySafetySettings, CopySafety]):
    """Sensitive subjects that the copy names, each with the phrase and where it stands.

    With provider "openai" a vendor's moderation of the same texts stands besides it.
    """

    name = "safety_copy"
    version = 1
    accepts = ("ad",)
    deadline_s = 150.0

    @classmethod
    def needs(cls, settings: CopySafetySettings) -> Needs:
        """The lists in any case; moderation costs nothing."""
        rules = f"rules/{words.VERSION}"
        if settings.provider == "local":
            return Needs(uses=(rules,))
        return Needs(uses=(rules, settings.model or moderation.MODEL), packages=("openai",))

    async def analyze(self, ctx: Context[CopySafetySettings], item: AdItem) -> CopySafety:
        """The verdict on one ad's copy.

        Raises:
            Skip: the ad has no copy.
            Deferred, Retry, ConfigError: as the vendor's client raises them.
        """
        settings = ctx.settings
        pieces, truncated = await asyncio.to_thread(pieces_of, item.ad, settings.max_chars)
        if not pieces:
            raise Skip(f"ad {item.ad.id} has no copy: no body, title, caption, description or button")
        verdict = await asyncio.to_thread(judge, pieces, most=settings.max_hits, truncated=truncated)
        text = "\n".join(piece.text for piece in pieces)
        if settings.provider == "local" or not text.strip():
            return verdict
        said = await moderation.moderate_text(ctx, settings.model, text)
        return msgspec.structs.replace(verdict, moderation=said)


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
