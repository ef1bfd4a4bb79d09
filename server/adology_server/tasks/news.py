"""What committed batches have brought, told to those whose brandspaces hold the brand: once per batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from adology.log import logger
from adology.store import Database
from adology.store.changes import Change, Changes, Position, PositionLostError

NAME = "server-events"
"""As `followers` names the place up to which the feed of changes was read."""

TELL = """
insert into events (org_id, kind, brand, batch, body)
select a.owner_org_id, 'brand.new_ads', r.brand, r.first_batch,
    json_build_object('brand', r.brand, 'batch', r.first_batch, 'ads', count(*), 'private', a.owner_org_id is not null)
from brand_ads r join ads a on a.id = r.ad_id
where r.first_batch = any(%(batches)s) and r.brand in (select brand from batches where id = any(%(batches)s))
group by a.owner_org_id, r.brand, r.first_batch
order by 4, 1
on conflict (batch, coalesce(org_id, '')) where batch is not null do nothing"""


class News:
    """Reads the feed of changes for committed batches.

    Several may read: the unique index lets each batch be told once to everybody, and once to
    each owner of private ads.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changes = Changes(database)
        self._position: Position | None = None
        self._known: dict[int, int] = {}

    async def look(self) -> int:
        """Tell what was committed since the last look; how many events that made.

        Raises:
            UnavailableError: the database does not answer; the next look takes it up.
        """
        if self._position is None:
            self._position = await self._changes.place(NAME)
        if self._position is None:
            # Nobody waits for news of what was there before the first start.
            self._position = await self._changes.now()
            await self._changes.move(NAME, self._position)
        told = 0
        try:
            async for page in self._changes.sweep(self._position, self._known):
                told += await self._tell(page.changes)
                self._known |= {change.id: change.xid for change in page.changes}
                await self._keep(page.position, moved=bool(page.changes))
        except PositionLostError as error:
            logger.bind(why=str(error)).warning("news of a while are lost: the feed of changes is not kept so long")
            await self._changes.move(NAME, None)
            self._position, self._known = None, {}
        return told

    async def _tell(self, changes: Sequence[Change]) -> int:
        batches = [change.subject for change in changes if change.kind == "batch"]
        if not batches:
            return 0
        async with self._database.connection("events.news") as connection:
            return (await connection.execute(TELL, {"batches": batches})).rowcount

    async def _keep(self, position: Position, *, moved: bool) -> None:
        self._known = {change: xid for change, xid in self._known.items() if xid >= position.horizon}
        before, self._position = self._position, position
        if moved or before is None or position.at - before.at > timedelta(minutes=1):
            await self._changes.move(NAME, position)
