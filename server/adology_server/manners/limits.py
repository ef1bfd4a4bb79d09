"""Rate limits of organisations and callers, which replicas share.

Every replica draws some tokens at a time from the bucket in the database and spends them by itself: most
requests cost no round trip. What is drawn is gone from the bucket, so that replicas do not add to the limit;
one that idles keeps a draw for later.
"""

from __future__ import annotations

import asyncio
import math
import time

from adology_server.callers import Caller
from adology_server.problems import Refusal
from adology_server.tenancy import Tenants

WINDOW_S = 60
_DRAWS = 50
"""A draw is this part of a minute's requests."""
_MOST_KNOWN = 20_000


class _Bucket:
    __slots__ = ("drawn", "elsewhere", "lock", "per_minute", "shut_until")

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.drawn = 0.0
        self.elsewhere = 0.0
        self.shut_until = 0.0
        self.lock = asyncio.Lock()


class Limits:
    """Counts requests. A limit of 0 is none."""

    def __init__(self, tenants: Tenants, *, caller: int, organisation: int) -> None:
        self._tenants = tenants
        self._caller = caller
        self._organisation = organisation
        self._buckets: dict[str, _Bucket] = {}

    async def take(self, caller: Caller) -> tuple[tuple[bytes, bytes], ...]:
        """Count a request of this caller; the headers that tell how many more may follow.

        Raises:
            Refusal: 429, too many.
        """
        told: list[tuple[str, _Bucket]] = []
        for name, whose, most in (
            ("caller", f"c:{caller.key_id or caller.session_id}", self._caller),
            ("organisation", f"o:{caller.org_id}", self._organisation if caller.org_id else 0),
        ):
            if most:
                bucket = await self._spend(name, whose, most)
                told.append((name, bucket))
        return _headers(told)

    async def _spend(self, name: str, whose: str, per_minute: int) -> _Bucket:
        bucket = self._buckets.get(whose)
        if bucket is None:
            if len(self._buckets) >= _MOST_KNOWN:
                self._buckets.clear()
            bucket = self._buckets[whose] = _Bucket(per_minute)
        if bucket.drawn < 1:
            async with bucket.lock:
                if bucket.drawn < 1:
                    await self._draw(bucket, whose)
                if bucket.drawn < 1:
                    raise _too_many(name, bucket)
                bucket.drawn -= 1
                return bucket
        bucket.drawn -= 1
        return bucket

    async def _draw(self, bucket: _Bucket, whose: str) -> None:
        if bucket.shut_until > time.monotonic():  # a flood costs the database nothing
            return
        want = max(1, bucket.per_minute // _DRAWS)
        (row,) = await self._tenants.rows(
            None, "select * from rate_take(%s, %s, %s)", [whose, float(bucket.per_minute), float(want)]
        )
        bucket.drawn += row["granted"]
        bucket.elsewhere = row["left_over"]
        bucket.shut_until = time.monotonic() + row["wait_s"]


def _too_many(name: str, bucket: _Bucket) -> Refusal:
    seconds = max(1, math.ceil(bucket.shut_until - time.monotonic()))
    detail = f"More than {bucket.per_minute} requests a minute of this {name}: wait {seconds} s."
    headers = {"retry-after": str(seconds)}
    headers |= {key.decode(): value.decode() for key, value in _headers([(name, bucket)])}
    return Refusal("too-many", detail, headers=headers)


def _headers(told: list[tuple[str, _Bucket]]) -> tuple[tuple[bytes, bytes], ...]:
    """As draft-ietf-httpapi-ratelimit-headers has them: `r` requests are left, all are back after `t` seconds."""
    if not told:
        return ()
    policies, limits = [], []
    for name, bucket in told:
        left = int(max(0.0, bucket.drawn + bucket.elsewhere))
        full = math.ceil((bucket.per_minute - left) * WINDOW_S / bucket.per_minute)
        policies.append(f'"{name}";q={bucket.per_minute};w={WINDOW_S}')
        limits.append(f'"{name}";r={left};t={full}')
    return ((b"ratelimit-policy", ", ".join(policies).encode()), (b"ratelimit", ", ".join(limits).encode()))
