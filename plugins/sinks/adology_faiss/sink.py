"""The sink that keeps the vector indexes; see `indexes`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, ClassVar

from adology import CommitBatch, Context, Sink
from adology.abc.sink import Role
from adology.settings.model import AdologySettings
from adology_faiss.settings import VectorSettings

if TYPE_CHECKING:
    from adology.store import Database
    from adology_faiss.home import Home

LOCK = "vectors"


class VectorsSink(Sink[VectorSettings]):
    """Follows committed embeddings in a process of its own (`adology follow`)."""

    name: ClassVar[str] = "faiss"
    version: ClassVar[int] = 1
    role: ClassVar[Role] = "follower"

    async def write(self, ctx: Context[VectorSettings], batch: CommitBatch) -> None:
        """Nothing: the commit stands in the feed of changes, where `follow` finds it."""

    async def follow(self, ctx: Context[VectorSettings], stop: asyncio.Event) -> None:
        """Keep the indexes until `stop`. Of several processes one works, the others stand by."""
        from adology.store import AdvisoryLocks, Database  # noqa: PLC0415 - the package itself stays cheap to import
        from adology.store.follower import Follower, hold_alone  # noqa: PLC0415 - as above
        from adology_faiss.indexes import VectorIndexes  # noqa: PLC0415 - as above

        settings, engine = ctx.settings, ctx.engine
        async with contextlib.AsyncExitStack() as stack:
            database = await stack.enter_async_context(Database(engine.postgres))
            held = await hold_alone(stack, AdvisoryLocks(database), LOCK, stop)
            if held is None:
                return
            home = (
                _postgres_home(database, settings)
                if settings.store == "postgres"
                else await stack.enter_async_context(_memory_home(engine, settings))
            )
            await Follower(database, VectorIndexes(database, home)).run(stop, poll_s=settings.poll_s, held=held)


def _postgres_home(database: Database, settings: VectorSettings) -> Home:
    from adology_faiss.postgres_home import PostgresHome  # noqa: PLC0415 - as above

    return PostgresHome(database, hnsw_rows=settings.hnsw_rows)


@contextlib.asynccontextmanager
async def _memory_home(engine: AdologySettings, settings: VectorSettings) -> AsyncIterator[Home]:
    from adology.aws import open_client  # noqa: PLC0415 - as above
    from adology.storage import S3Store  # noqa: PLC0415 - as above
    from adology_faiss.memory_home import MemoryHome  # noqa: PLC0415 - loads FAISS
    from adology_faiss.shelf import Shelf  # noqa: PLC0415 - as above

    async with open_client(engine.aws, "s3") as client:
        yield MemoryHome(
            Shelf(S3Store(client, engine.s3)),
            snapshot_every_s=settings.snapshot_every_s,
            snapshots_kept=settings.snapshots_kept,
        )
