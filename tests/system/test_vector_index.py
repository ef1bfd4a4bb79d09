"""The index in PostgreSQL keeps the promises of every index."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from adology.settings import AdologySettings
from adology.store import Database
from adology_faiss import Filter, UnknownSpaceError, VectorIndexError, VectorRefusedError, postgres
from adology_faiss.postgres import PgvectorIndex
from adology_faiss.tables import create_tables
from tests.unit.faiss.brute import DIMENSIONS, SPACE, Brute, make_entry, random_entry, unit, vector_of
from tests.unit.faiss.conformance import IndexConformance

pytestmark = pytest.mark.anyio
PUBLIC = Filter(owner=None)
QUERY = vector_of("query")


@pytest.fixture
async def database(store_settings: AdologySettings) -> AsyncIterator[Database]:
    async with Database(store_settings.postgres) as database:
        async with database.connection("create tables") as connection:
            await create_tables(connection)
        yield database


class TestScanning(IndexConformance):
    @pytest.fixture
    async def index(self, database: Database) -> PgvectorIndex:
        return await PgvectorIndex.create(database, SPACE, DIMENSIONS)


class TestAlongHnsw(IndexConformance):
    """So few entries that its HNSW finds each of them, asked as if they were many."""

    @pytest.fixture
    async def index(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> PgvectorIndex:
        monkeypatch.setattr(postgres, "EXACT_ROWS", 0)
        monkeypatch.setattr(postgres, "SEARCH_WIDTH", postgres.MOST_WIDTH)
        index = await PgvectorIndex.create(database, SPACE, DIMENSIONS)
        await index.create_hnsw()
        return index


async def plans(database: Database) -> str:
    """How the tables' indexes were used so far, by name."""
    async with database.connection("read statistics") as connection:
        await connection.execute("select pg_stat_force_next_flush()")
        found = await connection.execute("select indexrelname, idx_scan from pg_stat_user_indexes where idx_scan > 0")
        return " ".join(name for name, _ in await found.fetchall())


async def test_the_hnsw_index_is_followed_where_much_passes_and_only_there(database: Database) -> None:
    index = await PgvectorIndex.create(database, SPACE, DIMENSIONS)
    random = np.random.default_rng(5)
    entries = [random_entry(random, f"e{number}") for number in range(600)]
    await index.upsert(entries)
    await index.create_hnsw()
    await index.create_hnsw()
    brute = Brute(entries)
    brute.check(await index.search(QUERY, 5, PUBLIC), QUERY, 5, PUBLIC)
    assert "vectors_hnsw" not in await plans(database), "few pass: each was looked at"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(postgres, "EXACT_ROWS", 100)
        hits = 0
        for _ in range(20):
            query = unit(random.standard_normal(DIMENSIONS))
            found = await index.search(query, 10, PUBLIC)
            brute.check(found, query, 10, PUBLIC, exact=False)
            hits += len({m.id for m in found} & {m.id for m in brute.search(query, 10, PUBLIC)})
        assert hits >= 198
        assert "vectors_hnsw" in await plans(database)


async def test_spaces_do_not_see_each_other(database: Database) -> None:
    one = await PgvectorIndex.create(database, SPACE, DIMENSIONS)
    other = await PgvectorIndex.create(database, "made-up/2/8/f32", 8)
    await one.upsert([make_entry("a"), make_entry("b")])
    await other.upsert([make_entry("a", vector_of(1, 8))])
    assert (await one.count(PUBLIC), await other.count(PUBLIC)) == (2, 1)
    assert await one.remove(["a"]) == 1
    assert [match.id for match in await other.search(vector_of(1, 8), 5, PUBLIC)] == ["a"]
    with pytest.raises(VectorRefusedError, match=r"the space 'made-up/2/8/f32': it must have 8 dimensions"):
        await other.search(QUERY, 1, PUBLIC)


async def test_an_index_is_opened_by_the_name_of_its_space(database: Database) -> None:
    with pytest.raises(UnknownSpaceError, match=f"no index of the embedding space '{SPACE}'. Known: none"):
        await PgvectorIndex.open(database, SPACE)
    await (await PgvectorIndex.create(database, SPACE, DIMENSIONS)).upsert([make_entry("a")])
    again = await PgvectorIndex.open(database, SPACE)
    assert (again.dimensions, await again.count(PUBLIC)) == (DIMENSIONS, 1)
    with pytest.raises(UnknownSpaceError, match=f"'x'. Known: '{SPACE}'"):
        await PgvectorIndex.open(database, "x")
    with pytest.raises(VectorIndexError, match=f"'{SPACE}' has 16 dimensions; asked for: 8"):
        await PgvectorIndex.create(database, SPACE, 8)


async def test_a_space_too_wide_for_an_hnsw_index_is_searched_without_one(database: Database) -> None:
    index = await PgvectorIndex.create(database, "wide", 2048)
    with pytest.raises(VectorIndexError, match=r"'wide' has 2048 dimensions; pgvector's HNSW takes 2000"):
        await index.create_hnsw()
    await index.upsert([make_entry("a", vector_of(3, 2048))])
    assert dict(await index.search(vector_of(3, 2048), 1, PUBLIC)) == {"a": pytest.approx(1.0)}
