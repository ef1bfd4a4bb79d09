"""From a list row, and what the details engine adds, to an `Ad`: types straightened, secrets removed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from adology import Ad, Media
from adology.types import AdStatus, MediaOutcome
from adology_serpapi.media import is_youtube, row_media, variant_media
from adology_serpapi.regions import COUNTRIES

SITE = "https://adstransparency.google.com"
ACTIVE_WITHIN = timedelta(days=1)
STOPPED_AFTER = timedelta(days=7)
"""The library knows no end dates, only the day of the last showing (see `_status`)."""

# The value ends where a URL would; `%3D` is the equals sign of a URL inside another one's query.
_SECRET = re.compile(r"api_key(?:=|%3D)[^&#\s\"'<>\\]*&?", re.IGNORECASE)
_DROPPED = frozenset({"serpapi_details_link", "api_key"})
"""Not the vendor's record of the ad: a ready-made query of ours, and what should never be there."""


class Details(msgspec.Struct, frozen=True):
    """What became of an ad's details: `variants` and `about` as answered, or why there are none."""

    variants: tuple[dict[str, Any], ...] = ()
    about: dict[str, Any] = {}
    reason: str = ""


def scrub(value: Any, key: str) -> Any:
    """A copy of vendor data without the API key: parameters cut from URLs, the key itself masked."""
    if isinstance(value, dict):
        return {name: scrub(item, key) for name, item in value.items() if name not in _DROPPED}
    if isinstance(value, list | tuple):
        return [scrub(item, key) for item in value]
    if not isinstance(value, str):
        return value
    if _SECRET.search(value):
        value = _SECRET.sub("", value).rstrip("?&")
    return value.replace(key, "***") if key else value


def needs_details(row: dict[str, Any]) -> bool:
    """Whether the list row leaves the creative unnamed: videos always, others without a picture."""
    return row.get("format") == "video" or not row_media(row)


def to_ad(
    row: dict[str, Any],
    *,
    today: date,
    details: Details | None = None,
    region: int | None = None,
    platform: str | None = None,
    thumbnail_url: str = "",
) -> Ad:
    """The row (already scrubbed) as an `Ad`; `region` and `platform` are those that were asked for."""
    variants = [] if details is None else list(details.variants)
    media = _media(row, variant_media(variants, thumbnail_url))
    started, last = read_time(row.get("first_shown")), read_time(row.get("last_shown"))
    status = _status(last, today)
    fmt = str(row.get("format") or "").lower()
    bare = Ad(id=str(row["ad_creative_id"]), format=fmt, media=media)
    return msgspec.structs.replace(
        bare,
        advertiser=str(row.get("advertiser") or ""),
        advertiser_id=str(row.get("advertiser_id") or ""),
        bodies=_texts(variants, ("snippet", "description")),
        titles=_texts(variants, ("headline", "title")),
        captions=_texts(variants, ("visible_link",)) or _texts([row], ("target_domain",)),
        descriptions=_lists(variants, "sitelink_texts"),
        cta=next(iter(_texts(variants, ("call_to_action",))), ""),
        landing_url=next((t for t in _texts(variants, ("link",)) if _is_page(t)), ""),
        link=str(row.get("details_link") or "") or library_link(bare.id, str(row.get("advertiser_id") or "")),
        platforms=(platform.lower(),) if platform else (),
        countries=_countries(details, region),
        status=status,
        started_on=started.date() if started else None,
        stopped_on=last.date() if last and status == "stopped" else None,
        seen_at=last,
        media_outcome=_outcome(bare, details),
        raw=_raw(row, details),
    )


def library_link(creative_id: str, advertiser_id: str) -> str:
    """The address of an ad in the public library."""
    return f"{SITE}/advertiser/{advertiser_id}/creative/{creative_id}"


def read_time(value: Any) -> datetime | None:
    """A time in Unix seconds (number or digits); None for anything else."""
    try:
        return datetime.fromtimestamp(int(value), UTC) if value else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _status(last: datetime | None, today: date) -> AdStatus:
    """Active when shown yesterday or today, stopped after a week without; unknown in between.

    Google says when an ad was last shown, not that it ended: an ad of a paused campaign may come
    back, and then it is active again.
    """
    if last is None:
        return "unknown"
    silent = today - last.date()
    if silent <= ACTIVE_WITHIN:
        return "active"
    return "stopped" if silent > STOPPED_AFTER else "unknown"


def _media(row: dict[str, Any], creatives: tuple[Media, ...]) -> tuple[Media, ...]:
    """The variants' media; the row's picture where they have none, or stands for their video."""
    shown = row_media(row)
    if not creatives:
        return shown
    if any(item.kind == "image" for item in creatives):
        return creatives
    return creatives + tuple(item for item in shown if item.role == "preview")


def _outcome(ad: Ad, details: Details | None) -> MediaOutcome | None:
    """Why an ad has no file of its own; None when it has one."""
    creatives = [item for item in ad.media if item.role == "creative"]
    if any(not is_youtube(item) for item in creatives):
        return None
    if creatives:
        return "unavailable"
    # A text ad is complete without a picture as soon as its words are known.
    return "text_only" if ad.format == "text" and details is not None and details.variants else "unresolved"


def _raw(row: dict[str, Any], details: Details | None) -> dict[str, Any]:
    if details is None:
        return row
    if details.reason:
        return {**row, "media_reason": details.reason}
    return {**row, "details": {"ad_creatives": list(details.variants), "search_information": details.about}}


def _texts(entries: list[dict[str, Any]], keys: tuple[str, ...]) -> tuple[str, ...]:
    """The first non-empty of `keys` from each entry, each text once."""
    found = (next((v for key in keys if isinstance(v := e.get(key), str) and v.strip()), "") for e in entries)
    return tuple(dict.fromkeys(filter(None, found)))


def _lists(entries: list[dict[str, Any]], key: str) -> tuple[str, ...]:
    values = (item for e in entries if isinstance(e.get(key), list) for item in e[key])
    return tuple(dict.fromkeys(item for item in values if isinstance(item, str) and item))


def _is_page(url: str) -> bool:
    return url.startswith(("https://", "http://")) and not url.partition("?")[0].endswith("/content.js")


def _countries(details: Details | None, region: int | None) -> tuple[str, ...]:
    rows = details.about.get("regions") if details else None
    numbers = [r.get("region") for r in rows if isinstance(r, dict)] if isinstance(rows, list) else []
    named = [COUNTRIES[n] for n in (*numbers, region) if isinstance(n, int) and n in COUNTRIES]
    return tuple(dict.fromkeys(named))
