"""The world's Google ads, found as the Ads Transparency Center finds them."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from upstreams.serpapi.parameters import Query
from upstreams.world import Creative, World, WorldAd, WorldBrand

_USUAL = {"text": ("SEARCH",), "video": ("YOUTUBE",)}
"""Where an ad runs that names no platform."""


class Found(msgspec.Struct, frozen=True):
    """An ad with its advertiser."""

    brand: WorldBrand
    ad: WorldAd


class Library:
    """Everything in a world that runs at Google."""

    def __init__(self, world: World) -> None:
        self.creatives: dict[str, Creative] = {creative.id: creative for creative in world.creatives}
        self._ads = [Found(brand, ad) for brand in world.brands for ad in brand.ads if ad.network == "google"]
        self._by_id = {found.ad.id: found for found in self._ads}

    def find_ad(self, advertiser_id: str, creative_id: str) -> Found | None:
        """The ad of that advertiser, None when there is none."""
        found = self._by_id.get(creative_id)
        return found if found is not None and found.brand.google_advertiser_id == advertiser_id else None

    def search(self, query: Query, now: float) -> list[Found]:
        """The ads that a list query means, last shown first."""
        today = datetime.fromtimestamp(now, UTC).date()
        hits = [found for found in self._ads if self._matches(found, query, today)]
        return sorted(hits, key=lambda found: (last_day(found.ad, today), found.ad.id), reverse=True)

    def _matches(self, found: Found, query: Query, today: date) -> bool:
        ad, brand = found.ad, found.brand
        return (
            not query.political  # a world has no political ads
            and (not query.advertisers or brand.google_advertiser_id in query.advertisers)
            and (not query.text or _says(brand, query.text))
            and (not query.region or not ad.countries or query.region in ad.countries)
            and (not query.platform or query.platform in platforms_of(ad))
            and (not query.format or query.format == format_of(ad))
            and ad.started_on <= min(today, query.last or today)
            and last_day(ad, today) >= (query.first or ad.started_on)
        )


def format_of(ad: WorldAd) -> str:
    """Google's three formats: a carousel is an image ad there."""
    return "image" if ad.format == "carousel" else ad.format


def platforms_of(ad: WorldAd) -> tuple[str, ...]:
    """The platforms of an ad as the engine names them."""
    return tuple(name.upper() for name in ad.platforms) or _USUAL.get(ad.format, ("SEARCH", "MAPS", "SHOPPING"))


def last_day(ad: WorldAd, today: date) -> date:
    """The last day on which the ad was shown."""
    return min(today, ad.stopped_on) if ad.stopped_on else today


def shown_times(ad: WorldAd, now: float) -> tuple[int, int]:
    """First and last showing in Unix seconds: some hour of the day, the same each time one asks."""
    today = datetime.fromtimestamp(now, UTC).date()
    first = _at(ad.started_on, share(ad.id, 86_400))
    last = _at(last_day(ad, today), share(f"{ad.id} last", 86_400))
    return min(first, int(now)), max(min(last, int(now)), min(first, int(now)))


def days_shown(ad: WorldAd, now: float) -> int:
    """Days from the first to the last showing, both counted."""
    today = datetime.fromtimestamp(now, UTC).date()
    return (last_day(ad, today) - ad.started_on) // timedelta(days=1) + 1


def share(name: str, whole: int) -> int:
    """A number below `whole` that depends on `name` only."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) % whole


def _at(day: date, seconds: int) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) + seconds


def _says(brand: WorldBrand, text: str) -> bool:
    wanted = text.lower().removeprefix("www.")
    return wanted in brand.domain.lower() or wanted in brand.name.lower()
