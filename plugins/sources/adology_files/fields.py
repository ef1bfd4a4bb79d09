"""A row becomes an ad: columns are recognised by the names that people and ad tools give them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from adology.types import AdStatus, Spend

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

_ACTIVE = frozenset({"active", "enabled", "live", "on", "running", "true", "yes", "1"})
_STOPPED = frozenset({"archived", "disabled", "ended", "expired", "false", "inactive", "no", "off", "paused"})
_ENDED = frozenset({"stopped", "removed", "finished", "0"})
_TAGS = re.compile(r"[,;|\n]")
_SPACE = re.compile(r"[\s\-.]+")
_LARGEST = 2**63
_MILLIS_FROM = 100_000_000_000
_SECONDS_FROM = 100_000_000


class Fields:
    """A row seen through `NAMES`."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = {_SPACE.sub("_", name.strip().lower()): value for name, value in row.items()}

    def get(self, field: str) -> Any:
        """The first filled column of a field; None when there is none."""
        values = (self._row.get(name) for name in NAMES[field])
        return next((value for value in values if value not in (None, "", [], {})), None)

    def text(self, field: str) -> str:
        """A field as one text."""
        return text(self.get(field))

    def copy(self, field: str) -> tuple[str, ...]:
        """Copy: a list, a JSON array, or one text as it is."""
        return _unique(text(item) for item in items(self.get(field)))

    def tags(self, field: str) -> tuple[str, ...]:
        """A list of short words: also text divided by commas, semicolons or bars."""
        value = self.get(field)
        parts = items(value)
        if isinstance(value, str) and parts == [value]:
            parts = _TAGS.split(value)
        return _unique(text(item) for item in parts)

    def day(self, field: str) -> date | None:
        """A day: ISO text, or seconds or milliseconds since 1970."""
        found = moment(self.get(field))
        return found.date() if found else None

    def count(self, field: str) -> int | None:
        """A whole number."""
        found = number(self.get(field))
        return None if found is None else round(found)

    def amount(self, field: str) -> Spend | None:
        """A number, or a range as vendors give it (lower_bound, upper_bound)."""
        value = self.get(field)
        currency = self.text("currency") or None if field == "spend" else None
        if isinstance(value, dict):
            lower, upper = (number(value.get(f"{end}_bound", value.get(end))) for end in ("lower", "upper"))
        else:
            lower = upper = number(value)
        return None if lower is None and upper is None else Spend(lower=lower, upper=upper, currency=currency)

    def status(self, stopped: date | None, today: date) -> AdStatus:
        """Whether the ad runs, by its word, else by its last day."""
        word = self.text("status").lower()
        if word in _ACTIVE:
            return "active"
        if word in _STOPPED | _ENDED or (stopped is not None and stopped < today):
            return "stopped"
        return "unknown"


def items(value: Any) -> list[Any]:
    """A value as a list: text that holds a JSON array is one."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            found = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return [value]
        return found if isinstance(found, list) else [value]
    return [value]


def text(value: Any) -> str:
    """A value as one text; a record's own text where it has one."""
    match value:
        case None:
            return ""
        case str():
            return clean(value).strip()
        case bool():
            return str(value).lower()
        case {"text": str(inner)}:
            return clean(inner).strip()
        case int() | float():
            return str(value)
    return msgspec.json.encode(plain(value)).decode()


def clean(value: str) -> str:
    """Text that every store takes: NUL and lone surrogates replaced."""
    return value.replace("\x00", "").encode("utf-8", "replace").decode()


def plain(value: Any) -> Any:
    """A decoded JSON value that every store takes."""
    match value:
        case str():
            return clean(value)
        case bool():
            return value
        case int():
            return value if -_LARGEST <= value < _LARGEST else str(value)
        case dict():
            return {clean(str(key)): plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def moment(value: Any) -> datetime | None:
    """The instant a value names, in UTC; None when it names none."""
    try:
        if isinstance(value, str):
            shown = value.strip()
            if not (shown.isdigit() and len(shown) > len("20260131")):
                found = datetime.fromisoformat(shown)
                return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        seconds = number(value)
        if seconds is None or abs(seconds) < _SECONDS_FROM:
            return None
        return datetime.fromtimestamp(seconds / 1000 if abs(seconds) >= _MILLIS_FROM else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def number(value: Any) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if found - found == 0 else None


def _unique(parts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(str.strip, parts))))
