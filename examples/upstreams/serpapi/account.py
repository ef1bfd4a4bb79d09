"""What each key has searched: the month's quota, the hour's limit, and ``/account.json``."""

from __future__ import annotations

from collections import deque
from http import HTTPStatus
from typing import Any

from upstreams.serpapi.errors import OUT_OF_SEARCHES, THROUGHPUT, Refusal
from upstreams.serpapi.rules import SerpApiRules

HOUR_S = 3600.0


class Account:
    """The account of one key."""

    def __init__(self, rules: SerpApiRules) -> None:
        self._rules = rules
        self._recent: deque[float] = deque()
        self.used = 0
        self.told_spent = False
        """A fault said that the searches are used up: `/account.json` agrees until one succeeds."""

    def check(self, now: float) -> None:
        """Whether one more search is allowed.

        Raises:
            Refusal: 429, for either reason.
        """
        if self.used >= self._rules.searches_per_month:
            raise Refusal(OUT_OF_SEARCHES, HTTPStatus.TOO_MANY_REQUESTS)
        if self._in_hour(now, 0) >= self._rules.searches_per_hour:
            raise Refusal(THROUGHPUT, HTTPStatus.TOO_MANY_REQUESTS)

    def count(self, now: float) -> None:
        """One search that succeeded and was not served from the cache."""
        self.used += 1
        self.told_spent = False
        self._recent.append(now)

    def describe(self, now: float) -> dict[str, Any]:
        """The account as the vendor shows it to its owner."""
        left = 0 if self.told_spent else max(0, self._rules.searches_per_month - self.used)
        return {
            "account_id": "stand-in",
            "account_status": "Active",
            "plan_id": "stand-in",
            "plan_name": "Stand-in Plan",
            "plan_monthly_price": 0.0,
            "plan_renewal_date": self._rules.plan_renewal_date,
            "searches_per_month": self._rules.searches_per_month,
            "plan_searches_left": left,
            "extra_credits": 0,
            "total_searches_left": left,
            "this_month_usage": self.used,
            "this_hour_searches": self._in_hour(now, 0),
            "last_hour_searches": self._in_hour(now, 1),
            "account_rate_limit_per_hour": self._rules.searches_per_hour,
        }

    def _in_hour(self, now: float, ago: int) -> int:
        while self._recent and now - self._recent[0] >= 2 * HOUR_S:
            self._recent.popleft()
        return sum(ago * HOUR_S <= now - at < (ago + 1) * HOUR_S for at in self._recent)
