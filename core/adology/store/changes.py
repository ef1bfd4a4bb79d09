"""The feed of what commits have changed, read without gaps by any number of followers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from adology.store.database import Database
from adology.types import Struct

KEPT = timedelta(days=7)
SAFE = timedelta(days=6)
"""A position older than this may lie before rows that were cleared away."""


class Position(Struct, frozen=True, kw_only=True):
    """How far a follower has come: it has everything of the transactions below `horizon`.

    `at` is the server's time at which that was so.
    """

    horizon: int
    at: datetime


class Change(Struct, frozen=True, kw_only=True):
    """A batch was committed, or something else happened to one asset or copy.

    `owner` is the organisation of the ad that lost the asset or copy; None: a public one, or all.
    """

    id: int
    kind: Literal["batch", "asset", "ad"]
    subject: str
    owner: str | None = None


class Page(Struct, frozen=True, kw_only=True):
    """Changes in order, and the position after them; `whole`: there were no more."""

    changes: tuple[Change, ...]
    position: Position
    whole: bool


class PositionLostError(Exception):
    """The position is older than what is kept: start anew."""


class Changes:
    """Rows become visible in another order than their ids were given out.

    So everything from the oldest transaction that was running is read again each time, and what is
    known of it is left out. A commit is seen at once; one that is long under way holds nothing up.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self) -> Position:
        """The position of somebody who looks at the catalogue after this call."""
        async with self._database.connection("changes.now") as connection:
            found = await connection.execute(f"select {_HORIZON}, now()")
            ((horizon, at),) = await found.fetchall()
        return Position(horizon=horizon, at=at)

    async def after(self, position: Position, known: set[int], *, limit: int = 1000) -> Page:
        """At most `limit` changes that are not in `known`; they are added to it, and those that are past leave it.

        Raises:
            PositionLostError: rows after this position may have been cleared away.
        """
        async with self._database.connection("changes.after") as connection:
            found = await connection.execute(
                f"select {_HORIZON}, now(), array(select id from changes where xid < {_XMIN} and id = any(%(known)s)),"
                " c.id, c.xid::text::bigint, c.kind, c.subject, c.owner_org_id"
                " from (select 1) as one left join lateral (select * from changes where xid >= %(from)s::text::xid8"
                " and id <> all(%(known)s) order by xid, id limit %(limit)s) as c on true order by 5, 4",
                {"from": position.horizon, "known": sorted(known), "limit": limit},
            )
            rows = await found.fetchall()
        horizon, now, past = rows[0][:3]
        if now - position.at > SAFE:
            raise PositionLostError(f"the position is of {position.at:%Y-%m-%d %H:%M} UTC")
        rows = [row[3:] for row in rows if row[3] is not None]
        whole = len(rows) < limit
        if not whole:
            # The rest may be of transactions below the horizon as well.
            horizon = min(horizon, rows[-1][1])
        changes = tuple(
            Change(id=one, kind=kind, subject=subject, owner=owner) for one, _, kind, subject, owner in rows
        )
        known.update(change.id for change in changes)
        if whole:
            known.difference_update(past, [row[0] for row in rows if row[1] < horizon])
        return Page(changes=changes, position=Position(horizon=horizon, at=now if whole else position.at), whole=whole)

    async def place(self, follower: str) -> Position | None:
        """Where a follower that keeps its things in this database has come to."""
        async with self._database.connection("changes.place", follower=follower) as connection:
            found = await connection.execute("select horizon, at from followers where name = %s", [follower])
            row = await found.fetchone()
        return Position(horizon=row[0], at=row[1]) if row else None

    async def move(self, follower: str, position: Position | None) -> None:
        """Remember where it has come to; None: it starts anew."""
        async with self._database.connection("changes.move", follower=follower) as connection:
            if position is None:
                await connection.execute("delete from followers where name = %s", [follower])
                return
            await connection.execute(
                "insert into followers (name, horizon, at) values (%s, %s, %s)"
                " on conflict (name) do update set horizon = excluded.horizon, at = excluded.at",
                [follower, position.horizon, position.at],
            )

    async def clear(self) -> int:
        """Forget rows that every follower has or has lost its place before."""
        async with self._database.connection("changes.clear") as connection:
            done = await connection.execute(f"delete from changes where at < now() - %s and xid < {_XMIN}", [KEPT])
        return done.rowcount


_XMIN = "pg_snapshot_xmin(pg_current_snapshot())"
_HORIZON = f"{_XMIN}::text::bigint"
