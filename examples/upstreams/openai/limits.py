"""Requests and tokens per minute, per key and model, and the headers that tell how much is left."""

from __future__ import annotations

import math

from upstreams.openai import errors
from upstreams.openai.rules import OpenAiRules

MINUTE_S = 60.0


class Bucket:
    """Holds a minute's allowance and refills evenly."""

    def __init__(self, size: int, now: float) -> None:
        self.size = size
        self._level = float(size)
        self._at = now

    def refill(self, now: float) -> None:
        """Bring the level up to `now`."""
        self._level = min(self.size, self._level + max(0.0, now - self._at) * self.size / MINUTE_S)
        self._at = now

    def wait_s(self, count: float) -> float:
        """Seconds until `count` could be taken; 0 when it can be now."""
        return max(0.0, count - self._level) * MINUTE_S / self.size

    def take(self, count: float) -> None:
        """Take `count`, also beyond what is there: the answer may be longer than was foreseen."""
        self._level -= count

    @property
    def left(self) -> int:
        """What is left, in whole units."""
        return max(0, math.floor(self._level))

    @property
    def full_in_s(self) -> float:
        """Seconds until all of it is back."""
        return (self.size - self._level) * MINUTE_S / self.size

    def empty(self) -> None:
        """Use everything up."""
        self._level = 0.0


class Limits:
    """The buckets of every key and model."""

    def __init__(self, rules: OpenAiRules) -> None:
        self._rules = rules
        self._buckets: dict[tuple[str, str], tuple[Bucket, Bucket]] = {}

    def clear(self) -> None:
        """Forget what was used."""
        self._buckets.clear()

    def take(self, key: str, model: str, tokens: int, now: float) -> dict[str, str]:
        """Count a request; the headers of its answer.

        Raises:
            Refusal: a minute's allowance is used up. A refused request uses nothing here.
        """
        if tokens > self._rules.tokens_per_minute:
            raise errors.too_large(model, self._rules.tokens_per_minute, tokens)
        requests, spent = self._get(key, model, now)
        for what, bucket, count in (("requests", requests, 1), ("tokens", spent, tokens)):
            wait_s = bucket.wait_s(count)
            if wait_s > 0:
                headers = {**self.headers(key, model, now), "Retry-After": str(math.ceil(wait_s))}
                raise errors.rate_limited(model, what, bucket.size, wait_s, headers)
        requests.take(1)
        spent.take(tokens)
        return self.headers(key, model, now)

    def exhaust(self, key: str, model: str, now: float) -> dict[str, str]:
        """Use up the requests; the headers that say so."""
        self._get(key, model, now)[0].empty()
        return self.headers(key, model, now)

    def headers(self, key: str, model: str, now: float) -> dict[str, str]:
        """Limit, remaining and reset of both."""
        found: dict[str, str] = {}
        for what, bucket in zip(("requests", "tokens"), self._get(key, model, now), strict=True):
            found[f"x-ratelimit-limit-{what}"] = str(bucket.size)
            found[f"x-ratelimit-remaining-{what}"] = str(bucket.left)
            found[f"x-ratelimit-reset-{what}"] = go_duration(bucket.full_in_s)
        return found

    def _get(self, key: str, model: str, now: float) -> tuple[Bucket, Bucket]:
        found = self._buckets.get((key, model))
        if found is None:
            rules = self._rules
            found = Bucket(rules.requests_per_minute, now), Bucket(rules.tokens_per_minute, now)
            self._buckets[key, model] = found
        for bucket in found:
            bucket.refill(now)
        return found


def go_duration(seconds: float) -> str:
    """Seconds as Go writes a duration: ``0s``, ``12ms``, ``1.5s``, ``6m0s``, ``1h0m2.25s``."""
    thousandths = round(seconds * 1000)
    if thousandths <= 0:
        return "0s"
    if thousandths < 1000:
        return f"{thousandths}ms"
    minutes, rest = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1000:g}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
