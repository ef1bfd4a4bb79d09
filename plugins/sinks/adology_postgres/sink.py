"""Commits batches: whole or not at all, and once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import ClassVar

import msgspec
import psycopg

from adology import CommitBatch, Context, Sink
from adology.abc.sink import Role
from adology.engine.model import OPEN_STATES
from adology.errors import EngineError, LeaseLostError, UnavailableError
from adology.log import logger
from adology.store import Database
from adology.store.database import Connection
from adology.store.ledger import lock_batch
from adology_postgres.merge import merge_batch
from adology_postgres.stage import stage_batch

CONNECTIONS = 4
"""A worker commits few batches at a time, and each commit holds one connection."""
REFUSED = (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError, psycopg.NotSupportedError)


class PostgresSink(Sink[None]):
    """Writes ads, assets, observations, analyses, cursors and the ledger row in one transaction.

    The ledger row is locked before anything shared is written: of two committers of one batch the
    second finds it committed and leaves. The message for the insight queue is written with it.
    """

    name: ClassVar[str] = "postgres"
    version: ClassVar[int] = 1
    role: ClassVar[Role] = "commit"

    def __init__(self) -> None:
        self._exits = contextlib.AsyncExitStack()
        self._database: Database | None = None

    async def open(self, ctx: Context[None]) -> None:
        """Open a small pool; it connects in the background."""
        settings = ctx.engine.postgres
        small = msgspec.structs.replace(settings, pool_size=min(CONNECTIONS, settings.pool_size))
        self._database = await self._exits.enter_async_context(Database(small))

    async def close(self) -> None:
        """Close the pool."""
        self._database = None
        await self._exits.aclose()

    async def write(self, ctx: Context[None], batch: CommitBatch) -> None:
        """Make the batch visible. Returns at once when it is already.

        Raises:
            UnavailableError: the server went away, or something held a lock too long; nothing is visible.
            LeaseLostError: the batch has ended without a commit.
            EngineError: the ledger does not know the batch, or the database refuses its rows.
        """
        if self._database is None:
            raise RuntimeError("the postgres sink is not open")
        async with self._database.connection("commit", batch=batch.id) as connection, _explained(batch.id):
            if await _find_state(connection, batch.id) == "committed":
                return
            async with connection.transaction():
                refused = await _commit(connection, batch)
        if refused:
            ctx.log.bind(batch=batch.id, ads=refused).warning("private ads were not made public")


async def _commit(connection: Connection, batch: CommitBatch) -> int:
    await connection.execute("set local lock_timeout = '60s'")
    # A process that is frozen while it holds the batch must not hold it for ever.
    await connection.execute("set local idle_in_transaction_session_timeout = '120s'")
    # Some 15,000 ads fit; the server takes what a batch needs, and frees it with the idle connection.
    await connection.execute("set local temp_buffers = '32MB'")
    # The planner has to know how large the temporary tables are, and little more.
    await connection.execute("set local default_statistics_target = 1")
    await stage_batch(connection, batch)
    # The brand before the batch: whoever opens a batch locks in this order as well.
    await connection.execute("select 1 from brands where id = %s for key share", [batch.brand])
    state = await lock_batch(connection, batch.id)
    if state == "committed":
        logger.bind(batch=batch.id).info("committed by another worker meanwhile")
        return 0
    if state not in OPEN_STATES:
        raise LeaseLostError(f"batch {batch.id} has ended as {state!r} and cannot be committed")
    return await merge_batch(connection, batch)


async def _find_state(connection: Connection, batch_id: str) -> str | None:
    found = await connection.execute("select state from batches where id = %s", [batch_id])
    row = await found.fetchone()
    return row[0] if row else None


@contextlib.asynccontextmanager
async def _explained(batch_id: str) -> AsyncIterator[None]:
    """What the database refuses for good as an error of ours; passing faults go through."""
    try:
        yield
    except psycopg.errors.UndefinedTable:
        raise
    except psycopg.errors.IdleInTransactionSessionTimeout as error:
        raise UnavailableError(f"commit of batch {batch_id}: the database ended a session that stood still") from error
    except REFUSED as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise EngineError(
            f"the database refuses batch {batch_id}: {type(error).__name__}: {reason}",
            hint="Nothing of the batch is visible; its manifest and results are kept.",
            code="ADO-4302",
        ) from error
