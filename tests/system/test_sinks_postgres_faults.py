"""Two committers, servers that go away, rows that are refused: all or nothing, and once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import msgspec
import psycopg
import pytest

from adology import CommittedAd, ItemResult
from adology.errors import EngineError, LeaseLostError, UnavailableError
from adology.settings import AdologySettings
from adology.store import Database, Ledger
from adology_mongo import MongoSink
from adology_postgres import PostgresSink
from tests.system.batches import ListBatch, make_ad, make_result, open_batch, opened, query, scalar, shown

pytestmark = pytest.mark.anyio
TABLES = ("ads", "brand_ads", "assets", "ad_assets", "failures", "observations", "source_cursors", "outbox")

COUNT = "select count(*) from {}"
TERMINATE = """select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and """


def visible(settings: AdologySettings) -> dict[str, int]:
    counts = {table: scalar(settings, COUNT.format(table)) for table in TABLES}
    return {table: count for table, count in counts.items() if count}


def make_batch(batch_id: str, brand: str = "nike", *, count: int = 20) -> ListBatch:
    urls = [f"http://cdn/{n}.jpg" for n in range(count)]
    return ListBatch(
        batch_id,
        brand,
        ads=[shown(make_ad(f"a{n}", url)) for n, url in enumerate(urls)],
        results=[make_result(url) for url in urls],
        cursors={"facebook": b"c"},
    )


def terminate(settings: AdologySettings, condition: str) -> int:
    """End the sessions of the test's database that do what `condition` says."""
    return len(query(settings, TERMINATE + condition))


async def wait_for_lock(settings: AdologySettings) -> None:
    """Until a session of the test's database waits for another's lock."""
    waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    while not query(settings, waiting):  # noqa: ASYNC110 - another process waits
        await asyncio.sleep(0.01)


async def test_of_two_committers_one_commits_and_both_return(store_settings: AdologySettings) -> None:
    batch = make_batch(await open_batch(store_settings))
    async with (
        opened(PostgresSink(), store_settings) as (one, context),
        opened(PostgresSink(), store_settings) as (two, _),
    ):
        await asyncio.gather(one.write(context, batch), two.write(context, batch))
    assert scalar(store_settings, "select count(*) from outbox") == 1
    assert scalar(store_settings, "select count(*) from ads") == 20


async def test_a_second_committer_waits_for_the_first_and_sees_its_commit(store_settings: AdologySettings) -> None:
    batch = make_batch(await open_batch(store_settings))
    with psycopg.connect(store_settings.postgres.url) as other:
        other.execute("select 1 from batches where id = %s for update", [batch.id])
        async with opened(PostgresSink(), store_settings) as (sink, context):
            writing = asyncio.create_task(sink.write(context, batch))
            await wait_for_lock(store_settings)
            other.execute("update batches set state = 'committed', committed_at = now() where id = %s", [batch.id])
            other.commit()
            await writing
    assert visible(store_settings) == {}


async def test_batches_that_share_ads_and_assets_commit_side_by_side(store_settings: AdologySettings) -> None:
    batches = []
    for n in range(6):
        batch = make_batch(await open_batch(store_settings, f"brand{n}"), f"brand{n}", count=300)
        ads, results = list(batch._ads), list(batch._results)  # type: ignore[arg-type]  # lists here
        random.Random(n).shuffle(ads)
        random.Random(n + 10).shuffle(results)
        batches.append(ListBatch(batch.id, batch.brand, ads=ads, results=results))
    async with opened(PostgresSink(), store_settings) as (sink, context):
        await asyncio.gather(*(sink.write(context, batch) for batch in batches))
    assert scalar(store_settings, "select count(*) from ads") == 300
    assert scalar(store_settings, "select count(*) from assets") == 300
    assert scalar(store_settings, "select count(*) from brand_ads") == 1800
    assert scalar(store_settings, "select count(*) from batches where state = 'committed'") == 6


async def test_requests_to_gather_do_not_collide_with_a_commit(store_settings: AdologySettings) -> None:
    batch = make_batch(await open_batch(store_settings), count=500)
    async with Database(store_settings.postgres) as database, opened(PostgresSink(), store_settings) as (sink, context):
        ledger = Ledger(database)
        writing = asyncio.create_task(sink.write(context, batch))
        asked = 0
        while not writing.done():
            await ledger.open_batch("nike", f"again {asked}", lease_s=1)
            asked += 1
        await writing
    assert asked > 1
    assert scalar(store_settings, "select state from batches where id = %s", batch.id) == "committed"


async def test_a_session_that_ends_during_the_copy_leaves_nothing_and_can_be_repeated(
    store_settings: AdologySettings,
) -> None:
    whole = make_batch(await open_batch(store_settings), count=200)
    killed = 0

    def ads() -> Iterator[CommittedAd]:
        nonlocal killed
        for n, ad in enumerate(whole._ads):  # type: ignore[arg-type]  # a list here
            if n == 100:
                killed += terminate(store_settings, "query like 'copy staged_ads%%'")
            yield ad

    async with opened(PostgresSink(), store_settings) as (sink, context):
        with pytest.raises(UnavailableError, match="commit"):
            await sink.write(context, ListBatch(whole.id, ads=ads, results=whole._results))
        assert killed == 1
        assert visible(store_settings) == {}
        assert scalar(store_settings, "select state from batches") == "discovering"
        await sink.write(context, whole)
    assert visible(store_settings)["ads"] == 200


async def test_a_session_that_ends_while_it_waits_for_the_ledger_leaves_nothing(
    store_settings: AdologySettings,
) -> None:
    batch = make_batch(await open_batch(store_settings))
    with psycopg.connect(store_settings.postgres.url) as other:
        other.execute("select 1 from batches where id = %s for update", [batch.id])
        async with opened(PostgresSink(), store_settings) as (sink, context):
            writing = asyncio.create_task(sink.write(context, batch))
            await wait_for_lock(store_settings)
            assert terminate(store_settings, "wait_event_type = 'Lock'") == 1
            with pytest.raises(UnavailableError):
                await writing
            other.rollback()
            assert visible(store_settings) == {}
            await sink.write(context, batch)
    assert visible(store_settings)["outbox"] == 1


async def test_a_commit_that_is_cancelled_leaves_nothing(store_settings: AdologySettings) -> None:
    batch = make_batch(await open_batch(store_settings))
    with psycopg.connect(store_settings.postgres.url) as other:
        other.execute("select 1 from batches where id = %s for update", [batch.id])
        async with opened(PostgresSink(), store_settings) as (sink, context):
            writing = asyncio.create_task(sink.write(context, batch))
            await wait_for_lock(store_settings)
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
            other.rollback()
            assert visible(store_settings) == {}
            await sink.write(context, batch)
    assert visible(store_settings)["outbox"] == 1


async def test_a_server_that_is_not_there_means_try_again(store_settings: AdologySettings) -> None:
    batch = make_batch(await open_batch(store_settings))
    nowhere = msgspec.structs.replace(
        store_settings.postgres, url="postgresql://adology:hidden-word@127.0.0.1:9/none", timeout_s=0.5
    )
    async with opened(PostgresSink(), msgspec.structs.replace(store_settings, postgres=nowhere)) as (sink, context):
        with pytest.raises(UnavailableError) as caught:
            await sink.write(context, batch)
    assert "hidden-word" not in str(caught.value)


async def test_a_crash_between_documents_and_commit_shows_nothing(store_settings: AdologySettings) -> None:
    batch = make_batch(await open_batch(store_settings))
    async with opened(MongoSink(), store_settings) as (documents, mongo_context):
        await documents.write(mongo_context, batch)
        # The process dies here; another one starts over with both sinks.
        assert visible(store_settings) == {}
        await documents.write(mongo_context, batch)
    async with opened(PostgresSink(), store_settings) as (sink, context):
        await sink.write(context, batch)
    assert visible(store_settings)["ads"] == 20


async def test_a_batch_that_ended_without_commit_is_not_revived(store_settings: AdologySettings) -> None:
    batch = make_batch(await open_batch(store_settings))
    async with Database(store_settings.postgres) as database:
        await Ledger(database).fail_batch(batch.id, "no source answered")
    async with opened(PostgresSink(), store_settings) as (sink, context):
        with pytest.raises(LeaseLostError, match="has ended as 'failed'"):
            await sink.write(context, batch)
    assert visible(store_settings) == {}


async def test_a_batch_that_the_ledger_does_not_know_is_refused(store_settings: AdologySettings) -> None:
    async with opened(PostgresSink(), store_settings) as (sink, context):
        with pytest.raises(EngineError, match="batch nowhere is not in the ledger"):
            await sink.write(context, ListBatch("nowhere"))
    assert visible(store_settings) == {}


async def test_what_the_database_refuses_names_the_batch_and_the_reason(store_settings: AdologySettings) -> None:
    batch = make_batch(await open_batch(store_settings))
    with psycopg.connect(store_settings.postgres.url, autocommit=True) as link:
        link.execute("alter table assets add constraint small_files check (size_bytes < 10)")
    async with opened(PostgresSink(), store_settings) as (sink, context):
        with pytest.raises(EngineError, match="small_files") as caught:
            await sink.write(context, batch)
    assert batch.id in str(caught.value)
    assert caught.value.code == "ADO-4302"
    assert visible(store_settings) == {}


async def test_a_database_that_was_never_migrated_says_so(store_settings: AdologySettings) -> None:
    with psycopg.connect(store_settings.postgres.url, autocommit=True) as link:
        link.execute("drop table ad_analyses")
    async with opened(PostgresSink(), store_settings) as (sink, context):
        with pytest.raises(EngineError, match="Run `adology migrate`"):
            await sink.write(context, make_batch(await open_batch(store_settings)))


async def test_the_message_for_insights_exists_exactly_when_the_batch_is_committed(
    store_settings: AdologySettings,
) -> None:
    batch = ListBatch(await open_batch(store_settings), results=_break_off)
    async with opened(PostgresSink(), store_settings) as (sink, context):
        with pytest.raises(RuntimeError, match="results end here"):
            await sink.write(context, batch)
        assert scalar(store_settings, "select count(*) from outbox") == 0
        await sink.write(context, ListBatch(batch.id))
    assert scalar(store_settings, "select batch_id from outbox") == batch.id


def _break_off() -> Iterator[ItemResult]:
    yield make_result("http://cdn/1.jpg")
    raise RuntimeError("results end here")
