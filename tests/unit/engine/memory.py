"""The engine's ports in memory, for tests of one phase alone. Time is the running loop's."""
# ruff: noqa: ARG001, ARG002, ASYNC240 - the ports' signatures; small files

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adology import Ad, Brand, Context, Page, Source
from adology.engine.model import AnalysisRecord, Batch, Claim, Claimed, Opened
from adology.errors import LeaseLostError
from adology.queues.verdict import Delivery
from adology.store.catalogue import BrandRow

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def now() -> datetime:
    return NOW


def make_batch(**over: Any) -> Batch:
    return Batch(**{"id": "b1", "brand": "nike", "state": "discovering", "created_at": NOW, "progress_at": NOW, **over})


def make_delivery(body: str, **over: Any) -> Delivery:
    return Delivery(**{"body": body, "message_id": "m1", "receipt": "r1", **over})


class Objects:
    """S3."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}
        self.reads: list[str] = []

    def uri(self, key: str) -> str:
        return f"s3://bucket/{key}"

    async def put_bytes(self, key: str, data: bytes, *, content_type: str) -> bool:
        if key in self.data:
            return False
        self.data[key] = data
        return True

    async def put_file(self, key: str, path: Path, *, content_type: str) -> bool:
        return await self.put_bytes(key, path.read_bytes(), content_type=content_type)

    async def get_bytes(self, key: str) -> bytes | None:
        self.reads.append(key)
        return self.data.get(key)

    async def list_keys(self, prefix: str) -> AsyncIterator[str]:
        for key in sorted(self.data):
            if key.startswith(prefix):
                yield key


class Catalogue:
    """One brand, cursors and pauses."""

    def __init__(self, **handles: str) -> None:
        self.row: BrandRow | None = BrandRow(
            id="nike", name="Nike", handles={name: (value,) for name, value in handles.items()}, file_roots=("/ads",)
        )
        self.cursors: dict[str, bytes] = {}
        self.pauses: dict[str, float] = {}
        self.asked = 0

    async def find_brand(self, brand: str) -> BrandRow | None:
        self.asked += 1
        return self.row

    async def queue_due(self, *, limit: int = 50) -> int:
        return 0

    async def find_cursor(self, brand: str, source: str) -> bytes | None:
        return self.cursors.get(source)

    async def pause_credential(self, credential: str, seconds: float, reason: str) -> None:
        self.pauses[credential] = asyncio.get_running_loop().time() + seconds

    async def paused_s(self, credential: str) -> float:
        return max(0.0, self.pauses.get(credential, 0.0) - asyncio.get_running_loop().time())


class Ledger:
    """One batch, as the gatherer sees it."""

    def __init__(self, batch: Batch | None = None, role: str = "owner") -> None:
        self.batch = batch or make_batch()
        self.role = role
        self.requests: list[str] = []
        self.leases: list[float] = []
        self.released = 0
        self.failed: tuple[str, Any] | None = None
        self.sealed: dict[str, Any] = {}
        self.queued = False
        self.lost = False

    async def open_batch(self, brand: str, request_key: str, *, lease_s: float) -> Opened:
        self.requests.append(request_key)
        return Opened(role=self.role, batch=self.batch, wait_s=7.0)  # type: ignore[arg-type]  # a test's own word

    async def renew_gather(self, batch_id: str, epoch: int, *, lease_s: float) -> None:
        if self.lost:
            raise LeaseLostError("taken over")
        self.leases.append(lease_s)

    async def release_gather(self, batch_id: str, epoch: int) -> None:
        self.released += 1

    async def note_progress(self, batch_id: str, epoch: int, counts: dict[str, Any]) -> None:
        self.counts = counts

    async def seal(self, batch_id: str, epoch: int, **sealed: Any) -> None:
        self.sealed = sealed

    async def mark_queued(self, batch_id: str, epoch: int) -> None:
        self.queued = True

    async def fail_gather(self, batch_id: str, epoch: int, reason: str, sources: dict[str, Any] | None = None) -> None:
        if self.lost:
            raise LeaseLostError("taken over")
        self.failed = (reason, sources)

    async def find_batch(self, batch_id: str) -> Batch | None:
        return self.batch if batch_id == self.batch.id else None


class Analyses:
    """The analysis cache."""

    def __init__(self) -> None:
        self.stored: dict[str, AnalysisRecord] = {}
        self.leases: dict[str, tuple[str, float]] = {}
        self.deferred: dict[str, tuple[AnalysisRecord, float]] = {}
        self.deferrals: dict[str, int] = {}
        self.claims = 0

    async def claim(self, claims: Sequence[Claim], *, owner: str, lease_s: float) -> dict[str, Claimed]:
        self.claims += 1
        return {claim.key: self._claim(claim.key, owner, lease_s) for claim in claims}

    def _claim(self, key: str, owner: str, lease_s: float) -> Claimed:
        time = asyncio.get_running_loop().time()
        record = self.stored.get(key)
        if record is not None:
            state = "failed" if record.error_code else "done"
            return Claimed(state=state, result=record.result, error_code=record.error_code, error=record.error)  # type: ignore[arg-type]  # one of the two
        held = self.leases.get(key)
        if held is not None and held[1] > time:
            return Claimed(state="busy", wait_s=held[1] - time)
        count = self.deferrals.get(key, 0)
        if key in self.deferred and self.deferred[key][1] > time:
            put_off, due = self.deferred[key]
            return Claimed(
                state="deferred",
                error_code=put_off.error_code,
                error=put_off.error,
                wait_s=due - time,
                deferrals=count,
            )
        self.leases[key] = (owner, time + lease_s)
        return Claimed(state="mine", deferrals=count)

    async def store(self, records: Sequence[AnalysisRecord]) -> None:
        for record in records:
            self.leases.pop(record.key, None)
            if record.retry_after_s is None:
                self.stored.setdefault(record.key, record)
                continue
            self.deferred[record.key] = (record, asyncio.get_running_loop().time() + record.retry_after_s)
            self.deferrals[record.key] = self.deferrals.get(record.key, 0) + 1

    async def store_one(self, record: AnalysisRecord) -> None:
        await self.store([record])

    async def release(self, keys: Sequence[str], *, owner: str) -> None:
        for key in keys:
            if self.leases.get(key, ("", 0.0))[0] == owner:
                del self.leases[key]

    async def renew(self, keys: Sequence[str], *, owner: str, lease_s: float) -> None:
        for key in keys:
            if self.leases.get(key, ("", 0.0))[0] == owner:
                self.leases[key] = (owner, asyncio.get_running_loop().time() + lease_s)

    async def load(self, keys: Sequence[str]) -> dict[str, dict[str, object]]:
        return {key: {"key": key} for key in keys if key in self.stored}


Pages = Callable[[Any, Brand, Any], AsyncIterator[Page[Any]]]


class Scripted(Source[None, Any]):
    """A source that does what the test says."""

    name = "scripted"
    version = 1

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.calls = 0
        self.closed = 0

    async def pages(self, ctx: Context[None], brand: Brand, since: Any) -> AsyncIterator[Page[Any]]:
        self.calls += 1
        try:
            async for page in self._pages(ctx, brand, since):
                yield page
        finally:
            self.closed += 1


class Instance:
    """A configured source; implements `SourceInstance`."""

    def __init__(
        self,
        pages: Pages,
        *,
        name: str = "library",
        cursor_type: Any = int,
        ordered: bool = False,
        shows_running: bool = False,
    ) -> None:
        self.name = name
        self.script = Scripted(pages)
        self.source: Source[Any, Any] = self.script
        self.cursor_type = cursor_type
        self.resumed: list[str | None] = []
        if ordered:
            self.script.ordered = True  # type: ignore[misc]  # of this object only
        if shows_running:
            self.script.shows_running = True  # type: ignore[misc]  # as above

    def context(self, *, resume: str | None = None) -> Context[Any]:
        self.resumed.append(resume)
        return Context(self.name, None, resume=resume)


def make_page(*ids: str, **over: Any) -> Page[Any]:
    return Page(ads=tuple(Ad(id=name, bodies=(f"Body of {name}",)) for name in ids), **over)


def pages_of(*pages: Page[Any] | Exception) -> Pages:
    """Yields the pages in order; an exception among them is raised."""

    async def walk(ctx: Any, brand: Brand, since: Any) -> AsyncIterator[Page[Any]]:
        for page in pages:
            if isinstance(page, Exception):
                raise page
            yield page

    return walk
