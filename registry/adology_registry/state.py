"""The registry's whole memory: which brands are active, what has arrived, who may commit.

Synchronous, without I/O; clock and token maker are passed in. Every public method is one step:
it takes effect completely, or raises and changes nothing. So the service needs no locks, and
tests can drive it through any history.
"""

from __future__ import annotations

import heapq
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Self

import msgspec

from adology.abc.sink import ItemResult
from adology.registry_client.protocol import (
    BrandActiveError,
    CommitLeaseLostError,
    Progress,
    StaleBatchError,
    SubmitAnswer,
    UnknownBrandError,
)
from adology_registry.errors import RegistryFullError

BATCH_BYTES = 1024
"""What a batch without results is reckoned to take, so that starts alone cannot fill the memory."""
ITEM_BYTES = 160
"""A result's share of the containers around it, beside its own bytes."""
TOKEN_BYTES = 16

_encode = msgspec.msgpack.Encoder().encode


class Held(NamedTuple):
    """A result as the registry keeps it: encoded once, opaque, counted under its URL."""

    url: str
    failed: bool
    data: bytes

    @classmethod
    def of(cls, result: ItemResult) -> Self:
        """`result`, encoded as workers will read it back."""
        # Copied, because the encoder's own bytes keep the room that they grew into: half as much again.
        return cls(result.url, result.status == "failed", bytes(memoryview(_encode(result))))

    @property
    def size(self) -> int:
        """Bytes of memory that it is reckoned to take."""
        return sys.getsizeof(self.url) + sys.getsizeof(self.data) + ITEM_BYTES


class Batch:
    """One active batch. `lease_until` is a time of the registry's clock."""

    __slots__ = (
        "batch_id",
        "brand",
        "expected_count",
        "failed",
        "held_bytes",
        "lease_token",
        "lease_until",
        "results",
        "started_at",
        "touched_at",
    )

    def __init__(self, brand: str, batch_id: str, expected_count: int, now: float) -> None:
        self.brand = brand
        self.batch_id = batch_id
        self.expected_count = expected_count
        self.started_at = self.touched_at = now
        self.results: dict[str, Held] = {}
        self.failed = 0
        self.held_bytes = BATCH_BYTES
        self.lease_token = ""
        self.lease_until = 0.0


class Totals:
    """What happened since the start of this life, for `/metrics`."""

    def __init__(self) -> None:
        self.starts = 0
        self.counted = 0
        self.replaced = 0
        self.granted = 0
        self.expired = 0
        self.released = 0
        self.completed = 0


class ActiveBrands:
    """The registry's state. One batch per brand, one commit lease per batch.

    Args:
        lease_s: life of a commit lease without renewal, seconds.
        max_held_bytes: most memory that results may take, over all brands.
        clock: monotonic seconds.
        new_token: makes epoch, batch ids and lease tokens; never the same twice.
    """

    def __init__(
        self,
        *,
        lease_s: float,
        max_held_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        new_token: Callable[[], str] = lambda: secrets.token_hex(TOKEN_BYTES),
    ) -> None:
        self.lease_s = lease_s
        self.max_held_bytes = max_held_bytes
        self.totals = Totals()
        self.held_bytes = 0
        self._clock = clock
        self._new_token = new_token
        self._batches: dict[str, Batch] = {}
        self.epoch = new_token()
        self._born = clock()

    @property
    def uptime_s(self) -> float:
        """Seconds since this life began."""
        return self._clock() - self._born

    @property
    def active(self) -> int:
        """Number of active brands."""
        return len(self._batches)

    def count_held(self) -> int:
        """Number of results in memory."""
        return sum(len(batch.results) for batch in self._batches.values())

    def start(self, brand: str, expected_count: int, batch_id: str | None = None) -> SubmitAnswer:
        """Make a batch active, or find it active already; a complete one may win the commit.

        Without `batch_id` a new batch gets an id made here, and an active one is taken for the
        caller's if it expects as many. The first start's `expected_count` stays in force.

        Raises:
            BrandActiveError: another batch of the brand is active.
            RegistryFullError: there is no memory for another batch.
        """
        batch = self._batches.get(brand)
        if batch is None:
            self._check_room(BATCH_BYTES, brand)
            batch = Batch(brand, batch_id or self._new_token(), expected_count, self._clock())
            self._batches[brand] = batch
            self.held_bytes += BATCH_BYTES
            self.totals.starts += 1
        elif batch_id != batch.batch_id and (batch_id or expected_count != batch.expected_count):
            wanted = f"batch {batch_id}" if batch_id else f"a batch of {expected_count} URLs"
            raise BrandActiveError(
                f"brand {brand!r} is active with batch {batch.batch_id} of {batch.expected_count} URLs "
                f"({len(batch.results)} received); {wanted} cannot start.",
                batch_id=batch.batch_id,
                hint="Wait until it is committed, or end it with POST /commit-complete.",
            )
        return self._answer(batch)

    def submit(self, brand: str, results: Iterable[Held], batch_id: str | None = None) -> SubmitAnswer:
        """Count results by distinct URL, all or none; the last one of a URL is kept.

        Raises:
            UnknownBrandError, StaleBatchError: as named.
            RegistryFullError: there is no memory for them; what was counted stays counted.
        """
        batch = self._get(brand, batch_id)
        latest = {held.url: held for held in results}
        growth = 0
        for url, held in latest.items():
            before = batch.results.get(url)
            growth += held.size - (before.size if before is not None else 0)
        self._check_room(growth, brand)
        for held in latest.values():
            self._keep(batch, held)
        batch.held_bytes += growth
        self.held_bytes += growth
        batch.touched_at = self._clock()
        return self._answer(batch)

    def renew(self, brand: str, lease_token: str, batch_id: str | None = None) -> SubmitAnswer:
        """Prolong a live commit lease by `lease_s` from now.

        Raises:
            CommitLeaseLostError: it ran out, was given back, or is somebody else's.
            UnknownBrandError, StaleBatchError: as named.
        """
        batch = self._get(brand, batch_id)
        now = self._clock()
        if lease_token != batch.lease_token or not self._is_leased(batch, now):
            raise self._lease_lost(batch, now)
        batch.lease_until = now + self.lease_s
        batch.touched_at = now
        return self._describe(batch, should_commit=True)

    def release(self, brand: str, lease_token: str, batch_id: str | None = None) -> None:
        """Give the commit lease back. Harmless when it ran out and nobody has won it since.

        Raises:
            CommitLeaseLostError: it is somebody else's, or was given back before.
            UnknownBrandError, StaleBatchError: as named.
        """
        batch = self._get(brand, batch_id)
        self._check_token(batch, lease_token)
        batch.lease_token, batch.lease_until = "", 0.0
        batch.touched_at = self._clock()
        self.totals.released += 1

    def complete(self, brand: str, batch_id: str | None = None, lease_token: str | None = None) -> bool:
        """Forget the brand's batch; False when there is none, which is no fault.

        With a token it must be that of the last winner. A token whose lease ran out still
        counts while nobody else has won: the commit is done, and keeping its state helps nobody.

        Raises:
            StaleBatchError: another batch is active.
            CommitLeaseLostError: somebody else has won the commit since.
        """
        if brand not in self._batches:
            return False
        batch = self._get(brand, batch_id)
        if lease_token:
            self._check_token(batch, lease_token)
        del self._batches[brand]
        self.held_bytes -= batch.held_bytes
        self.totals.completed += 1
        return True

    def results(self, brand: str, batch_id: str | None = None) -> list[Held]:
        """The brand's results in the order in which their URLs first came.

        Raises:
            UnknownBrandError, StaleBatchError: as named.
        """
        return list(self._get(brand, batch_id).results.values())

    def progress(self, brand: str) -> Progress:
        """How far the brand is.

        Raises:
            UnknownBrandError: as named.
        """
        return self._progress(self._get(brand, None), self._clock())

    def page(self, after: str, limit: int) -> tuple[list[Progress], str | None]:
        """Up to `limit` brands that sort behind `after`, and the last one's name if more follow."""
        now = self._clock()
        names = heapq.nsmallest(limit + 1, (name for name in self._batches if name > after))
        page = [self._progress(self._batches[name], now) for name in names[:limit]]
        return page, names[limit - 1] if len(names) > limit else None

    def _get(self, brand: str, batch_id: str | None) -> Batch:
        batch = self._batches.get(brand)
        if batch is None:
            raise UnknownBrandError(
                f"brand {brand!r} has no active batch: it was committed, was never started, or the registry restarted.",
                hint="POST /start makes one active.",
            )
        if batch_id and batch_id != batch.batch_id:
            raise StaleBatchError(f"brand {brand!r} is active with batch {batch.batch_id}, not with batch {batch_id}")
        return batch

    def _keep(self, batch: Batch, held: Held) -> None:
        before = batch.results.get(held.url)
        if before is None:
            self.totals.counted += 1
        else:
            batch.failed -= before.failed
            self.totals.replaced += 1
        batch.results[held.url] = held
        batch.failed += held.failed

    def _check_room(self, growth: int, brand: str) -> None:
        if growth > 0 and self.held_bytes + growth > self.max_held_bytes:
            raise RegistryFullError(
                f"the registry holds {self.held_bytes} bytes of results of {self.active} brands; {growth} more for "
                f"brand {brand!r} would pass registry.max_held_bytes = {self.max_held_bytes}. Nothing was counted, "
                "nothing was lost.",
                hint="Commit or complete active brands, or raise the setting.",
            )

    def _answer(self, batch: Batch) -> SubmitAnswer:
        """The answer to a start or submit, which wins the commit where there is one to win."""
        now = self._clock()
        if not self._is_complete(batch) or self._is_leased(batch, now):
            return self._describe(batch, should_commit=False)
        if batch.lease_token:
            self.totals.expired += 1
        self.totals.granted += 1
        batch.lease_token = self._new_token()
        batch.lease_until = now + self.lease_s
        return self._describe(batch, should_commit=True)

    def _is_complete(self, batch: Batch) -> bool:
        return len(batch.results) >= batch.expected_count

    def _is_leased(self, batch: Batch, now: float) -> bool:
        return bool(batch.lease_token) and now < batch.lease_until

    def _check_token(self, batch: Batch, lease_token: str) -> None:
        if not lease_token or lease_token != batch.lease_token:
            raise self._lease_lost(batch, self._clock())

    def _lease_lost(self, batch: Batch, now: float) -> CommitLeaseLostError:
        holder = (
            f"a live one has {batch.lease_until - now:.1f} s left" if self._is_leased(batch, now) else "none is live"
        )
        return CommitLeaseLostError(
            f"this commit lease of brand {batch.brand!r}, batch {batch.batch_id}, is not held any more; {holder}.",
            hint="Stop without committing; the next submit or start wins a new one.",
        )

    def _describe(self, batch: Batch, *, should_commit: bool) -> SubmitAnswer:
        return SubmitAnswer(
            should_commit=should_commit,
            lease_token=batch.lease_token if should_commit else "",
            lease_s=self.lease_s if should_commit else 0.0,
            epoch=self.epoch,
            batch_id=batch.batch_id,
            received=len(batch.results),
            expected_count=batch.expected_count,
        )

    def _progress(self, batch: Batch, now: float) -> Progress:
        complete = self._is_complete(batch)
        return Progress(
            brand=batch.brand,
            batch_id=batch.batch_id,
            expected_count=batch.expected_count,
            received=len(batch.results),
            failed=batch.failed,
            state="committing" if self._is_leased(batch, now) else "complete" if complete else "open",
            epoch=self.epoch,
            age_s=round(now - batch.started_at, 3),
            idle_s=round(now - batch.touched_at, 3),
        )
