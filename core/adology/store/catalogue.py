"""The catalogue: brands with their handles, cursors of sources, pauses of credentials."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from adology.store.database import Database
from adology.types import Brand, Struct


class BrandRow(Struct, frozen=True, kw_only=True):
    """A brand as the catalogue lists it."""

    id: str
    name: str
    handles: dict[str, tuple[str, ...]]
    file_roots: tuple[str, ...] = ()
    refresh_every_s: float | None = None
    next_refresh_at: datetime | None = None
    ads: int = 0
    last_committed_at: datetime | None = None

    def brand(self) -> Brand:
        """What sources get to see."""
        return Brand(id=self.id, name=self.name, handles=self.handles)


_SELECT = """select b.id, b.name, b.handles, b.file_roots, extract(epoch from b.refresh_every)::float,
    b.next_refresh_at, (select count(*) from brand_ads a where a.brand = b.id),
    (select max(committed_at) from batches t where t.brand = b.id and t.state = 'committed') from brands b"""


class Catalogue:
    """Brands and what belongs to their gathering."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put_brand(
        self,
        brand: Brand,
        *,
        file_roots: Sequence[str] = (),
        refresh_every: timedelta | None = None,
    ) -> bool:
        """Create the brand, or add to its handles and roots. True if it is new."""
        handles = {source: list(values) for source, values in brand.handles.items()}
        async with (
            self._database.connection("catalogue.put", brand=brand.id) as connection,
            connection.transaction(),
        ):
            found = await connection.execute(
                "select handles, file_roots from brands where id = %s for update", [brand.id]
            )
            row = await found.fetchone()
            if row is not None:
                for source, values in row[0].items():
                    handles[source] = list(dict.fromkeys([*values, *handles.get(source, [])]))
                file_roots = list(dict.fromkeys([*row[1], *file_roots]))
            await connection.execute(
                """insert into brands (id, name, handles, file_roots, refresh_every, next_refresh_at)
                   values (%(id)s, %(name)s, %(handles)s, %(roots)s, %(every)s, now() + %(every)s)
                   on conflict (id) do update set
                     name = coalesce(nullif(%(given)s, ''), brands.name), handles = excluded.handles,
                     file_roots = excluded.file_roots,
                     refresh_every = coalesce(excluded.refresh_every, brands.refresh_every),
                     next_refresh_at = coalesce(excluded.next_refresh_at, brands.next_refresh_at)""",
                {
                    "id": brand.id,
                    "name": brand.name or brand.id,
                    "given": brand.name,
                    "handles": Jsonb(handles),
                    "roots": list(file_roots),
                    "every": refresh_every,
                },
            )
            return row is None

    async def find_brand(self, brand: str) -> BrandRow | None:
        """The brand of that id."""
        async with self._database.connection("catalogue.find", brand=brand) as connection:
            found = await connection.execute(f"{_SELECT} where b.id = %s", [brand])
            row = await found.fetchone()
        return _row(row) if row else None

    async def list_brands(self, *, limit: int = 1000, after: str = "") -> list[BrandRow]:
        """Brands by id, those after `after`."""
        async with self._database.connection("catalogue.list") as connection:
            found = await connection.execute(f"{_SELECT} where b.id > %s order by b.id limit %s", [after, limit])
            return [_row(row) for row in await found.fetchall()]

    async def queue_due(self, *, limit: int = 50) -> int:
        """Put a gather message for each brand whose refresh is due into the outbox; how many.

        The next date moves on in the same transaction, and the request id names the due date: a
        steward that dies half way, or two stewards, still cause one gathering per date.
        """
        async with self._database.connection("catalogue.due") as connection:
            done = await connection.execute(
                """with due as (
                       select id, next_refresh_at from brands
                       where next_refresh_at <= now() and refresh_every is not null
                       order by next_refresh_at limit %s for update skip locked
                   ), moved as (
                       update brands b set next_refresh_at = now() + b.refresh_every from due where b.id = due.id
                       returning b.id, due.next_refresh_at as due_at
                   )
                   insert into outbox (queue, body)
                   select 'gather', json_build_object('brand', id,
                       'request_id', format('schedule:%%s:%%s', id, extract(epoch from due_at)))::text
                   from moved""",
                [limit],
            )
            return done.rowcount

    async def find_cursor(self, brand: str, source: str) -> bytes | None:
        """Where the next gathering of `source` may start, as of the last commit."""
        async with self._database.connection("catalogue.cursor", brand=brand) as connection:
            found = await connection.execute(
                "select cursor from source_cursors where brand = %s and source = %s", [brand, source]
            )
            row = await found.fetchone()
        return bytes(row[0]) if row else None

    async def pause_credential(self, credential: str, seconds: float, reason: str) -> None:
        """Tell every worker to leave this credential alone for a while."""
        async with self._database.connection("catalogue.pause") as connection:
            await connection.execute(
                """insert into credential_pauses values (%s, now() + %s, %s) on conflict (credential) do update
                   set paused_until = greatest(credential_pauses.paused_until, excluded.paused_until),
                       reason = excluded.reason""",
                [credential, timedelta(seconds=seconds), reason],
            )

    async def paused_s(self, credential: str) -> float:
        """Seconds that the credential's pause still lasts; 0 when there is none."""
        async with self._database.connection("catalogue.paused") as connection:
            found = await connection.execute(
                "select extract(epoch from paused_until - now()) from credential_pauses where credential = %s",
                [credential],
            )
            row = await found.fetchone()
        return max(0.0, float(row[0])) if row else 0.0


def _row(row: Sequence[Any]) -> BrandRow:
    return BrandRow(
        id=row[0],
        name=row[1],
        handles={source: tuple(values) for source, values in row[2].items()},
        file_roots=tuple(row[3]),
        refresh_every_s=row[4],
        next_refresh_at=row[5],
        ads=row[6],
        last_committed_at=row[7],
    )
