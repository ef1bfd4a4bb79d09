"""What each token has used of its quota in the last hour, and the headers that say so."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import msgspec

HOUR_S = 3600.0
APP_ID = "1029384756"


class Meter:
    """Counts calls per token over a rolling hour. Refused calls count too: asking more prolongs a block."""

    def __init__(self, calls_per_hour: int) -> None:
        self.calls_per_hour = calls_per_hour
        self._calls: dict[str, deque[float]] = {}

    def count(self, token: str, now: float) -> int:
        """Note a call; how many the hour now has."""
        calls = self._calls.setdefault(token, deque())
        calls.append(now)
        while calls and calls[0] <= now - HOUR_S:
            calls.popleft()
        return len(calls)

    def is_exhausted(self, token: str) -> bool:
        """Whether the hour has more calls than it may."""
        return len(self._calls.get(token, ())) > self.calls_per_hour

    def headers(self, token: str, now: float, *, regain_s: float | None = None) -> dict[str, str]:
        """Both usage headers. `regain_s` shows a block whatever was counted."""
        calls = self._calls.get(token, deque())
        percent = 100 if regain_s is not None else math.floor(100 * len(calls) / self.calls_per_hour)
        if regain_s is None:
            regain_s = max(0.0, calls[0] + HOUR_S - now) if percent >= 100 else 0.0
        shares = {"call_count": percent, "total_time": percent // 2, "total_cputime": percent // 3}
        business: dict[str, Any] = {
            "type": "ads_archive",
            **shares,
            # In minutes, unlike every other time of this API.
            "estimated_time_to_regain_access": math.ceil(regain_s / 60),
        }
        return {
            "X-App-Usage": msgspec.json.encode(shares).decode(),
            "X-Business-Use-Case-Usage": msgspec.json.encode({APP_ID: [business]}).decode(),
        }

    def clear(self) -> None:
        """Forget every call."""
        self._calls.clear()
