"""The sink that keeps the rows that lists of ads are read from; see `feed`."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated, ClassVar

from msgspec import Meta

from adology import CommitBatch, Context, Settings, Sink
from adology.abc.sink import Role

LOCK = "feed"


class FeedSettings(Settings, frozen=True, kw_only=True):
    """How closely the feed follows."""

    poll_s: Annotated[float, Meta(description="Seconds between looks at what was committed.", gt=0, le=60)] = 1.0


class FeedSink(Sink[FeedSettings]):
    """Writes the feed in a process of its own (`adology follow`)."""

    name: ClassVar[str] = "feed"
    version: ClassVar[int] = 1
    role: ClassVar[Role] = "follower"

    async def write(self, ctx: Context[FeedSettings], batch: CommitBatch) -> None:
        """Nothing: the commit stands in the feed of changes, where `follow` finds it."""

    async def follow(self, ctx: Context[FeedSettings], stop: asyncio.Event) -> None:
        """Keep the feed until `stop`. Of several processes one works, the others stand by."""
        from adology.store import AdvisoryLocks, Database  # noqa: PLC0415 - the package itself stays cheap to import
        from adology.store.follower import Follower, hold_alone  # noqa: PLC0415 - as above
        from adology_feed.feed import Feed  # noqa: PLC0415 - as above

        async with contextlib.AsyncExitStack() as stack:
            database = await stack.enter_async_context(Database(ctx.engine.postgres))
            if held := await hold_alone(stack, AdvisoryLocks(database), LOCK, stop):
                await Follower(database, Feed(database)).run(stop, poll_s=ctx.settings.poll_s, held=held)
