"""The sink that keeps near-duplicates; see `pairs`."""

from __future__ import annotations

import asyncio
import contextlib
from typing import ClassVar

from adology import CommitBatch, Context, Sink
from adology.abc.sink import Role
from adology_duplicates.settings import DuplicatesSettings

LOCK = "duplicates"


class DuplicatesSink(Sink[DuplicatesSettings]):
    """Compares committed creatives in a process of its own (`adology follow`)."""

    name: ClassVar[str] = "duplicates"
    version: ClassVar[int] = 1
    role: ClassVar[Role] = "follower"

    async def write(self, ctx: Context[DuplicatesSettings], batch: CommitBatch) -> None:
        """Nothing: the commit stands in the feed of changes, where `follow` finds it."""

    async def follow(self, ctx: Context[DuplicatesSettings], stop: asyncio.Event) -> None:
        """Compare what comes until `stop`. Of several processes one works, the others stand by."""
        from adology.store import AdvisoryLocks, Database  # noqa: PLC0415 - the package itself stays cheap to import
        from adology.store.follower import Follower, hold_alone  # noqa: PLC0415 - as above
        from adology_duplicates.pairs import Duplicates  # noqa: PLC0415 - as above

        settings = ctx.settings
        async with contextlib.AsyncExitStack() as stack:
            database = await stack.enter_async_context(Database(ctx.engine.postgres))
            if held := await hold_alone(stack, AdvisoryLocks(database), LOCK, stop):
                derived = Duplicates(database, candidates=settings.candidates, confidence=settings.confidence)
                await Follower(database, derived).run(stop, poll_s=settings.poll_s, held=held)
