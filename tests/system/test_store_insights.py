"""Insights, a brand's committed state, and locks by name."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from adology import BrandItem
from adology.errors import UnavailableError
from adology.settings import AdologySettings
from adology.store import AdvisoryLocks, BrandState, Database, Insights, Ledger
from adology_postgres import PostgresSink
from tests.system.batches import ListBatch, make_ad, make_result, open_batch, opened, query, sha, shown

pytestmark = pytest.mark.anyio


async def commit(settings: AdologySettings, *names: str, request: str = "r1") -> str:
    ads = [
        shown(make_ad(name, f"http://cdn/{name}.jpg", status="active", format="image", started_on=date(2026, 1, 2)))
        for name in names
    ]
    results = [make_result(f"http://cdn/{name}.jpg") for name in names]
    batch_id = await open_batch(settings, request=request)
    async with opened(PostgresSink(), settings) as (sink, context):
        await sink.write(context, ListBatch(batch_id, ads=ads, results=results))
    return batch_id


async def test_an_insight_is_stored_once_and_replaced(store_settings: AdologySettings) -> None:
    batch_id = await commit(store_settings, "a1")
    async with Database(store_settings.postgres) as database:
        insights = Insights(database)
        await insights.save("nike", batch_id, "pulse", 1, {"new": 1})
        await insights.save("nike", batch_id, "pulse", 2, {"new": 2})
        (found,) = await insights.list("nike", 10)
    assert (found.batch, found.analyzer, found.version, found.result) == (batch_id, "pulse", 2, {"new": 2})


async def test_insights_come_newest_batch_first(store_settings: AdologySettings) -> None:
    batches = [await commit(store_settings, "a1", request=request) for request in ("r1", "r2", "r3")]
    async with Database(store_settings.postgres) as database:
        insights = Insights(database)
        for batch_id in (batches[1], batches[2], batches[0]):
            await insights.save("nike", batch_id, "pulse", 1, batch_id)
        assert [found.batch for found in await insights.list("nike", 2)] == [batches[2], batches[1]]
        assert await insights.list("puma", 2) == []


async def test_a_brands_state_tells_its_ads_and_batches(store_settings: AdologySettings) -> None:
    first = await commit(store_settings, "a1", "a2")
    second = await commit(store_settings, "a2", "a3", request="r2")
    query(
        store_settings,
        """update batches set sources = '{"facebook": {"outcome": "partial", "ads": 2}}' where id = %s returning 1""",
        second,
    )
    async with Database(store_settings.postgres) as database:
        ledger = Ledger(database)
        batch = await ledger.find_batch(second)
        assert batch is not None
        state: BrandItem = BrandState(database, batch, await ledger.find_committed("nike", before=batch))
        ads = [ad async for ad in state.ads()]
    assert (state.brand, state.batch, state.previous_batch) == ("nike", second, first)
    assert state.committed_at == batch.committed_at
    assert state.previous_committed_at is not None
    assert state.previous_committed_at < state.committed_at
    assert state.sources == {"facebook": "partial"}
    assert [(ad.first_batch, ad.last_batch) for ad in ads] == [(first, first), (first, second), (second, second)]
    assert [ad.assets for ad in ads] == [(sha(f"http://cdn/a{n}.jpg"),) for n in (1, 2, 3)]
    assert {(ad.source, ad.format, ad.status, ad.started_on) for ad in ads} == {
        ("facebook", "image", "active", date(2026, 1, 2))
    }


@pytest.mark.parametrize("page", [1, 2, 3, 7, 100])
async def test_pages_of_any_size_give_each_ad_once(store_settings: AdologySettings, page: int) -> None:
    batch_id = await commit(store_settings, *(f"a{n}" for n in range(7)))
    async with Database(store_settings.postgres) as database:
        batch = await Ledger(database).find_batch(batch_id)
        assert batch is not None
        ids = [ad.id async for ad in BrandState(database, batch, page=page).ads()]
    assert len(ids) == len(set(ids)) == 7


async def test_ads_of_other_brands_are_not_read(store_settings: AdologySettings) -> None:
    await commit(store_settings, "a1")
    other = await open_batch(store_settings, "puma")
    async with opened(PostgresSink(), store_settings) as (sink, context):
        await sink.write(context, ListBatch(other, "puma", ads=[shown(make_ad("p1")), shown(make_ad("a1"))]))
    async with Database(store_settings.postgres) as database:
        batch = await Ledger(database).find_batch(other)
        assert batch is not None
        ads = [ad async for ad in BrandState(database, batch).ads()]
    assert len(ads) == 2
    assert {ad.first_batch for ad in ads} == {other}


async def test_a_lock_has_one_holder(store_settings: AdologySettings) -> None:
    async with Database(store_settings.postgres) as database:
        locks = AdvisoryLocks(database)
        async with locks.hold("steward") as mine:
            async with locks.hold("steward") as second, locks.hold("another") as other:
                assert (mine, second, other) == (True, False, True)
            # One that was refused must not free the other's.
            async with locks.hold("steward") as third:
                assert third is False
        async with locks.hold("steward") as again:
            assert again is True


async def test_a_lock_is_free_when_its_holder_fails(store_settings: AdologySettings) -> None:
    async with Database(store_settings.postgres) as database:
        locks = AdvisoryLocks(database)
        with pytest.raises(RuntimeError, match="in the middle"):
            async with locks.hold("steward"):
                raise RuntimeError("in the middle")
        await _until_free(locks)


async def test_a_lock_is_free_when_its_holders_session_ends(store_settings: AdologySettings) -> None:
    async with Database(store_settings.postgres) as database:
        locks = AdvisoryLocks(database)
        async with locks.hold("steward") as mine:
            assert mine is True
            query(
                store_settings,
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'adology lock steward'"
                " and datname = current_database()",
            )
            await _until_free(locks)


async def test_a_holder_learns_that_its_lock_is_gone(store_settings: AdologySettings) -> None:
    async with Database(store_settings.postgres) as database, AdvisoryLocks(database).take("steward") as held:
        assert held is not None
        await held.check()
        query(
            store_settings,
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'adology lock steward'"
            " and datname = current_database()",
        )
        with pytest.raises(UnavailableError, match="postgres: lock steward is lost: "):
            await held.check()


async def test_a_lock_on_a_server_that_is_not_there_means_try_again(store_settings: AdologySettings) -> None:
    async with Database(store_settings.postgres) as database:
        database.url = "postgresql://adology:hidden-word@127.0.0.1:9/none"
        with pytest.raises(UnavailableError, match="lock steward") as caught:
            async with AdvisoryLocks(database).hold("steward"):
                pass
    assert "hidden-word" not in str(caught.value)


async def _until_free(locks: AdvisoryLocks) -> None:
    """Return when somebody can have the lock; the server takes a moment to see that a session ended."""
    async with asyncio.timeout(5):
        while True:
            async with locks.hold("steward") as mine:
                if mine:
                    return
            await asyncio.sleep(0.01)
