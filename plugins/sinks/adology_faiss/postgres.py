"""An index in PostgreSQL with pgvector: for when one machine's memory is outgrown.

Filters are SQL. Without an HNSW index, and where a filter lets few through, every passing vector
is looked at; else the index is followed until enough pass (pgvector 0.8's iterative scans).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from psycopg import sql

from adology.store.database import Connection, Database
from adology_faiss.checks import check_k, check_query, check_space, in_order, last_of_each
from adology_faiss.errors import UnknownSpaceError, VectorIndexError
from adology_faiss.model import Entry, Facet, Filter, Match, Vector
from adology_faiss.tables import Floats, FloatsDumper

EXACT_ROWS = 10_000
"""Up to so many passing entries each one is looked at, whether there is an index or not."""
MOST_INDEXED = 2000
"""Dimensions of a `vector` that pgvector's HNSW takes."""
SEARCH_WIDTH = 64
MOST_WIDTH = 1000
LOOK_UP = "select id, dimensions from vector_spaces where name = %s"

UPSERT = """
insert into vectors (space_id, id, owner_org_id, sources, brands, labels, first_seen, last_seen, embedding)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s::vector)
on conflict (space_id, id) do update set owner_org_id = excluded.owner_org_id, sources = excluded.sources,
    brands = excluded.brands, labels = excluded.labels, first_seen = excluded.first_seen,
    last_seen = excluded.last_seen, embedding = excluded.embedding"""

SCAN = """
with passing as materialized (select id, embedding from vectors where {where})
select id, -(embedding <#> %(query)s::vector) from passing order by embedding <#> %(query)s::vector, id limit %(k)s"""
"""Materialized: no index of vectors comes into it, so nothing that passes is missed."""

FOLLOW = """
select id, -({typed} <#> %(query)s::vector({dimensions})) from vectors where {where}
order by {typed} <#> %(query)s::vector({dimensions}) limit %(k)s"""

FACETS = {
    "brand": "select name, count(*) from vectors, unnest(brands) as t(name) where {where} group by name",
    "label": "select name, count(*) from vectors, unnest(labels) as t(name) where {where} group by name",
    "source": "select name, count(*) from vectors, unnest(sources) as t(name) where {where} group by name",
}


class PgvectorIndex:
    """A `VectorIndex`; made by `create` or `open`."""

    def __init__(self, database: Database, space: str, dimensions: int, number: int) -> None:
        self.space = space
        self.dimensions = dimensions
        self._database = database
        self._number = number
        self._index = sql.Identifier(f"vectors_hnsw_{number}")

    @classmethod
    async def open(cls, database: Database, space: str) -> Self:
        """The index of a space that was created before.

        Raises:
            UnknownSpaceError: it was not.
        """
        async with database.connection("find vector space", space=space) as connection:
            found = await (await connection.execute(LOOK_UP, [space])).fetchone()
            if found is None:
                names = await (await connection.execute("select name from vector_spaces")).fetchall()
                raise UnknownSpaceError(space, (name for (name,) in names))
        return cls(database, space, found[1], found[0])

    @classmethod
    async def create(cls, database: Database, space: str, dimensions: int) -> Self:
        """The index of a space; may be called again.

        Raises:
            VectorIndexError: the space has other dimensions.
        """
        check_space(space, dimensions)
        async with database.connection("create vector space", space=space) as connection:
            await connection.execute(
                "insert into vector_spaces (name, dimensions) values (%s, %s) on conflict do nothing",
                [space, dimensions],
            )
        index = await cls.open(database, space)
        if index.dimensions != dimensions:
            raise VectorIndexError(f"space {space!r} has {index.dimensions} dimensions; asked for: {dimensions}")
        return index

    async def create_hnsw(self, *, links: int = 16, build_width: int = 64) -> None:
        """Build the HNSW index of this space, without keeping writers out; may be called again.

        Raises:
            VectorIndexError: the space has more dimensions than pgvector indexes.
        """
        if self.dimensions > MOST_INDEXED:
            raise VectorIndexError(
                f"space {self.space!r} has {self.dimensions} dimensions; pgvector's HNSW takes {MOST_INDEXED}"
            )
        statement = sql.SQL(
            "create index concurrently {index} on vectors using hnsw ({typed} vector_ip_ops)"
            " with (m = {links}, ef_construction = {width}) where space_id = {number}"
        ).format(
            index=self._index,
            typed=self._typed(),
            links=sql.Literal(links),
            width=sql.Literal(build_width),
            number=sql.Literal(self._number),
        )
        async with self._database.connection("create vector index", space=self.space) as connection:
            if await self._has_hnsw(connection):
                return
            # One whose building was broken off stays behind, and is of no use.
            await connection.execute(sql.SQL("drop index concurrently if exists {}").format(self._index))
            await connection.execute(statement)

    async def upsert(self, entries: Sequence[Entry]) -> None:
        """See `VectorIndex.upsert`."""
        entries = last_of_each(self.space, self.dimensions, entries)
        # In the order of their keys: two that write the same ones wait for each other, never in a ring.
        rows = [self._row(entry) for entry in sorted(entries, key=lambda entry: entry.id)]
        async with (
            self._database.connection("upsert vectors", space=self.space, count=len(rows)) as connection,
            connection.transaction(),
            connection.cursor() as cursor,
        ):
            cursor.adapters.register_dumper(Floats, FloatsDumper)
            await cursor.executemany(UPSERT, rows)

    def _row(self, entry: Entry) -> tuple[Any, ...]:
        return (
            self._number,
            entry.id,
            entry.owner,
            sorted(entry.sources),
            sorted(entry.brands),
            sorted(entry.labels),
            entry.first_seen,
            entry.last_seen,
            Floats(entry.vector),
        )

    async def remove(self, ids: Sequence[str]) -> int:
        """See `VectorIndex.remove`."""
        async with self._database.connection("remove vectors", space=self.space, count=len(ids)) as connection:
            # Locked in the order of their keys, as `upsert` does.
            done = await connection.execute(
                "delete from vectors where space_id = %(number)s and id in (select id from vectors"
                " where space_id = %(number)s and id = any(%(ids)s) order by id for update)",
                {"number": self._number, "ids": list(ids)},
            )
        return done.rowcount

    async def search(self, vector: Vector, k: int, which: Filter) -> list[Match]:
        """See `VectorIndex.search`."""
        query = check_query(self.space, self.dimensions, vector)
        check_k(k)
        where, values = self._where(which)
        values |= {"query": Floats(query), "k": k}
        async with (
            self._database.connection("search vectors", space=self.space) as connection,
            connection.transaction(),
        ):
            # One state for all statements: what passes is counted and found alike.
            await connection.execute("set transaction isolation level repeatable read, read only")
            found = await self._follow(connection, where, values) if await self._has_hnsw(connection) else None
            if found is None:
                found = await _fetch(connection, sql.SQL(SCAN).format(where=where), values)
        return in_order([Match(name, value) for name, value in found])

    async def _follow(
        self, connection: Connection, where: sql.Composable, values: dict[str, Any]
    ) -> list[tuple[Any, ...]] | None:
        """Along the HNSW index; None where looking at each one is cheap, or the index led nowhere."""
        counted = sql.SQL("select count(*) from (select 1 from vectors where {} limit {}) as counted").format(
            where, sql.Literal(EXACT_ROWS + 1)
        )
        ((passing,),) = await _fetch(connection, counted, values)
        if passing <= EXACT_ROWS:
            return None
        width = min(MOST_WIDTH, max(SEARCH_WIDTH, values["k"]))
        await connection.execute(
            f"set local hnsw.ef_search = {width}; set local hnsw.iterative_scan = strict_order;"
            " set local enable_sort = off"
        )
        follow = sql.SQL(FOLLOW).format(typed=self._typed(), dimensions=sql.Literal(self.dimensions), where=where)
        found = await _fetch(connection, follow, values)
        return found if len(found) >= min(values["k"], passing) else None

    async def count(self, which: Filter) -> int:
        """See `VectorIndex.count`."""
        where, values = self._where(which)
        async with self._database.connection("count vectors", space=self.space) as connection:
            ((count,),) = await _fetch(
                connection, sql.SQL("select count(*) from vectors where {}").format(where), values
            )
        return int(count)

    async def facets(self, by: Facet, which: Filter) -> dict[str, int]:
        """See `VectorIndex.facets`."""
        where, values = self._where(which)
        async with self._database.connection("count vectors", space=self.space, by=by) as connection:
            found = await _fetch(connection, sql.SQL(FACETS[by]).format(where=where), values)
        return dict(found)

    def _where(self, which: Filter) -> tuple[sql.Composable, dict[str, Any]]:
        """The filter. The space's number is part of the text: an index on one space is found by it."""
        owner = "owner_org_id is null" if which.owner is None else "(owner_org_id is null or owner_org_id = %(owner)s)"
        conditions = [
            (True, owner),
            (which.brands, "brands && %(brands)s"),
            (which.sources, "sources && %(sources)s"),
            (which.labels_any, "labels && %(labels_any)s"),
            (which.labels_all, "labels @> %(labels_all)s"),
            (which.seen_from, "last_seen >= %(seen_from)s"),
            (which.seen_to, "first_seen <= %(seen_to)s"),
        ]
        values = {name: getattr(which, name) for name in ("owner", "seen_from", "seen_to")}
        values |= {name: sorted(getattr(which, name)) for name in ("brands", "sources", "labels_any", "labels_all")}
        where = " and ".join(text for asked, text in conditions if asked)
        return sql.SQL("space_id = {} and " + where).format(sql.Literal(self._number)), values

    def _typed(self) -> sql.Composed:
        return sql.SQL("(embedding::vector({}))").format(sql.Literal(self.dimensions))

    async def _has_hnsw(self, connection: Connection) -> bool:
        found = await connection.execute(
            "select indisvalid from pg_index where indexrelid = to_regclass(%s)", [f"vectors_hnsw_{self._number}"]
        )
        row = await found.fetchone()
        return row is not None and bool(row[0])


async def _fetch(connection: Connection, query: sql.Composed, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    async with connection.cursor() as cursor:
        cursor.adapters.register_dumper(Floats, FloatsDumper)
        await cursor.execute(query, values)
        return await cursor.fetchall()
