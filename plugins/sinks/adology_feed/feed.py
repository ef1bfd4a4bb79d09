"""Rows of the feed and what is known of sources, as a `Follower` keeps them in step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg

from adology.store.changes import Changes, Position
from adology.store.database import Database
from adology.store.flags import Flags
from adology.store.follower import Owners
from adology.store.subjects import SubjectKind
from adology_feed.rows import DROP, DROP_ALL, LOOKS, PUT

_EARLIER = timedelta(hours=1)
"""A batch's `committed_at` is when its transaction began: it may become visible that much later."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Feed:
    """What a `Follower` keeps in step: tables `feed` and `feed_coverage`."""

    name = "feed"
    kinds: tuple[SubjectKind, ...] = ("asset", "ad")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changes = Changes(database)
        self._ads = Flags(database)
        self._anew = False
        self._looked = _BEGINNING
        self._horizon = -1

    async def load(self) -> Position | None:
        """See `Derived.load`."""
        found = await self._changes.place(self.name)
        self._looked = found.at - _EARLIER if found else _BEGINNING
        return found

    async def begin(self) -> None:
        """See `Derived.begin`: rows stand until they are made again."""
        await self._changes.move(self.name, None)
        self._anew, self._looked, self._horizon = True, _BEGINNING, -1

    async def refresh(self, kind: SubjectKind, subjects: Sequence[str], owners: Owners) -> None:  # noqa: ARG002 - the interface's
        """See `Derived.refresh`."""
        if self._anew and kind == "asset":
            return  # every ad comes by its copy
        async for ads in self._ads.ads_with(kind, subjects):
            await self._put(ads)

    async def publish(self) -> None:
        """See `Derived.publish`."""
        self._anew = False
        async with self._database.connection("feed.drop") as connection:
            await connection.execute(DROP_ALL)

    async def keep(self, position: Position) -> None:
        """See `Derived.keep`. What looks at sources said counts from when all their ads are in."""
        if position.horizon != self._horizon:
            values = {"since": self._looked, "horizon": position.horizon}
            async with self._database.connection("feed.looks") as connection:
                await connection.execute(LOOKS, values)
            self._horizon, self._looked = position.horizon, position.at - _EARLIER
        await self._changes.move(self.name, position)

    async def close(self) -> None:
        """See `Derived.close`."""

    async def _put(self, ads: Sequence[int]) -> None:
        try:
            await self._write(ads)
        except psycopg.errors.ForeignKeyViolation:
            # One was deleted between the reading and the writing; now it is not read any more.
            await self._write(ads)

    async def _write(self, ads: Sequence[int]) -> None:
        async with self._database.connection("feed.put", count=len(ads)) as connection, connection.transaction():
            await connection.execute(PUT, {"ads": list(ads)})
            await connection.execute(DROP, {"ads": list(ads)})
