"""Rows of the list engine and variants of the details engine, with the vendor's gaps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from adology_serpapi.regions import REGIONS
from upstreams.serpapi.library import Found, days_shown, format_of, share, shown_times
from upstreams.serpapi.parameters import DETAILS_ENGINE, Query
from upstreams.world import Creative

UrlFor = Callable[[str], str]
SITE = "https://adstransparency.google.com"
PREVIEWS = "https://displayads-formats.googleusercontent.com/ads/preview/content.js"


def list_row(
    found: Found, query: Query, creatives: list[Creative], url_for: UrlFor, *, origin: str, now: float, pictureless: int
) -> dict[str, Any]:
    """One entry of ``ad_creatives``: keys that do not apply are absent."""
    ad, advertiser = found.ad, found.brand.google_advertiser_id
    fmt = format_of(ad)
    row: dict[str, Any] = {
        "advertiser_id": advertiser,
        "advertiser": found.brand.name,
        "ad_creative_id": ad.id,
        "format": fmt,
    }
    if query.text:
        row["target_domain"] = found.brand.domain
    picture = next((creative for creative in creatives if creative.kind == "image"), None)
    drawn = fmt == "image" and share(f"{ad.id} drawn", 100) < pictureless
    if picture is not None and fmt != "video" and not drawn and not ad.removed:
        row |= {"image": url_for(picture.file), "width": picture.width, "height": picture.height}
    else:
        row["link"] = _script(ad.id)
    first, last = shown_times(ad, now)
    row |= {"total_days_shown": days_shown(ad, now), "first_shown": first, "last_shown": last}
    row["details_link"] = f"{SITE}/advertiser/{advertiser}/creative/{ad.id}?region={query.region or 'anywhere'}"
    link = {"advertiser_id": advertiser, "creative_id": ad.id, "engine": DETAILS_ENGINE}
    # Without the key, as the real one: who follows it adds his own.
    row["serpapi_details_link"] = f"{origin}/search.json?{urlencode(link)}"
    return row


def details_body(found: Found, creatives: list[Creative], url_for: UrlFor, now: float) -> dict[str, Any]:
    """``search_information`` and ``ad_creatives`` of one ad: a list of variants, now and then a bare object."""
    first, last = shown_times(found.ad, now)
    about: dict[str, Any] = {"format": format_of(found.ad), "last_shown": last, "region_name": "anywhere"}
    about["more_ads_by_advertiser"] = f"{SITE}/advertiser/{found.brand.google_advertiser_id}"
    about["regions"] = [
        {"region": REGIONS[country], "region_name": country, "first_shown": first, "last_shown": last}
        for country in found.ad.countries
        if country in REGIONS
    ]
    variants = _variants(found, creatives, url_for)
    bare = len(variants) == 1 and share(f"{found.ad.id} bare", 10) == 0
    return {"search_information": about, "ad_creatives": variants[0] if bare else variants}


def _variants(found: Found, creatives: list[Creative], url_for: UrlFor) -> list[dict[str, Any]]:
    match format_of(found.ad):
        case "video":
            return _video_variants(found, creatives, url_for)
        case "text":
            return [_text_variant(found, creatives, url_for)]
    logo = {"advertiser_logo": "https://tpc.googlesyndication.com/simgad/logo"}
    titles = found.ad.titles or (found.brand.name,)
    return [
        {"image": url_for(creative.file), "snippet": titles[at % len(titles)], **logo}
        for at, creative in enumerate(creatives)
        if creative.kind == "image"
    ]


def _video_variants(found: Found, creatives: list[Creative], url_for: UrlFor) -> list[dict[str, Any]]:
    """A video of ours has a file; the usual one is at YouTube and has an id only."""
    copy = _copy(found)
    if found.ad.youtube_id:
        watch = f"https://www.youtube.com/watch?v={found.ad.youtube_id}"
        return [{**copy, "video_link": watch, "video_duration": _duration(creatives)}]
    return [{**copy, "video": url_for(creative.file)} for creative in creatives if creative.kind == "video"]


def _text_variant(found: Found, creatives: list[Creative], url_for: UrlFor) -> dict[str, Any]:
    """Usually only a picture of the ad, sometimes its words."""
    picture = next((creative for creative in creatives if creative.kind == "image"), None)
    if picture is not None and share(f"{found.ad.id} words", 2):
        return {"image": url_for(picture.file)}
    words: dict[str, Any] = {"title": found.brand.name, **_copy(found)}
    del words["link"]
    return {**words, "sitelink_texts": list(found.ad.descriptions)} if found.ad.descriptions else words


def _copy(found: Found) -> dict[str, Any]:
    ad = found.ad
    copy = {
        "headline": next(iter(ad.titles), ""),
        "call_to_action": ad.cta,
        "snippet": next(iter(ad.bodies), ""),
        "visible_link": next(iter(ad.captions), found.brand.domain),
    }
    return {**{key: value for key, value in copy.items() if value}, "link": ad.landing_url}


def _duration(creatives: list[Creative]) -> str:
    seconds = next((round(c.duration_s) for c in creatives if c.duration_s), 30)
    return f"{seconds // 60}:{seconds % 60:02d}"


def _script(ad_id: str) -> str:
    query = {"client": "ads-integrity-transparency", "creativeId": str(share(ad_id, 10**12)), "sig": "stand-in"}
    return f"{PREVIEWS}?{urlencode(query)}"
