"""The ledger: the durable truth that a batch exists and what state it is in."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from adology.engine.model import Batch, Opened
from adology.errors import EngineError, LeaseLostError, UnknownBrandError
from adology.store.database import Connection, Database

_COLUMNS = """id, brand, state, origin, epoch, manifest_key, expected_count, counts, sources, error,
    created_at, progress_at, queued_at, committed_at, insight_at, repairs, insight_asks"""


class Ledger:
    """Batches, and the requests that opened them. Every method is one short transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_batch(self, brand: str, request_key: str, *, lease_s: float) -> Opened:
        """Open a batch for `brand`, join the open one, or take over one whose gatherer is gone.

        Raises:
            UnknownBrandError: the catalogue has no such brand.
        """
        async with self._database.connection("ledger.open", brand=brand) as connection, connection.transaction():
            # The brand row serialises openers of one brand.
            found = await connection.execute("select 1 from brands where id = %s for update", [brand])
            if await found.fetchone() is None:
                raise UnknownBrandError(f"brand {brand!r} is not in the catalogue")
            earlier = await _one(
                connection,
                f"select {_COLUMNS}, {_LEASE} from batches where id ="
                " (select batch_id from gather_requests where request_key = %s and brand = %s)",
                [request_key, brand],
            )
            current = await _one(
                connection,
                f"select {_COLUMNS}, {_LEASE} from batches where brand = %s and state in ('discovering', 'acquiring')",
                [brand],
            )
            return await self._decide(connection, brand, request_key, lease_s, earlier or current)

    async def _decide(
        self,
        connection: Connection,
        brand: str,
        request_key: str,
        lease_s: float,
        row: tuple[Batch, float] | None,
    ) -> Opened:
        if row is None:
            batch = await self._insert(connection, brand, lease_s)
            await _remember(connection, request_key, batch.id)
            return Opened(role="owner", batch=batch)
        batch, lease_left = row
        mine = await _remember(connection, request_key, batch.id)
        if not batch.is_open or (batch.state == "acquiring" and batch.queued_at is not None):
            return Opened(role="covered", batch=batch)
        if lease_left > 0:
            return Opened(role="busy" if mine else "covered", batch=batch, wait_s=lease_left)
        taken = await _one(
            connection,
            f"update batches set epoch = epoch + 1, lease_until = now() + %s where id = %s returning {_COLUMNS}, 0",
            [timedelta(seconds=lease_s), batch.id],
        )
        assert taken is not None  # noqa: S101 - the row is locked by this transaction
        return Opened(role="owner", batch=taken[0])

    async def _insert(self, connection: Connection, brand: str, lease_s: float) -> Batch:
        row = await _one(
            connection,
            f"insert into batches (id, brand, state, lease_until) values (%s, %s, 'discovering', now() + %s)"
            f" returning {_COLUMNS}, 0",
            [str(uuid.uuid4()), brand, timedelta(seconds=lease_s)],
        )
        assert row is not None  # noqa: S101 - an insert with returning gives a row
        return row[0]

    async def adopt_batch(self, brand: str, batch_id: str, expected_count: int) -> Batch:
        """The ledger row of a batch that somebody else's program started at the registry.

        Raises:
            EngineError: the brand has another open batch, or the id is that of another brand's batch.
        """
        async with self._database.connection("ledger.adopt", brand=brand) as connection, connection.transaction():
            await connection.execute(
                "insert into brands (id, name) values (%s, %s) on conflict do nothing", [brand, brand]
            )
            await connection.execute(
                "insert into batches (id, brand, state, origin, expected_count, queued_at)"
                " values (%s, %s, 'acquiring', 'foreign', %s, now()) on conflict do nothing",
                [batch_id, brand, expected_count],
            )
        batch = await self.find_batch(batch_id)
        if batch is None:
            raise EngineError(
                f"brand {brand!r} has another open batch than {batch_id}, which the registry runs; "
                "it will be adopted when that one ends",
                code="ADO-5403",
            )
        if batch.brand != brand:
            raise EngineError(
                f"brand {brand!r} runs batch {batch_id} at the registry, the id of a batch of brand {batch.brand!r};"
                " batch ids must be unique over all brands and times",
                code="ADO-5403",
            )
        return batch

    async def renew_gather(self, batch_id: str, epoch: int, *, lease_s: float) -> None:
        """Prolong the gathering lease. Raises LeaseLostError when another gatherer took over."""
        await self._fenced("ledger.renew", "lease_until = now() + %s", [timedelta(seconds=lease_s)], batch_id, epoch)

    async def release_gather(self, batch_id: str, epoch: int) -> None:
        """Give the gathering lease back at once, so that the next owner need not wait."""
        await self._fenced("ledger.release", "lease_until = now()", [], batch_id, epoch)

    async def note_progress(self, batch_id: str, epoch: int, counts: dict[str, Any]) -> None:
        """Record how far discovery is. Raises LeaseLostError when another gatherer took over."""
        await self._fenced(
            "ledger.progress", "counts = counts || %s, progress_at = now()", [Jsonb(counts)], batch_id, epoch
        )

    async def seal(
        self, batch_id: str, epoch: int, *, manifest_key: str, expected_count: int, sources: dict[str, Any]
    ) -> None:
        """Discovery is complete and the manifest durable: the batch is now being acquired."""
        await self._fenced(
            "ledger.seal",
            "state = 'acquiring', manifest_key = %s, expected_count = %s, sources = %s, progress_at = now()",
            [manifest_key, expected_count, Jsonb(sources)],
            batch_id,
            epoch,
        )

    async def mark_queued(self, batch_id: str, epoch: int) -> None:
        """Every message of the batch was sent; the gathering lease ends."""
        await self._fenced(
            "ledger.queued", "queued_at = now(), lease_until = null, progress_at = now()", [], batch_id, epoch
        )

    async def _fenced(self, operation: str, change: str, values: Sequence[Any], batch_id: str, epoch: int) -> None:
        async with self._database.connection(operation, batch=batch_id) as connection:
            done = await connection.execute(
                f"update batches set {change} where id = %s and epoch = %s and state in ('discovering', 'acquiring')",
                [*values, batch_id, epoch],
            )
            if done.rowcount == 0:
                raise LeaseLostError(f"batch {batch_id}: the gathering with epoch {epoch} was taken over or has ended")

    async def fail_gather(self, batch_id: str, epoch: int, reason: str, sources: dict[str, Any] | None = None) -> None:
        """End a batch that cannot be gathered. Raises LeaseLostError when another gatherer took over."""
        await self._fenced(
            "ledger.fail_gather",
            "state = 'failed', error = %s, sources = coalesce(%s, sources), lease_until = null, progress_at = now()",
            [reason, Jsonb(sources) if sources is not None else None],
            batch_id,
            epoch,
        )

    async def fail_batch(self, batch_id: str, reason: str) -> None:
        """End an open batch without a commit: nothing of it becomes visible."""
        async with self._database.connection("ledger.fail", batch=batch_id) as connection:
            await connection.execute(
                "update batches set state = 'failed', error = %s, lease_until = null, progress_at = now()"
                " where id = %s and state in ('discovering', 'acquiring')",
                [reason, batch_id],
            )

    async def find_batch(self, batch_id: str) -> Batch | None:
        """The batch of that id."""
        async with self._database.connection("ledger.find", batch=batch_id) as connection:
            row = await _one(connection, f"select {_COLUMNS}, 0 from batches where id = %s", [batch_id])
        return row[0] if row else None

    async def find_request(self, brand: str, request_key: str) -> Batch | None:
        """The batch that answers a request to gather; None until a worker has taken the request."""
        async with self._database.connection("ledger.find_request") as connection:
            row = await _one(
                connection,
                f"select {_COLUMNS}, 0 from batches where id ="
                " (select batch_id from gather_requests where request_key = %s and brand = %s)",
                [request_key, brand],
            )
        return row[0] if row else None

    async def find_open(self, brand: str) -> Batch | None:
        """The open batch of `brand`."""
        async with self._database.connection("ledger.find_open", brand=brand) as connection:
            row = await _one(
                connection,
                f"select {_COLUMNS}, 0 from batches where brand = %s and state in ('discovering', 'acquiring')",
                [brand],
            )
        return row[0] if row else None

    async def find_committed(self, brand: str, *, before: Batch | None = None) -> Batch | None:
        """The newest committed batch of `brand`, or the newest one committed before another."""
        async with self._database.connection("ledger.find_committed", brand=brand) as connection:
            row = await _one(
                connection,
                f"select {_COLUMNS}, 0 from batches where brand = %s and state = 'committed'"
                " and (%s::timestamptz is null or committed_at < %s) order by committed_at desc limit 1",
                [brand, before.committed_at if before else None, before.committed_at if before else None],
            )
        return row[0] if row else None

    async def list_batches(self, *, brand: str | None = None, open_only: bool = False, limit: int = 50) -> list[Batch]:
        """Newest first."""
        async with self._database.connection("ledger.list") as connection:
            return await _many(
                connection,
                f"select {_COLUMNS}, 0 from batches where (%s::text is null or brand = %s)"
                " and (not %s or state in ('discovering', 'acquiring')) order by created_at desc limit %s",
                [brand, brand, open_only, limit],
            )

    async def list_without_insight(self, *, older_s: float, limit: int = 100) -> list[Batch]:
        """Committed batches whose insights are due and were not derived yet, oldest first."""
        async with self._database.connection("ledger.without_insight") as connection:
            return await _many(
                connection,
                f"select {_COLUMNS}, 0 from batches where state = 'committed' and insight_at is null"
                " and greatest(committed_at, coalesce(repaired_at, committed_at)) < now() - %s"
                " order by committed_at limit %s",
                [timedelta(seconds=older_s), limit],
            )

    async def list_stalled(self, *, idle_s: float, limit: int = 100) -> list[Batch]:
        """Open batches without progress, whose gathering lease (if any) has run out, oldest first."""
        async with self._database.connection("ledger.stalled") as connection:
            return await _many(
                connection,
                f"""select {_COLUMNS}, 0 from batches b where state in ('discovering', 'acquiring')
                    and coalesce(lease_until, now()) <= now()
                    and greatest(progress_at, coalesce(repaired_at, progress_at),
                        (select max(updated_at) from batch_items i where i.batch_id = b.id)) < now() - %s
                    order by created_at limit %s""",
                [timedelta(seconds=idle_s), limit],
            )

    async def note_repair(self, batch_id: str) -> None:
        """Count a repair, and give it time to show before the next one."""
        async with self._database.connection("ledger.repair", batch=batch_id) as connection:
            await connection.execute(
                "update batches set repairs = repairs + 1, repaired_at = now() where id = %s", [batch_id]
            )

    async def note_insight_ask(self, batch_id: str) -> None:
        """Count that the insights were asked for once more, and give that time to show."""
        async with self._database.connection("ledger.insight_ask", batch=batch_id) as connection:
            await connection.execute(
                "update batches set insight_asks = insight_asks + 1, repaired_at = now() where id = %s", [batch_id]
            )

    async def mark_insight(self, batch_id: str) -> None:
        """The insights of a committed batch are stored."""
        async with self._database.connection("ledger.insight", batch=batch_id) as connection:
            await connection.execute("update batches set insight_at = now() where id = %s", [batch_id])


_LEASE = "greatest(0, extract(epoch from coalesce(lease_until, now()) - now()))"


async def commit_batch(connection: Connection, batch_id: str, counts: dict[str, Any]) -> None:
    """Flip the ledger row to committed and queue the insight message, in the caller's transaction.

    For the sink whose role is "commit": what it wrote and this flip become durable together.
    """
    done = await connection.execute(
        "update batches set state = 'committed', committed_at = now(), progress_at = now(), lease_until = null,"
        " counts = counts || %s where id = %s and state in ('discovering', 'acquiring')",
        [Jsonb(counts), batch_id],
    )
    if done.rowcount != 1:
        raise LeaseLostError(f"batch {batch_id} is not open any more")


async def lock_batch(connection: Connection, batch_id: str) -> str:
    """Lock the ledger row until the transaction ends, and tell the batch's state.

    Of two committers the second waits here and then sees "committed".
    """
    found = await connection.execute("select state from batches where id = %s for update", [batch_id])
    row = await found.fetchone()
    if row is None:
        raise EngineError(f"batch {batch_id} is not in the ledger")
    return str(row[0])


async def _remember(connection: Connection, request_key: str, batch_id: str) -> bool:
    """Bind the request to the batch; True if it was bound before (the same request came again)."""
    done = await connection.execute(
        "insert into gather_requests (request_key, brand, batch_id) select %s, brand, id from batches where id = %s"
        " on conflict do nothing",
        [request_key, batch_id],
    )
    return done.rowcount == 0


async def _many(connection: Connection, query: str, values: Sequence[Any]) -> list[Batch]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, values)
        return [_batch(row) for row in await cursor.fetchall()]


async def _one(connection: Connection, query: str, values: Sequence[Any]) -> tuple[Batch, float] | None:
    """The batch and, as last column, the seconds left of its lease."""
    found = await connection.execute(query, values)
    row = await found.fetchone()
    if row is None or found.description is None:
        return None
    named = {column.name: value for column, value in zip(found.description, row, strict=True)}
    return _batch(named), float(row[-1])


def _batch(row: dict[str, Any]) -> Batch:
    return Batch(**{key: row[key] for key in Batch.__struct_fields__})
