"""In-memory stores with the semantics of the SQL ones: what Postgres, S3 and the outbox promise."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from adology.abc.sink import CommitBatch, ItemResult
from adology.engine.model import AnalysisRecord, Batch, Claim, Claimed, Opened, SavedItem
from adology.engine.ports import SendPort
from adology.errors import LeaseLostError, UnknownBrandError
from adology.queues.messages import InsightMessage, encode
from adology.store.catalogue import BrandRow
from adology.store.subjects import Due
from tests.simulation.network import Network

START = datetime(2026, 1, 1, tzinfo=UTC)


def now() -> float:
    return asyncio.get_running_loop().time()


def stamp(at: float) -> datetime:
    return START + timedelta(seconds=at)


@dataclass
class Row:
    batch: Batch
    lease_until: float = 0.0
    repaired_at: float = 0.0


@dataclass
class Tables:
    """What is durable."""

    brands: dict[str, BrandRow] = field(default_factory=dict)
    batches: dict[str, Row] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    items: dict[tuple[str, str], SavedItem] = field(default_factory=dict)
    item_times: dict[str, float] = field(default_factory=dict)
    analyses: dict[str, Any] = field(default_factory=dict)
    pauses: dict[str, float] = field(default_factory=dict)
    cursors: dict[tuple[str, str], bytes] = field(default_factory=dict)
    outbox: dict[int, tuple[str, str, str, float]] = field(default_factory=dict)
    outbox_held: set[int] = field(default_factory=set)
    objects: dict[str, bytes] = field(default_factory=dict)
    visible: dict[str, dict[str, ItemResult]] = field(default_factory=dict)
    flips: list[str] = field(default_factory=list)
    insights: dict[tuple[str, str], Any] = field(default_factory=dict)
    locks: set[str] = field(default_factory=set)


class SimLedger:
    def __init__(self, tables: Tables, network: Network) -> None:
        self.t = tables
        self.net = network

    def _change(self, batch_id: str, **changes: Any) -> Batch:
        row = self.t.batches[batch_id]
        row.batch = msgspec.structs.replace(row.batch, **changes)
        return row.batch

    def _open(self, brand: str) -> Row | None:
        return next((r for r in self.t.batches.values() if r.batch.brand == brand and r.batch.is_open), None)

    async def open_batch(self, brand: str, request_key: str, *, lease_s: float) -> Opened:
        async with self.net.call("postgres"):
            if brand not in self.t.brands:
                raise UnknownBrandError(brand)
            earlier = self.t.requests.get(request_key)
            row = self.t.batches[earlier] if earlier else self._open(brand)
            if row is None:
                batch_id = f"batch-{len(self.t.batches) + 1}"
                batch = Batch(
                    id=batch_id, brand=brand, state="discovering", created_at=stamp(now()), progress_at=stamp(now())
                )
                self.t.batches[batch_id] = Row(batch, lease_until=now() + lease_s)
                self.t.requests[request_key] = batch_id
                return Opened(role="owner", batch=batch)
            mine = request_key in self.t.requests
            self.t.requests.setdefault(request_key, row.batch.id)
            batch, left = row.batch, row.lease_until - now()
            if not batch.is_open or (batch.state == "acquiring" and batch.queued_at is not None):
                return Opened(role="covered", batch=batch)
            if left > 0:
                return Opened(role="busy" if mine else "covered", batch=batch, wait_s=left)
            row.lease_until = now() + lease_s
            return Opened(role="owner", batch=self._change(batch.id, epoch=batch.epoch + 1))

    async def adopt_batch(self, brand: str, batch_id: str, expected_count: int) -> Batch:
        raise NotImplementedError("no foreign batches here")

    def _fence(self, batch_id: str, epoch: int) -> Row:
        row = self.t.batches[batch_id]
        if row.batch.epoch != epoch or not row.batch.is_open:
            raise LeaseLostError(f"{batch_id} epoch {epoch}")
        return row

    async def renew_gather(self, batch_id: str, epoch: int, *, lease_s: float) -> None:
        async with self.net.call("postgres"):
            self._fence(batch_id, epoch).lease_until = now() + lease_s

    async def release_gather(self, batch_id: str, epoch: int) -> None:
        async with self.net.call("postgres"):
            self._fence(batch_id, epoch).lease_until = now()

    async def note_progress(self, batch_id: str, epoch: int, counts: dict[str, Any]) -> None:
        async with self.net.call("postgres"):
            row = self._fence(batch_id, epoch)
            self._change(batch_id, counts={**row.batch.counts, **counts}, progress_at=stamp(now()))

    async def seal(
        self, batch_id: str, epoch: int, *, manifest_key: str, expected_count: int, sources: dict[str, Any]
    ) -> None:
        async with self.net.call("postgres"):
            self._fence(batch_id, epoch)
            self._change(
                batch_id,
                state="acquiring",
                manifest_key=manifest_key,
                expected_count=expected_count,
                sources=sources,
                progress_at=stamp(now()),
            )

    async def mark_queued(self, batch_id: str, epoch: int) -> None:
        async with self.net.call("postgres"):
            self._fence(batch_id, epoch).lease_until = 0.0
            self._change(batch_id, queued_at=stamp(now()), progress_at=stamp(now()))

    async def fail_gather(self, batch_id: str, epoch: int, reason: str, sources: dict[str, Any] | None = None) -> None:
        async with self.net.call("postgres"):
            row = self._fence(batch_id, epoch)
            row.lease_until = 0.0
            self._change(batch_id, state="failed", error=reason, sources=sources or row.batch.sources)

    async def fail_batch(self, batch_id: str, reason: str) -> None:
        async with self.net.call("postgres"):
            row = self.t.batches[batch_id]
            if row.batch.is_open:
                row.lease_until = 0.0
                self._change(batch_id, state="failed", error=reason)

    async def find_batch(self, batch_id: str) -> Batch | None:
        async with self.net.call("postgres"):
            row = self.t.batches.get(batch_id)
            return row.batch if row else None

    async def find_open(self, brand: str) -> Batch | None:
        async with self.net.call("postgres"):
            row = self._open(brand)
            return row.batch if row else None

    async def find_committed(self, brand: str, *, before: Batch | None = None) -> Batch | None:
        async with self.net.call("postgres"):
            limit = before.committed_at if before else None
            done = [
                r.batch
                for r in self.t.batches.values()
                if r.batch.brand == brand and r.batch.committed_at and (limit is None or r.batch.committed_at < limit)
            ]
            return max(done, key=lambda b: b.committed_at or START, default=None)

    async def list_stalled(self, *, idle_s: float, limit: int = 100) -> list[Batch]:
        async with self.net.call("postgres"):
            found = []
            for row in self.t.batches.values():
                last = max(
                    (row.batch.progress_at - START).total_seconds(),
                    row.repaired_at,
                    self.t.item_times.get(row.batch.id, 0.0),
                )
                if row.batch.is_open and row.lease_until <= now() and last < now() - idle_s:
                    found.append(row.batch)
            return found[:limit]

    async def list_without_insight(self, *, older_s: float, limit: int = 100) -> list[Batch]:
        async with self.net.call("postgres"):
            return [
                r.batch
                for r in self.t.batches.values()
                if r.batch.state == "committed"
                and r.batch.insight_at is None
                and max((r.batch.committed_at or START) - START, timedelta(seconds=r.repaired_at)).total_seconds()
                < now() - older_s
            ][:limit]

    async def note_repair(self, batch_id: str) -> None:
        async with self.net.call("postgres"):
            row = self.t.batches[batch_id]
            row.repaired_at = now()
            self._change(batch_id, repairs=row.batch.repairs + 1)

    async def note_insight_ask(self, batch_id: str) -> None:
        async with self.net.call("postgres"):
            row = self.t.batches[batch_id]
            row.repaired_at = now()
            self._change(batch_id, insight_asks=row.batch.insight_asks + 1)

    async def mark_insight(self, batch_id: str) -> None:
        async with self.net.call("postgres"):
            self._change(batch_id, insight_at=stamp(now()))


class SimItems:
    def __init__(self, tables: Tables, network: Network) -> None:
        self.t = tables
        self.net = network

    async def save(self, results: Sequence[tuple[str, ItemResult]]) -> None:
        async with self.net.call("postgres"):
            for batch_id, result in results:
                known = self.t.items.get((batch_id, result.url))
                if known is None or known.result is None:
                    self.t.items[batch_id, result.url] = SavedItem(url=result.url, result=result)
                    self.t.item_times[batch_id] = now()

    async def find(self, batch_id: str, url: str) -> ItemResult | None:
        async with self.net.call("postgres"):
            known = self.t.items.get((batch_id, url))
            return known.result if known else None

    async def pages(self, batch_id: str) -> AsyncIterator[list[SavedItem]]:
        async with self.net.call("postgres"):
            rows = [item for (batch, _), item in sorted(self.t.items.items()) if batch == batch_id]
        for start in range(0, len(rows), 3):
            yield rows[start : start + 3]

    async def count(self, batch_id: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        async with self.net.call("postgres"):
            for (batch, _), item in self.t.items.items():
                if batch == batch_id:
                    status = item.result.status if item.result else "missing"
                    counts[status] = counts.get(status, 0) + 1
        return counts

    async def note_attempts(self, batch_id: str, urls: Sequence[str]) -> None:
        async with self.net.call("postgres"):
            for url in urls:
                known = self.t.items.get((batch_id, url)) or SavedItem(url=url)
                if known.result is None:
                    self.t.items[batch_id, url] = SavedItem(url=url, attempts=known.attempts + 1)
                    self.t.item_times[batch_id] = now()


class SimAnalyses:
    def __init__(self, tables: Tables, network: Network) -> None:
        self.t = tables
        self.net = network

    async def claim(self, claims: Sequence[Claim], *, owner: str, lease_s: float) -> dict[str, Claimed]:
        answer: dict[str, Claimed] = {}
        async with self.net.call("postgres"):
            for claim in claims:
                row = self.t.analyses.get(claim.key)
                if isinstance(row, AnalysisRecord) and row.retry_after_s is None:
                    answer[claim.key] = Claimed(
                        state="failed" if row.error_code else "done", result=row.result, error_code=row.error_code
                    )
                elif isinstance(row, tuple) and row[1] > now():
                    answer[claim.key] = Claimed(state="busy", wait_s=row[1] - now())
                else:
                    self.t.analyses[claim.key] = (owner, now() + lease_s)
                    answer[claim.key] = Claimed(state="mine")
        return answer

    async def store(self, records: Sequence[AnalysisRecord]) -> None:
        async with self.net.call("postgres"):
            for record in records:
                known = self.t.analyses.get(record.key)
                if not isinstance(known, AnalysisRecord) or known.retry_after_s is not None:
                    self.t.analyses[record.key] = record

    async def release(self, keys: Sequence[str], *, owner: str) -> None:
        async with self.net.call("postgres"):
            for key in keys:
                row = self.t.analyses.get(key)
                if isinstance(row, tuple) and row[0] == owner:
                    del self.t.analyses[key]

    async def renew(self, keys: Sequence[str], *, owner: str, lease_s: float) -> None:
        async with self.net.call("postgres"):
            for key in keys:
                row = self.t.analyses.get(key)
                if isinstance(row, tuple) and row[0] == owner:
                    self.t.analyses[key] = (owner, now() + lease_s)

    async def load(self, keys: Sequence[str]) -> dict[str, dict[str, object]]:
        async with self.net.call("postgres"):
            return {key: {"result": self.t.analyses[key]} for key in keys}


class SimCatalogue:
    def __init__(self, tables: Tables, network: Network) -> None:
        self.t = tables
        self.net = network

    async def find_brand(self, brand: str) -> BrandRow | None:
        async with self.net.call("postgres"):
            return self.t.brands.get(brand)

    async def queue_due(self, *, limit: int = 50) -> int:
        return 0 * limit

    async def find_cursor(self, brand: str, source: str) -> bytes | None:
        async with self.net.call("postgres"):
            return self.t.cursors.get((brand, source))

    async def pause_credential(self, credential: str, seconds: float, reason: str) -> None:
        del reason
        async with self.net.call("postgres"):
            self.t.pauses[credential] = max(self.t.pauses.get(credential, 0.0), now() + seconds)

    async def paused_s(self, credential: str) -> float:
        async with self.net.call("postgres"):
            return max(0.0, self.t.pauses.get(credential, 0.0) - now())


class SimObjects:
    def __init__(self, tables: Tables, network: Network) -> None:
        self.t = tables
        self.net = network

    def uri(self, key: str) -> str:
        return f"s3://sim/{key}"

    async def put_bytes(self, key: str, data: bytes, *, content_type: str) -> bool:
        del content_type
        async with self.net.call("s3"):
            if key in self.t.objects:
                return False
            self.t.objects[key] = data
            return True

    async def put_file(self, key: str, path: Path, *, content_type: str) -> bool:
        return await self.put_bytes(key, str(path).encode(), content_type=content_type)

    async def get_bytes(self, key: str) -> bytes | None:
        async with self.net.call("s3"):
            return self.t.objects.get(key)

    async def list_keys(self, prefix: str) -> AsyncIterator[str]:
        async with self.net.call("s3"):
            keys = sorted(key for key in self.t.objects if key.startswith(prefix))
        for key in keys:
            yield key


class SimOutbox:
    def __init__(self, tables: Tables, network: Network) -> None:
        self.t = tables
        self.net = network

    async def flush(
        self, send: SendPort, *, batch_id: str | None = None, older_s: float = 0.0, limit: int = 200
    ) -> int:
        mine: list[int] = []
        try:
            return await self._flush(send, mine, batch_id, older_s, limit)
        finally:
            self.t.outbox_held.difference_update(mine)

    async def _flush(self, send: SendPort, mine: list[int], batch_id: str | None, older_s: float, limit: int) -> int:
        async with self.net.call("postgres"):
            mine += [
                key
                for key, (_, _, batch, at) in sorted(self.t.outbox.items())
                if key not in self.t.outbox_held and batch_id in (None, batch) and at <= now() - older_s
            ][:limit]
            self.t.outbox_held.update(mine)
        for key in mine:
            role, body, _, _ = self.t.outbox[key]
            await send(role, [body])
        async with self.net.call("postgres"):
            for key in mine:
                del self.t.outbox[key]
        return len(mine)


class SimSinks:
    """The commit sink's promise: one transaction that writes the rows and flips the ledger."""

    def __init__(self, tables: Tables, network: Network) -> None:
        self.t = tables
        self.net = network
        self.documents: set[str] = set()

    async def write_documents(self, batch: CommitBatch) -> None:
        async with self.net.call("mongo"):
            self.documents.add(batch.id)

    async def write_commit(self, batch: CommitBatch) -> None:
        rows = {result.url: result async for result in batch.results()}
        async with self.net.call("postgres"):
            row = self.t.batches[batch.id]
            if not self.may_flip(row.batch):
                return
            row.batch = msgspec.structs.replace(row.batch, state="committed", committed_at=stamp(now()))
            self.t.visible[batch.id] = rows
            self.t.flips.append(batch.id)
            for source, cursor in batch.cursors.items():
                self.t.cursors[batch.brand, source] = cursor
            body = encode(InsightMessage(brand=batch.brand, batch=batch.id))
            self.t.outbox[len(self.t.flips) * 1000 + len(self.t.outbox)] = ("insight", body, batch.id, now())

    def may_flip(self, batch: Batch) -> bool:
        return batch.is_open

    async def tell_followers(self, batch: CommitBatch) -> None:
        del batch


class SimInsights:
    def __init__(self, tables: Tables, network: Network) -> None:
        self.t = tables
        self.net = network

    async def save(self, brand: str, batch_id: str, analyzer: str, version: int, result: Any) -> None:
        async with self.net.call("postgres"):
            self.t.insights[batch_id, analyzer] = (brand, version, result)


class SimVendorless:
    """Nothing is put off or paid here: the simulated analyzer never needs a vendor."""

    async def take_due(self, *, limit: int) -> Sequence[Due]:  # noqa: ARG002 - the interface's
        return ()

    async def clear(self) -> int:
        return 0

    async def close_lost(self, *, older_s: float) -> int:  # noqa: ARG002 - the interface's
        return 0


class SimLocks:
    def __init__(self, tables: Tables) -> None:
        self.t = tables

    @contextlib.asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[bool]:
        if name in self.t.locks:
            yield False
            return
        self.t.locks.add(name)
        try:
            yield True
        finally:
            # Postgres frees a session's lock when its process dies, too.
            self.t.locks.discard(name)
