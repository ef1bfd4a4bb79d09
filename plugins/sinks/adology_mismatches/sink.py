"""The sink that flags ads whose prices do not fit together; see `prices`."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated, ClassVar

from msgspec import Meta

from adology import CommitBatch, Context, Settings, Sink
from adology.abc.sink import Role

LOCK = "mismatches"


class MismatchesSettings(Settings, frozen=True, kw_only=True):
    """Which prices count."""

    confidence: Annotated[
        float, Meta(description="Prices read in pictures that are less sure than this are left out.", ge=0, le=1)
    ] = 0.3
    poll_s: Annotated[float, Meta(description="Seconds between looks at what was committed.", gt=0, le=60)] = 1.0


class MismatchesSink(Sink[MismatchesSettings]):
    """Compares prices of committed ads in a process of its own (`adology follow`)."""

    name: ClassVar[str] = "mismatches"
    version: ClassVar[int] = 1
    role: ClassVar[Role] = "follower"

    async def write(self, ctx: Context[MismatchesSettings], batch: CommitBatch) -> None:
        """Nothing: the commit stands in the feed of changes, where `follow` finds it."""

    async def follow(self, ctx: Context[MismatchesSettings], stop: asyncio.Event) -> None:
        """Flag ads until `stop`. Of several processes one works, the others stand by."""
        from adology.store import AdvisoryLocks, Database  # noqa: PLC0415 - the package itself stays cheap to import
        from adology.store.follower import Follower, hold_alone  # noqa: PLC0415 - as above
        from adology_mismatches.prices import PriceMismatches  # noqa: PLC0415 - as above

        async with contextlib.AsyncExitStack() as stack:
            database = await stack.enter_async_context(Database(ctx.engine.postgres))
            if held := await hold_alone(stack, AdvisoryLocks(database), LOCK, stop):
                derived = PriceMismatches(database, confidence=ctx.settings.confidence)
                await Follower(database, derived).run(stop, poll_s=ctx.settings.poll_s, held=held)
