"""The analyzer itself: gathers the ad's texts and asks each reader."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from adology import Ad, AdItem, Analyzer, Context, Skip
from adology_copy import counts, emoji, links, money, placeholders, tags
from adology_copy.cta import find_cta
from adology_copy.language import detect
from adology_copy.model import CopyFacts, Piece, Where
from adology_copy.settings import CopySettings

T = TypeVar("T")


class CopyAnalyzer(Analyzer[CopySettings, CopyFacts]):
    """Language, lengths, links, hashtags, mentions, emoji, prices, discounts and the call to action.

    The result depends on nothing but what `Ad.copy_hash` covers.
    """

    name = "copy"
    version = 1
    accepts = ("ad",)

    def analyze(self, ctx: Context[CopySettings], item: AdItem) -> CopyFacts:
        """Facts of one ad's copy.

        Raises:
            Skip: the ad has no copy at all.
        """
        pieces, truncated = gather(item.ad, ctx.settings.max_chars)
        if not pieces and not item.ad.cta.strip() and not item.ad.landing_url.strip():
            raise Skip(f"ad {item.ad.id} has no copy: no body, title, caption, description, button or landing page")
        return read(item.ad, pieces, most=ctx.settings.max_found, truncated=truncated)


def gather(ad: Ad, max_chars: int) -> tuple[tuple[Piece, ...], bool]:
    """The distinct texts of the ad, bodies first, cut at `max_chars` together; and was it cut?"""
    groups: tuple[tuple[Where, Sequence[str]], ...] = (
        ("body", ad.bodies),
        ("title", ad.titles),
        ("caption", ad.captions),
        ("description", ad.descriptions),
    )
    pieces: dict[tuple[Where, str], Piece] = {}
    left = max_chars
    for where, texts in groups:
        for index, text in enumerate(texts):
            if not text.strip() or (where, text) in pieces:
                continue
            if left <= 0:
                return tuple(pieces.values()), True
            pieces[where, text] = Piece(where=where, index=index, text=text[:left])
            left -= len(text)
    return tuple(pieces.values()), left < 0


def read(ad: Ad, pieces: tuple[Piece, ...], *, most: int, truncated: bool) -> CopyFacts:
    """Every reader's answer on the texts."""
    plain = [placeholders.blank(links.blank(piece.text)) for piece in pieces]
    prose = "\n".join(dict.fromkeys(plain))
    language = detect(prose)
    found_links = _distinct((link for piece in pieces for link in links.find(piece.text)), most)
    prices, discounts = money.find(_blanked(pieces, plain), language.code)
    symbols = emoji.find(prose)
    whole = "\n".join(dict.fromkeys(piece.text for piece in pieces))
    return CopyFacts(
        language=language,
        chars=counts.characters(whole),
        words=counts.words(prose),
        sentences=counts.sentences(prose),
        lines=counts.lines(whole),
        body_chars=_longest(pieces, "body"),
        title_chars=_longest(pieces, "title"),
        links=found_links,
        domains=_distinct((link.domain for link in found_links), most),
        landing_domain=links.domain_of(ad.landing_url),
        hashtags=_distinct((tag for text in plain for tag in tags.hashtags(text)), most),
        mentions=_distinct((tag for text in plain for tag in tags.mentions(text)), most),
        emoji=tuple(symbol for symbol, _ in symbols.most_common(most)),
        emoji_count=symbols.total(),
        prices=prices[:most],
        discounts=discounts[:most],
        cta=find_cta(ad.cta, pieces),
        placeholders=_distinct((name for piece in pieces for name in placeholders.find(piece.text)), most),
        truncated=truncated,
    )


def _blanked(pieces: Sequence[Piece], plain: Sequence[str]) -> tuple[Piece, ...]:
    return tuple(
        Piece(where=piece.where, index=piece.index, text=text) for piece, text in zip(pieces, plain, strict=True)
    )


def _longest(pieces: Iterable[Piece], where: Where) -> int:
    return max((counts.characters(piece.text) for piece in pieces if piece.where == where), default=0)


def _distinct(found: Iterable[T], most: int) -> tuple[T, ...]:
    return tuple(dict.fromkeys(found))[:most]
