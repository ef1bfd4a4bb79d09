"""Looks at the stores for how far requests are; draws nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec import Struct, field

from adology.cli.failures import list_failures
from adology.cli.model import Outcome, SourceLine
from adology.engine.model import Batch
from adology.store import Database, Items, Ledger


class Request(Struct, frozen=True, kw_only=True):
    """What is followed: the request of a brand, or a batch that is known already."""

    brand: str
    request_id: str = ""
    batch_id: str = ""


class Progress(Struct, kw_only=True):
    """How far one request is. `batch` is None until a worker has taken it."""

    request: Request
    batch: Batch | None = None
    ok: int = 0
    failed: int = 0
    started: float = field(default_factory=time.monotonic)
    """On the monotonic clock: when following began."""
    ended: float | None = None

    @property
    def brand(self) -> str:
        """The brand's id."""
        return self.request.brand

    @property
    def done(self) -> int:
        """URLs with a result."""
        return self.ok + self.failed

    @property
    def is_committed(self) -> bool:
        """Whether the batch is visible."""
        return self.batch is not None and self.batch.state == "committed"

    @property
    def is_failed(self) -> bool:
        """Whether the batch ended without a commit."""
        return self.batch is not None and self.batch.state == "failed"

    @property
    def phase(self) -> str:
        """queued, gather, acquire, commit, insight, done or failed."""
        if self.batch is None:
            return "queued"
        if self.is_failed:
            return "failed"
        if self.is_committed:
            return "insight" if self.batch.insight_at is None else "done"
        if self.batch.state == "discovering":
            return "gather"
        return "commit" if self.batch.expected_count and self.done >= self.batch.expected_count else "acquire"

    @property
    def elapsed_s(self) -> float:
        """Seconds since following began, or until the end."""
        return (self.ended or time.monotonic()) - self.started


class Watcher:
    """Keeps the progress of some requests up to date by asking the stores."""

    def __init__(self, database: Database, requests: Iterable[Request], *, insight: bool = True) -> None:
        self._database = database
        self._ledger = Ledger(database)
        self._items = Items(database)
        self._insight = insight
        self.progress: Sequence[Progress] = [Progress(request=request) for request in requests]

    @property
    def is_done(self) -> bool:
        """Whether every request has ended."""
        return all(progress.ended is not None for progress in self.progress)

    async def look(self) -> None:
        """Bring every request that has not ended up to date.

        Raises:
            Retry: the database does not answer.
        """
        await asyncio.gather(*(self._look_at(p) for p in self.progress if p.ended is None))

    async def _look_at(self, progress: Progress) -> None:
        request = progress.request
        if progress.batch is not None or request.batch_id:
            batch = await self._ledger.find_batch(progress.batch.id if progress.batch else request.batch_id)
        else:
            batch = await self._ledger.find_request(request.brand, request.request_id)
        if batch is None:
            return
        if batch.state != "discovering":
            counts = await self._items.count(batch.id)
            progress.ok, progress.failed = counts.get("ok", 0), counts.get("failed", 0)
        progress.batch = batch
        over = progress.is_failed or (progress.is_committed and (batch.insight_at is not None or not self._insight))
        if over:
            progress.ended = time.monotonic()

    async def outcomes(self) -> list[Outcome]:
        """How each request ended, in their order."""
        return [await self._outcome(progress) for progress in self.progress]

    async def _outcome(self, progress: Progress) -> Outcome:
        batch = progress.batch
        if batch is None:
            return Outcome(brand=progress.brand, seconds=round(progress.elapsed_s, 2))
        counts = batch.counts
        seconds = seconds_of(batch)
        state = batch.state if progress.is_committed or progress.is_failed else "open"
        media = int(counts.get("media", 0))
        return Outcome(
            brand=progress.brand,
            batch=batch.id,
            state=state,
            ads=int(counts.get("ads", 0)),
            assets=int(counts.get("assets", 0)),
            duplicates=int(counts.get("duplicates", 0)),
            analyses_run=int(counts.get("analyses_run", 0)),
            analyses_reused=int(counts.get("analyses_reused", 0)),
            failures=await list_failures(self._database, batch),
            bytes=int(counts.get("bytes", 0)),
            seconds=round(seconds, 2),
            creatives_per_s=round(media / seconds, 2) if seconds > 0 else 0.0,
            sources=list_sources(batch),
            error=batch.error or "",
        )


def list_sources(batch: Batch) -> list[SourceLine]:
    """How each source of the batch ended, by name."""
    return [
        SourceLine(
            source=name,
            outcome=str(done.get("outcome", "")),
            pages=int(done.get("pages", 0)),
            ads=int(done.get("ads", 0)),
            code=str(done.get("code", "")),
            reason=str(done.get("reason", "")),
        )
        for name, done in sorted(batch.sources.items())
    ]


def seconds_of(batch: Batch) -> float:
    """From the batch's beginning to its commit, its failure, or until now."""
    end = batch.committed_at or (batch.progress_at if batch.state == "failed" else datetime.now(UTC))
    return max(0.0, (end - batch.created_at).total_seconds())
