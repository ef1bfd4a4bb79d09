"""Loose values (of databases, CSV, JSON) as the fields of an ad want them, and as plain data for its raw record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from adology.types import AdStatus

DEEPEST = 64
"""Nesting that is kept; what lies deeper becomes "…"."""
_MAX_BYTES_SHOWN = 256
_MAX_INT = 2**63
_MILLIS_FROM = 100_000_000_000
"""Whole numbers above this are milliseconds since 1970, below it seconds."""
_SECONDS_FROM = 100_000_000
_ACTIVE = frozenset({"active", "enabled", "live", "on", "running", "true", "yes", "1", "t", "y"})
_STOPPED = frozenset(
    {"archived", "deleted", "disabled", "ended", "expired", "false", "finished", "inactive", "no", "off", "paused"}
    | {"removed", "stopped", "0", "f", "n"}
)


def plain(value: Any, depth: int = 0) -> Any:
    """`value` as JSON can hold it without loss: exact numbers as text, long binary data as its size."""
    match value:
        case None | bool():
            return value
        case str():
            return clean(value)
        case int():
            return value if -_MAX_INT <= value < _MAX_INT else str(value)
        case float():
            return value if value - value == 0 else str(value)  # NaN and infinities are no JSON
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes() | bytearray() | memoryview():
            data = bytes(value)
            return data.hex() if len(data) <= _MAX_BYTES_SHOWN else f"{len(data)} bytes"
        case Mapping() | list() | tuple() | set() | frozenset() if depth >= DEEPEST:
            return "…"
        case Mapping():
            return {clean(str(key)): plain(item, depth + 1) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item, depth + 1) for item in value]
    return clean(str(value))


def clean(text: str) -> str:
    """Text that every store takes: NUL and lone surrogates replaced."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def text(value: Any) -> str:
    """The value as one text, a record's own text where it has one; empty for None and binary data."""
    match value:
        case None | bytes() | bytearray() | memoryview():
            return ""
        case {"text": str(inner)}:
            return clean(inner).strip()
    shown = plain(value)
    return shown.strip() if isinstance(shown, str) else msgspec.json.encode(shown).decode()


def texts(value: Any, separator: str | None = None) -> Iterator[str]:
    """The entries of a list as texts, see `items`; empty ones dropped."""
    yield from (found for item in items(value, separator) if (found := text(item)))


def items(value: Any, separator: str | None = None) -> list[Any]:
    """The entries of a list: an array, a JSON array, or text split at `separator`. Anything else is an entry itself."""
    if value is None:
        return []
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if not isinstance(value, str):
        return [value]
    if value.lstrip().startswith("["):
        try:
            return list(json.loads(value))
        except (ValueError, RecursionError):
            pass
    return value.split(separator) if separator else [value]


def day(value: Any) -> date | None:
    """The day a value names, in UTC: dates, timestamps, ISO text, seconds or milliseconds since 1970."""
    found = moment(value)
    return found.date() if found else None


def moment(value: Any) -> datetime | None:
    """The instant a value names; without a time zone it counts as UTC. None when it names none."""
    try:
        match value:
            case datetime():
                return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
            case date():
                return datetime(value.year, value.month, value.day, tzinfo=UTC)
            case str():
                return _read_moment(value.strip())
            case bool():
                return None
            case int() | float() | Decimal():
                return _since_1970(float(value))
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _read_moment(shown: str) -> datetime | None:
    if shown.isdigit() and len(shown) > len("20260131"):
        return _since_1970(float(shown))
    return moment(datetime.fromisoformat(shown))


def _since_1970(seconds: float) -> datetime | None:
    if abs(seconds) >= _MILLIS_FROM:
        seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC) if abs(seconds) >= _SECONDS_FROM else None


def number(value: Any) -> float | None:
    """The value as a finite number; None when it is none."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found - found == 0 else None


def status(value: Any) -> AdStatus:
    """Whether an ad runs, by a word like active or paused, or by a truth value."""
    word = text(value).lower()
    if word in _ACTIVE:
        return "active"
    return "stopped" if word in _STOPPED else "unknown"
