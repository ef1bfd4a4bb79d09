"""A row becomes an ad: columns are recognised by the names that people and ad tools give them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from adology import Spend, values
from adology.types import AdStatus

NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "ad_id", "source_ad_id", "ad_archive_id", "creative_id"),
    "advertiser": ("advertiser", "advertiser_name", "page_name", "brand_name", "company"),
    "advertiser_id": ("advertiser_id", "page_id"),
    "bodies": ("bodies", "body", "text", "ad_text", "primary_text", "copy", "message", "ad_creative_bodies"),
    "titles": ("titles", "title", "headline", "headlines", "ad_creative_link_titles"),
    "captions": ("captions", "caption", "ad_creative_link_captions"),
    "descriptions": ("descriptions", "description", "ad_creative_link_descriptions"),
    "cta": ("cta", "cta_text", "call_to_action", "button"),
    "landing_url": ("landing_url", "landing_page", "link_url", "destination_url", "final_url", "link", "url"),
    "link": ("ad_url", "ad_link", "permalink", "snapshot_url", "ad_snapshot_url"),
    "format": ("format", "ad_format", "display_format"),
    "platforms": ("platforms", "platform", "publisher_platforms", "networks", "network"),
    "languages": ("languages", "language", "lang", "locale"),
    "countries": ("countries", "country", "regions", "region"),
    "status": ("status", "state", "active", "is_active"),
    "started_on": (
        "started_on", "start_date", "started", "starts_on", "start", "ad_delivery_start_time", "first_seen",
        "first_shown",
    ),
    "stopped_on": ("stopped_on", "stop_date", "stopped", "ends_on", "end_date", "end", "ad_delivery_stop_time"),
    "seen_at": ("seen_at", "last_seen", "last_shown"),
    "reach": ("reach", "eu_total_reach"),
    "impressions": ("impressions",),
    "spend": ("spend", "cost"),
    "currency": ("currency",),
    "images": ("images", "image", "image_url", "image_urls", "image_file", "image_path", "picture"),
    "videos": ("videos", "video", "video_url", "video_urls", "video_file", "video_path"),
    "previews": ("previews", "preview", "preview_url", "thumbnail", "thumbnail_url", "poster"),
    "media": (
        "media", "media_url", "media_urls", "file", "files", "file_name", "filename", "file_path", "path", "paths",
        "asset", "assets", "asset_url", "creative", "creatives", "creative_url",
    ),
}  # fmt: skip
"""Field → column names, the first that a row fills counts. Case, spaces and dashes do not matter."""

_TAGS = re.compile(r"[,;|\n]")
_SPACE = re.compile(r"[\s\-.]+")


class Fields:
    """A row seen through `NAMES`."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = {_SPACE.sub("_", name.strip().lower()): value for name, value in row.items()}

    @property
    def says_something(self) -> bool:
        """Whether any column that is known by its name is filled."""
        return any(self.get(field) is not None for field in NAMES)

    def get(self, field: str) -> Any:
        """The first filled column of a field; None when there is none."""
        cells = (self._row.get(name) for name in NAMES[field])
        return next((value for value in cells if value not in (None, "", [], {})), None)

    def text(self, field: str) -> str:
        """A field as one text."""
        return values.text(self.get(field))

    def copy(self, field: str) -> tuple[str, ...]:
        """Copy: a list, a JSON array, or one text as it is."""
        return _unique(values.texts(self.get(field)))

    def tags(self, field: str) -> tuple[str, ...]:
        """A list of short words: also text divided by commas, semicolons or bars."""
        value = self.get(field)
        parts = values.items(value)
        if isinstance(value, str) and parts == [value]:
            parts = _TAGS.split(value)
        return _unique(map(values.text, parts))

    def day(self, field: str) -> date | None:
        """A day: ISO text, or seconds or milliseconds since 1970."""
        return values.day(self.get(field))

    def moment(self, field: str) -> datetime | None:
        """An instant, in UTC."""
        return values.moment(self.get(field))

    def count(self, field: str) -> int | None:
        """A whole number."""
        found = values.number(self.get(field))
        return None if found is None else round(found)

    def amount(self, field: str) -> Spend | None:
        """A number, or a range as vendors give it (lower_bound, upper_bound)."""
        value = self.get(field)
        currency = self.text("currency") or None if field == "spend" else None
        if isinstance(value, dict):
            lower, upper = (values.number(value.get(f"{end}_bound", value.get(end))) for end in ("lower", "upper"))
        else:
            lower = upper = values.number(value)
        return None if lower is None and upper is None else Spend(lower=lower, upper=upper, currency=currency)

    def status(self, stopped: date | None, today: date) -> AdStatus:
        """Whether the ad runs, by its word, else by its last day."""
        said = values.status(self.get("status"))
        return "stopped" if said == "unknown" and stopped is not None and stopped < today else said


def _unique(parts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(str.strip, parts))))
