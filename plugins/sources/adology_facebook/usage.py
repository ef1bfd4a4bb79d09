"""Meta's usage headers: how much of the quota is gone, and when it comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

SLOW_AT = 80.0
STOP_AT = 95.0
_APP = "x-app-usage"
_BUSINESS = "x-business-use-case-usage"
_SHARES = ("call_count", "total_time", "total_cputime")


class Usage(msgspec.Struct, frozen=True):
    """`percent` of the quota used (the worst of all counters); `regain_s` seconds until it frees up."""

    percent: float = 0.0
    regain_s: float = 0.0

    @property
    def slowdown(self) -> float:
        """By how much to stretch the spacing of calls: 1 below 80 %, up to 4 at 95 %."""
        if self.percent < SLOW_AT:
            return 1.0
        return 2.0 + 2.0 * min(1.0, (self.percent - SLOW_AT) / (STOP_AT - SLOW_AT))


def read_usage(headers: Mapping[str, str]) -> Usage:
    """The usage that an answer reports, on success and on error alike.

    Both headers are read and the maximum taken. ``estimated_time_to_regain_access`` is in
    minutes. Anything malformed counts as no information.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    percent = regain_min = 0.0
    for entry in _entries(lowered):
        percent = max([percent, *(_number(entry.get(key)) for key in _SHARES)])
        regain_min = max(regain_min, _number(entry.get("estimated_time_to_regain_access")))
    return Usage(percent, regain_min * 60.0)


def _entries(headers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    app = _decode(headers.get(_APP, ""))
    if isinstance(app, dict):
        yield app
    business = _decode(headers.get(_BUSINESS, ""))
    if not isinstance(business, dict):
        return
    for entries in business.values():
        if isinstance(entries, list):
            yield from (entry for entry in entries if isinstance(entry, dict))


def _decode(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
