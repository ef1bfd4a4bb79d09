"""From an ArchivedAd record to an `Ad`: types straightened, secrets removed."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Any

from adology import Ad, Spend
from adology.types import AdStatus

FIELDS = (
    "id", "ad_creation_time", "ad_delivery_start_time", "ad_delivery_stop_time", "ad_creative_bodies",
    "ad_creative_link_titles", "ad_creative_link_captions", "ad_creative_link_descriptions", "page_id",
    "page_name", "publisher_platforms", "languages", "eu_total_reach", "br_total_reach", "beneficiary_payers",
    "target_ages", "target_gender", "bylines", "currency", "spend", "impressions", "estimated_audience_size",
)  # fmt: skip
"""What we ask for. Not ``ad_snapshot_url``: it carries the token and can be rebuilt from the id."""

HEAVY_FIELDS = (
    "age_country_gender_reach_breakdown", "total_reach_by_location", "target_locations",
    "demographic_distribution", "delivery_by_region",
)  # fmt: skip
"""Dozens of rows per ad: left out when the vendor asks for smaller requests."""

REMOVED_NOTICE = "This content was removed because it didn't follow our Advertising Standards."
"""What stands in every text of an ad that was taken down."""

_SECRET_PARAMETERS = frozenset({"access_token", "appsecret_proof"})
# The value ends where a URL would; `%3D` is the equals sign of a URL inside another one's query.
_SECRET = re.compile(rf"(?:{'|'.join(_SECRET_PARAMETERS)})(?:=|%3D)[^&#\s\"'<>\\]*&?", re.IGNORECASE)


def share_link(site_url: str, ad_id: str) -> str:
    """The address of an ad in the public library, without any token."""
    return f"{site_url.rstrip('/')}/ads/library/?id={ad_id}"


def scrub(value: Any, link: str = "") -> Any:
    """A copy of vendor data without tokens: parameters cut from texts, the snapshot URL replaced by `link`."""
    if isinstance(value, dict):
        return {
            key: link if key == "ad_snapshot_url" and link else scrub(item, link)
            for key, item in value.items()
            if key not in _SECRET_PARAMETERS
        }
    if isinstance(value, list):
        return [scrub(item, link) for item in value]
    if isinstance(value, str) and _SECRET.search(value):
        return _SECRET.sub("", value).rstrip("?&")
    return value


def to_ad(record: dict[str, Any], *, today: date, site_url: str) -> Ad:
    """The record as an `Ad` without media. Absent fields stay at their defaults.

    An ad that was taken down has the outcome "removed" and no copy.
    """
    ad_id = str(record["id"])
    link = share_link(site_url, ad_id)
    started = read_date(record.get("ad_delivery_start_time") or record.get("ad_creation_time"))
    stopped = read_date(record.get("ad_delivery_stop_time"))
    return Ad(
        id=ad_id,
        advertiser=str(record.get("page_name") or ""),
        advertiser_id=str(record.get("page_id") or ""),
        bodies=_copy(record.get("ad_creative_bodies")),
        titles=_copy(record.get("ad_creative_link_titles")),
        captions=_copy(record.get("ad_creative_link_captions")),
        descriptions=_copy(record.get("ad_creative_link_descriptions")),
        link=link,
        platforms=tuple(text.lower() for text in _texts(record.get("publisher_platforms"))),
        languages=_texts(record.get("languages")),
        countries=_countries(record),
        status=_status(started, stopped, today),
        started_on=started,
        stopped_on=stopped,
        reach=_count(record.get("eu_total_reach", record.get("br_total_reach"))),
        spend=_range(record.get("spend"), record.get("currency")),
        impressions=_range(record.get("impressions"), None),
        media_outcome="removed" if REMOVED_NOTICE in _texts(record.get("ad_creative_bodies")) else None,
        raw=scrub(record, link),
    )


def read_date(value: Any) -> date | None:
    """A date in either of the vendor's forms (bare, or with time and offset); None if neither."""
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None


def _status(started: date | None, stopped: date | None, today: date) -> AdStatus:
    if stopped is not None:
        # A stop date in the future is a planned end: the ad still runs.
        return "active" if stopped >= today else "stopped"
    return "active" if started is not None else "unknown"


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(str(item) for item in value if item) if isinstance(value, list) else ()


def _copy(value: Any) -> tuple[str, ...]:
    """What the advertiser wrote: the vendor's notice of removal is not copy."""
    return tuple(text for text in _texts(value) if text != REMOVED_NOTICE)


def _count(value: Any) -> int | None:
    number = None if isinstance(value, bool) else _number(value)
    return None if number is None else int(number)


def _range(value: Any, currency: Any) -> Spend | None:
    if not isinstance(value, dict):
        return None
    return Spend(
        lower=_number(value.get("lower_bound")),
        upper=_number(value.get("upper_bound")),
        currency=str(currency) if currency else None,
    )


def _number(value: Any) -> float | None:
    try:
        number = None if value is None else float(value)
    except (TypeError, ValueError):
        return None
    return number if number is not None and math.isfinite(number) else None


def _countries(record: dict[str, Any]) -> tuple[str, ...]:
    rows = record.get("age_country_gender_reach_breakdown")
    if not isinstance(rows, list):
        return ()
    return tuple(dict.fromkeys(str(r["country"]) for r in rows if isinstance(r, dict) and r.get("country")))
