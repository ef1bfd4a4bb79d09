"""Which ads of the world a query finds, newest first."""

from __future__ import annotations

import heapq
from datetime import date

import msgspec

from upstreams.meta.countries import NAMES
from upstreams.meta.parameters import Query
from upstreams.world import Creative, World, WorldAd, WorldBrand

EVERYTHING = frozenset({"", ".", "''", '""', "*"})


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One ad with its advertiser."""

    brand: WorldBrand
    ad: WorldAd


class Library:
    """The ads of one world that the Ad Library shows, with an index by id."""

    def __init__(self, world: World) -> None:
        self.creatives: dict[str, Creative] = {creative.id: creative for creative in world.creatives}
        entries = [Found(brand=brand, ad=ad) for brand in world.brands for ad in brand.ads if ad.network == "meta"]
        self._entries = sorted(entries, key=_newest_first, reverse=True)
        self._by_id = {entry.ad.id: entry for entry in entries}
        self._by_page: dict[str, list[Found]] = {}
        for entry in self._entries:
            self._by_page.setdefault(entry.brand.meta_page_id, []).append(entry)

    def find_ad(self, ad_id: str) -> Found | None:
        """The ad of that Library ID."""
        return self._by_id.get(ad_id)

    def find_other(self, ad_id: str) -> Found | None:
        """Some ad that is not that one, with data of its own to show."""
        others = (e for e in self._entries if e.ad.id != ad_id and e.ad.creatives and not e.ad.removed)
        return next(others, None)

    def search(self, query: Query, today: date) -> list[Found]:
        """Every match. `today` decides what is active."""
        if query.political or query.ad_type != "ALL":
            return []  # this world has commercial ads only
        entries = self._entries
        if query.page_ids:
            own = (self._by_page.get(page_id, []) for page_id in dict.fromkeys(query.page_ids))
            entries = list(heapq.merge(*own, key=_newest_first, reverse=True))
        return [entry for entry in entries if self._matches(entry, query, today)]

    def _matches(self, entry: Found, query: Query, today: date) -> bool:
        ad = entry.ad
        return (
            _reached(ad, query.countries)
            and _has_status(ad, query.status, today)
            and (query.delivered_to is None or ad.started_on <= query.delivered_to)
            and (query.delivered_from is None or ad.stopped_on is None or ad.stopped_on >= query.delivered_from)
            and (not query.platforms or any(name.upper() in query.platforms for name in ad.platforms))
            and (not query.languages or any(name in query.languages for name in ad.languages))
            and self._has_media(ad, query.media_type)
            and (not query.terms or _mentions(self._words_of(entry), query))
        )

    def _has_media(self, ad: WorldAd, media_type: str) -> bool:
        creatives = [self.creatives[name] for name in ad.creatives if name in self.creatives]
        match media_type:
            case "NONE":
                return not creatives
            case "VIDEO":
                return any(creative.kind == "video" for creative in creatives)
            case "IMAGE":
                return any(creative.kind == "image" for creative in creatives)
            case "MEME":  # a picture with writing in it
                return any(creative.kind == "image" and creative.headline for creative in creatives)
        return True

    def _words_of(self, entry: Found) -> str:
        """All that the vendor searches: the copy, and what is written in pictures and videos."""
        ad = entry.ad
        written = (self.creatives[name].headline for name in ad.creatives if name in self.creatives)
        parts = (*ad.bodies, *ad.titles, *ad.captions, *ad.descriptions, ad.cta, *written)
        return " ".join(parts).casefold()


def _newest_first(entry: Found) -> tuple[date, str]:
    return entry.ad.started_on, entry.ad.id


def _reached(ad: WorldAd, countries: tuple[str, ...]) -> bool:
    """Commercial ads are shown where the EU's rules hold; asking for other countries finds none."""
    covered = [country for country in ad.countries if country in NAMES]
    return bool(covered) if "ALL" in countries else any(country in countries for country in covered)


def _has_status(ad: WorldAd, status: str, today: date) -> bool:
    active = ad.started_on <= today and (ad.stopped_on is None or ad.stopped_on >= today)
    return status == "ALL" or active == (status == "ACTIVE")


def _mentions(text: str, query: Query) -> bool:
    terms = query.terms.strip().casefold()
    if terms in EVERYTHING:
        return True
    parts = terms.split(",") if query.exact else terms.split()
    return all(part.strip() in text for part in parts)
