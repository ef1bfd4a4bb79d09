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

    async def after(self, position: Position, known: dict[int, int], *, limit: int = 1000) -> Page:
        """At most `limit` changes that are not in `known` (id → transaction); they join it, and what is past leaves.

        Raises:
            PositionLostError: rows after this position may have been cleared away, or it is another server's.
        """
        async with self._database.connection("changes.after") as connection:
            found = await connection.execute(
                f"select {_HORIZON}, now(), c.id, c.xid::text::bigint, c.kind, c.subject, c.owner_org_id"
                " from (select 1) as one left join lateral (select * from changes where xid >= %(from)s::text::xid8"
                " and id <> all(%(known)s) order by xid, id limit %(limit)s) as c on true order by 4, 3",
                {"from": position.horizon, "known": list(known), "limit": limit},
            )
            rows = await found.fetchall()
        horizon, now = rows[0][:2]
        _check_kept(position, horizon, now)
        rows = [row[2:] for row in rows if row[2] is not None]
        whole = len(rows) < limit
        if not whole:
            # The rest may be of transactions below the horizon as well.
            horizon = min(horizon, rows[-1][1])
        known.update((row[0], row[1]) for row in rows)
        for one in [one for one, xid in known.items() if xid < horizon]:
            del known[one]
        changes = tuple(
            Change(id=one, kind=kind, subject=subject, owner=owner) for one, _, kind, subject, owner in rows
        )
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


def _check_kept(position: Position, horizon: int, now: datetime) -> None:
    """Raise PositionLostError for a position after which not all is there."""
    if now - position.at > SAFE:
        raise PositionLostError(f"the position is of {position.at:%Y-%m-%d %H:%M} UTC")
    if horizon < position.horizon:
        # Transactions are counted upwards only: what is yet to come would be taken for known.
        raise PositionLostError(f"the server is at transaction {horizon}, the position at {position.horizon}")


_XMIN = "pg_snapshot_xmin(pg_current_snapshot())"
_HORIZON = f"{_XMIN}::text::bigint"
