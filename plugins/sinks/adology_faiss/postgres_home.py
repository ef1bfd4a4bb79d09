"""Indexes in PostgreSQL: they need no snapshots, only a note of how far they are."""

from __future__ import annotations

from adology.log import logger
from adology.store.changes import Changes, Position
from adology.store.database import Database
from adology_faiss.interface import VectorIndex
from adology_faiss.model import Filter
from adology_faiss.postgres import MOST_INDEXED, PgvectorIndex
from adology_faiss.tables import create_tables

NAME = "vectors"


class PostgresHome:
    """A `Home`. An HNSW index is made once a space has `hnsw_rows` public entries."""

    def __init__(self, database: Database, *, hnsw_rows: int = 50_000) -> None:
        self._database = database
        self._changes = Changes(database)
        self._hnsw_rows = hnsw_rows
        self._indexes: dict[str, PgvectorIndex] = {}
        self._indexed: set[str] = set()
        self._grown: set[str] = set()
        """Spaces that may have come to so many entries since they were counted."""

    async def load(self) -> Position | None:
        """See `Home.load`; makes the tables where they are not there yet."""
        async with self._database.connection("vectors.tables") as connection:
            await create_tables(connection)
            names = await (await connection.execute("select name from vector_spaces")).fetchall()
        for (space,) in names:
            self._indexes[space] = await PgvectorIndex.open(self._database, space)
        self._grown.update(self._indexes)
        return await self._changes.place(NAME)

    async def begin(self) -> None:
        """See `Home.begin`: searches find less until all is built."""
        await self._changes.move(NAME, None)
        async with self._database.connection("vectors.begin") as connection:
            await connection.execute("truncate vectors")

    async def publish(self) -> None:
        """See `Home.publish`."""

    async def open(self, space: str, dimensions: int) -> VectorIndex:
        """See `Home.open`."""
        if space not in self._indexes:
            self._indexes[space] = await PgvectorIndex.create(self._database, space, dimensions)
        self._grown.add(space)
        return self._indexes[space]

    def get(self, space: str) -> VectorIndex | None:
        """See `Home.get`."""
        return self._indexes.get(space)

    def find(self, space: str) -> VectorIndex | None:
        """See `Home.find`."""
        return self.get(space)

    def list_spaces(self) -> list[str]:
        """See `Home.list_spaces`."""
        return sorted(self._indexes)

    async def analyzers(self, space: str) -> set[str]:
        """See `Home.analyzers`."""
        async with self._database.connection("vectors.analyzers", space=space) as connection:
            found = await connection.execute(
                "select distinct split_part(v.id, ':', 1) from vectors v join vector_spaces s on s.id = v.space_id"
                " where s.name = %s",
                [space],
            )
            return {name for (name,) in await found.fetchall()}

    async def keep(self, position: Position) -> None:
        """See `Home.keep`."""
        await self._changes.move(NAME, position)
        while self._grown:
            index = self._indexes[self._grown.pop()]
            if index.space not in self._indexed and await index.count(Filter(owner=None)) >= self._hnsw_rows:
                self._indexed.add(index.space)
                await self._make_hnsw(index)

    async def _make_hnsw(self, index: PgvectorIndex) -> None:
        if index.dimensions > MOST_INDEXED:
            logger.bind(space=index.space, dimensions=index.dimensions, most=MOST_INDEXED).warning(
                "no HNSW index: pgvector takes no such dimensions; every vector that passes is looked at"
            )
            return
        await index.create_hnsw()

    async def close(self) -> None:
        """See `Home.close`: everything is kept already."""
