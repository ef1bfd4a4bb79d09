"""The cursor: a value of the cursor column, whatever its type, that can be stored and ordered."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_LOCAL = _EPOCH.replace(tzinfo=None)
_MICRO = timedelta(microseconds=1)
_TEXT_SECONDS = 19
"""Length of ``YYYY-MM-DD HH:MM:SS``."""

MarkKind = Literal["number", "timestamp", "local", "date", "text", "bytes"]


class Mark(msgspec.Struct, frozen=True, order=True):
    """A cursor value; marks of one column compare as its values do.

    `number` holds a number as it is, a timestamp as microseconds since 1970 (kind "local" for
    one without time zone) and a date as days since year 1; `text` holds text and hexadecimal
    bytes.
    """

    kind: MarkKind
    number: int | float = 0
    text: str = ""

    @property
    def value(self) -> Any:
        """The value to compare the column with."""
        match self.kind:
            case "timestamp":
                return _EPOCH + _MICRO * self.number
            case "local":
                return _EPOCH_LOCAL + _MICRO * self.number
            case "date":
                return date.fromordinal(int(self.number))
            case "text":
                return self.text
            case "bytes":
                return bytes.fromhex(self.text)
            case _:
                return self.number

    def lowered(self, lag_s: float, lag_number: float) -> Mark:
        """The mark to read from, so that rows which arrived late are found.

        Text that is a date and time (as SQLite stores it) is lowered like a timestamp; other
        text and bytes have no distance, so they stay.
        """
        match self.kind:
            case "number":
                return Mark("number", self.number - _whole(lag_number))
            case "timestamp" | "local":
                lowest = _micros(datetime.min.replace(tzinfo=UTC))
                return Mark(self.kind, max(lowest, int(self.number) - int(lag_s * 1_000_000)))
            case "date":
                return Mark("date", max(1, int(self.number) - math.ceil(lag_s / 86_400)))
            case "text":
                return _lower_text(self, lag_s)
            case _:
                return self

    def capped(self, now: datetime) -> Mark:
        """The mark, but not later than now: one row dated 2099 must not hide all that come after it."""
        match self.kind:
            case "timestamp" | "local":
                return min(self, Mark(self.kind, _micros(now)))
            case "date":
                return min(self, Mark("date", now.date().toordinal()))
            case "text":
                moment = _read_moment(self.text)
                return self if moment is None or moment <= now else _write_moment(now, self.text)
            case _:
                return self


def mark_of(value: Any) -> Mark | None:
    """The mark of a column's value; None for NULL.

    Raises:
        TypeError: values of this type have no order that can be stored.
    """
    match value:
        case None:
            return None
        case bool():
            raise TypeError("a truth value")
        case int():
            return Mark("number", value) if -(2**63) <= value < 2**63 else Mark("number", float(value))
        case float():
            return None if math.isnan(value) else Mark("number", value)
        case Decimal():
            return _mark_decimal(value)
        case datetime():
            if value.tzinfo is None:
                return Mark("local", (value - _EPOCH_LOCAL) // _MICRO)
            return Mark("timestamp", _micros(value))
        case date():
            return Mark("date", value.toordinal())
        case str():
            return Mark("text", text=value)
        case bytes() | bytearray() | memoryview():
            return Mark("bytes", text=bytes(value).hex())
    raise TypeError(f"a {type(value).__name__}")


def _mark_decimal(value: Decimal) -> Mark | None:
    if value.is_nan():
        return None
    if value == value.to_integral_value() and abs(value) < 2**63:
        return Mark("number", int(value))
    near = float(value)
    # Never above the value itself, or rows that tie with it would be passed over.
    return Mark("number", near if Decimal(near) <= value else math.nextafter(near, -math.inf))


def _lower_text(mark: Mark, lag_s: float) -> Mark:
    moment = _read_moment(mark.text)
    if moment is None:
        return mark
    try:
        return _write_moment(moment - timedelta(seconds=lag_s), mark.text)
    except OverflowError:
        return Mark("text")


def _read_moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _write_moment(moment: datetime, like: str) -> Mark:
    """`moment` spelt like `like`, to the second: a shorter text sorts before its continuations."""
    original = datetime.fromisoformat(like)
    if original.tzinfo is not None:
        moment = moment.astimezone(original.tzinfo)
    sep = like[10:11] or " "
    return Mark("text", text=moment.isoformat(sep, "seconds")[: min(_TEXT_SECONDS, len(like))])


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICRO


def _whole(number: float) -> int | float:
    return int(number) if number == int(number) else number
