"""The feed of what commits have changed, read without gaps by any number of followers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

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
    `xid` is the transaction that noted it.
    """

    id: int
    xid: int
    kind: Literal["batch", "asset", "ad"]
    subject: str
    owner: str | None = None


class Page(Struct, frozen=True, kw_only=True):
    """Changes in order, and the position of somebody who has them as well."""

    changes: tuple[Change, ...]
    position: Position


class PositionLostError(Exception):
    """The position is older than what is kept: start anew."""


class Changes:
    """Rows become visible in another order than their ids were given out.

    So everything from the oldest transaction that was running is read again in each sweep, and what
    is known of it is left out. A commit is seen at once; one that is long under way holds nothing up.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self) -> Position:
        """The position of somebody who looks at the catalogue after this call."""
        async with self._database.connection("changes.now") as connection:
            found = await connection.execute(f"select {_HORIZON}, now()")
            ((horizon, at),) = await found.fetchall()
        return Position(horizon=horizon, at=at)

    async def sweep(self, position: Position, known: Mapping[int, int], *, limit: int = 1000) -> AsyncIterator[Page]:
        """What is there after the position but for `known` (id → transaction), in pages; one at least.

        What becomes visible behind the page that is being read is found in the next sweep.

        Raises:
            PositionLostError: rows after this position may have been cleared away, or it is another server's.
        """
        begun, known, last = position, dict(known), (0, 0)
        end: Position | None = None
        while True:
            now, rows = await self._read(begun.horizon, last, known, limit)
            _check_kept(begun, now)
            end = end or now
            changes = tuple(Change(**dict(zip(Change.__struct_fields__, row, strict=True))) for row in rows)
            if len(rows) < limit:
                yield Page(changes=changes, position=end)
                return
            last = (changes[-1].xid, changes[-1].id)
            yield Page(changes=changes, position=Position(horizon=min(end.horizon, last[0]), at=begun.at))

    async def _read(
        self, horizon: int, last: tuple[int, int], known: Mapping[int, int], limit: int
    ) -> tuple[Position, list[Sequence[Any]]]:
        """The server's position, and rows behind the one that was read last."""
        xid, id_ = max(last, (horizon, 0))
        async with self._database.connection("changes.read") as connection:
            found = await connection.execute(
                f"select {_HORIZON}, now(), c.id, c.xid::text::bigint, c.kind, c.subject, c.owner_org_id"
                " from (select 1) as one left join lateral (select * from changes"
                " where (xid, id) > (%(xid)s::text::xid8, %(id)s) and id <> all(%(known)s::bigint[])"
                " order by xid, id limit %(limit)s) as c on true order by 4, 3",
                {
                    "xid": xid,
                    "id": id_,
                    "known": [one for one, of in known.items() if (of, one) > (xid, id_)],
                    "limit": limit,
                },
            )
            rows = await found.fetchall()
        return Position(horizon=rows[0][0], at=rows[0][1]), [row[2:] for row in rows if row[2] is not None]

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


def _check_kept(position: Position, now: Position) -> None:
    """Raise PositionLostError for a position after which not all is there."""
    if now.at - position.at > SAFE:
        raise PositionLostError(f"the position is of {position.at:%Y-%m-%d %H:%M} UTC")
    if now.horizon < position.horizon:
        # Transactions are counted upwards only: the changes to come would be taken for old ones.
        raise PositionLostError(
            f"the server is at transaction {now.horizon}, the position at {position.horizon}: it is another server's"
        )


_XMIN = "pg_snapshot_xmin(pg_current_snapshot())"
_HORIZON = f"{_XMIN}::text::bigint"
