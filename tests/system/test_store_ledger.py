from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adology import Brand
from adology.engine.model import Batch
from adology.errors import EngineError, LeaseLostError, UnknownBrandError
from adology.queues.messages import GatherMessage, decode
from adology.settings import AdologySettings
from adology.store import Catalogue, Database, Ledger
from adology.store.ledger import commit_batch
from tests.system.batches import query

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(store_settings: AdologySettings) -> AsyncIterator[Database]:
    async with Database(store_settings.postgres) as database:
        await Catalogue(database).put_brand(Brand(id="nike"))
        yield database


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


async def commit(database: Database, batch: Batch) -> None:
    async with database.connection("test.commit") as connection:
        await commit_batch(connection, batch.id, {"ads": 1})


async def test_a_request_opens_a_batch(ledger: Ledger) -> None:
    opened = await ledger.open_batch("nike", "r1", lease_s=60)
    assert (opened.role, opened.batch.state, opened.batch.epoch, opened.batch.origin) == (
        "owner",
        "discovering",
        1,
        "gather",
    )
    assert await ledger.find_open("nike") == opened.batch


async def test_an_unknown_brand_opens_nothing(ledger: Ledger) -> None:
    with pytest.raises(UnknownBrandError, match="'puma' is not in the catalogue"):
        await ledger.open_batch("puma", "r1", lease_s=60)


async def test_the_same_request_waits_and_another_one_is_covered(ledger: Ledger) -> None:
    first = await ledger.open_batch("nike", "r1", lease_s=60)
    again = await ledger.open_batch("nike", "r1", lease_s=60)
    other = await ledger.open_batch("nike", "r2", lease_s=60)
    assert (again.role, other.role) == ("busy", "covered")
    assert 0 < again.wait_s <= 60
    assert again.batch.id == other.batch.id == first.batch.id


async def test_many_openers_at_once_get_one_batch(ledger: Ledger) -> None:
    answers = await asyncio.gather(*(ledger.open_batch("nike", f"r{n}", lease_s=60) for n in range(12)))
    assert [answer.role for answer in answers].count("owner") == 1
    assert len({answer.batch.id for answer in answers}) == 1


async def test_a_gatherer_whose_lease_ran_out_is_taken_over_and_fenced(ledger: Ledger) -> None:
    first = await ledger.open_batch("nike", "r1", lease_s=0.01)
    await asyncio.sleep(0.05)
    second = await ledger.open_batch("nike", "r1", lease_s=60)
    assert (second.role, second.batch.id, second.batch.epoch) == ("owner", first.batch.id, 2)
    late = (first.batch.id, first.batch.epoch)
    for call in (
        ledger.renew_gather(*late, lease_s=60),
        ledger.release_gather(*late),
        ledger.note_progress(*late, {"pages": 1}),
        ledger.seal(*late, manifest_key="k", expected_count=1, sources={}),
        ledger.mark_queued(*late),
    ):
        with pytest.raises(LeaseLostError, match="epoch 1 was taken over"):
            await call
    await ledger.renew_gather(second.batch.id, 2, lease_s=60)


async def test_a_lease_that_is_renewed_is_not_taken_over(ledger: Ledger) -> None:
    first = await ledger.open_batch("nike", "r1", lease_s=0.01)
    await ledger.renew_gather(first.batch.id, 1, lease_s=60)
    await asyncio.sleep(0.05)
    assert (await ledger.open_batch("nike", "r1", lease_s=60)).role == "busy"


async def test_a_lease_given_back_is_free_at_once(ledger: Ledger) -> None:
    first = await ledger.open_batch("nike", "r1", lease_s=60)
    await ledger.release_gather(first.batch.id, 1)
    assert (await ledger.open_batch("nike", "r1", lease_s=60)).role == "owner"


async def test_a_batch_goes_from_discovery_to_acquisition_to_commit(ledger: Ledger, database: Database) -> None:
    batch = (await ledger.open_batch("nike", "r1", lease_s=60)).batch
    await ledger.note_progress(batch.id, 1, {"pages": 2, "ads": 7})
    await ledger.seal(batch.id, 1, manifest_key="m", expected_count=9, sources={"facebook": {"outcome": "ok"}})
    assert (await ledger.open_batch("nike", "r1", lease_s=60)).role == "busy"
    await ledger.mark_queued(batch.id, 1)
    assert (await ledger.open_batch("nike", "r1", lease_s=60)).role == "covered"
    await commit(database, batch)
    done = await ledger.find_batch(batch.id)
    assert done is not None
    assert (done.state, done.manifest_key, done.expected_count) == ("committed", "m", 9)
    assert done.counts == {"pages": 2, "ads": 1}
    assert done.sources == {"facebook": {"outcome": "ok"}}
    assert await ledger.find_open("nike") is None
    assert (await ledger.open_batch("nike", "r1", lease_s=60)).role == "covered"
    assert (await ledger.open_batch("nike", "r2", lease_s=60)).role == "owner"


async def test_a_batch_commits_once(ledger: Ledger, database: Database) -> None:
    batch = (await ledger.open_batch("nike", "r1", lease_s=60)).batch
    await commit(database, batch)
    with pytest.raises(LeaseLostError, match="is not open any more"):
        await commit(database, batch)


async def test_a_failed_batch_says_why_and_makes_room(ledger: Ledger) -> None:
    batch = (await ledger.open_batch("nike", "r1", lease_s=60)).batch
    await ledger.fail_gather(batch.id, batch.epoch, "no source answered", {"facebook": {"outcome": "failed"}})
    failed = await ledger.find_batch(batch.id)
    assert failed is not None
    assert (failed.state, failed.error) == ("failed", "no source answered")
    assert failed.sources == {"facebook": {"outcome": "failed"}}
    assert (await ledger.open_batch("nike", "r2", lease_s=60)).role == "owner"


async def test_a_foreign_batch_is_adopted_with_its_brand(ledger: Ledger) -> None:
    adopted = await ledger.adopt_batch("puma", "theirs", 5)
    again = await ledger.adopt_batch("puma", "theirs", 5)
    assert (adopted.origin, adopted.state, adopted.expected_count) == ("foreign", "acquiring", 5)
    assert again == adopted
    with pytest.raises(EngineError, match="has another open batch than other"):
        await ledger.adopt_batch("puma", "other", 5)


async def test_a_foreign_batch_with_the_id_of_another_brands_batch_is_refused(ledger: Ledger) -> None:
    await ledger.adopt_batch("puma", "theirs", 5)
    with pytest.raises(EngineError, match="the id of a batch of brand 'puma'; batch ids must be unique") as caught:
        await ledger.adopt_batch("nike", "theirs", 5)
    assert caught.value.code == "ADO-5403"
    assert await ledger.find_open("nike") is None


async def test_the_commit_before_a_commit_is_found(ledger: Ledger, database: Database) -> None:
    batches = []
    for request in ("r1", "r2"):
        batch = (await ledger.open_batch("nike", request, lease_s=60)).batch
        await commit(database, batch)
        batches.append(batch.id)
    last = await ledger.find_committed("nike")
    assert last is not None
    before = await ledger.find_committed("nike", before=last)
    assert before is not None
    assert [before.id, last.id] == batches
    assert await ledger.find_committed("nike", before=before) is None


async def test_stalled_batches_are_those_without_lease_and_progress(
    ledger: Ledger, store_settings: AdologySettings
) -> None:
    batch = (await ledger.open_batch("nike", "r1", lease_s=60)).batch
    query(store_settings, "update batches set progress_at = now() - interval '1 hour' returning 1")
    assert await ledger.list_stalled(idle_s=60) == []
    await ledger.release_gather(batch.id, 1)
    assert [stalled.id for stalled in await ledger.list_stalled(idle_s=60)] == [batch.id]
    await ledger.note_repair(batch.id)
    assert await ledger.list_stalled(idle_s=60) == []
    repaired = await ledger.find_batch(batch.id)
    assert repaired is not None
    assert repaired.repairs == 1


async def test_committed_batches_without_insight_are_listed_until_they_have_it(
    ledger: Ledger, database: Database
) -> None:
    batch = (await ledger.open_batch("nike", "r1", lease_s=60)).batch
    await commit(database, batch)
    assert await ledger.list_without_insight(older_s=60) == []
    assert [found.id for found in await ledger.list_without_insight(older_s=0)] == [batch.id]
    await ledger.mark_insight(batch.id)
    assert await ledger.list_without_insight(older_s=0) == []


async def test_due_brands_are_queued_once_per_date(database: Database, store_settings: AdologySettings) -> None:
    catalogue = Catalogue(database)
    await catalogue.put_brand(Brand(id="adidas"), refresh_every=timedelta(hours=1))
    assert await catalogue.queue_due() == 0
    due = "update brands set next_refresh_at = now() - interval '1 minute' where id = 'adidas' returning 1"
    query(store_settings, due)
    assert sum(await asyncio.gather(*(catalogue.queue_due() for _ in range(4)))) == 1
    assert await catalogue.queue_due() == 0
    (message,) = query(store_settings, "select queue, body from outbox")
    assert message["queue"] == "gather"
    body = decode(message["body"], GatherMessage)
    assert body.brand == "adidas"
    assert str(body.request_id).startswith("schedule:adidas:")


async def test_a_brand_grows_by_what_is_put_again(database: Database) -> None:
    catalogue = Catalogue(database)
    assert await catalogue.put_brand(Brand(id="puma", name="Puma", handles={"facebook": ("1",)})) is True
    added = Brand(id="puma", handles={"facebook": ("1", "2"), "serp": ("p.com",)})
    assert await catalogue.put_brand(added, file_roots=["/data"]) is False
    row = await catalogue.find_brand("puma")
    assert row is not None
    assert (row.name, row.handles) == ("Puma", {"facebook": ("1", "2"), "serp": ("p.com",)})
    assert (row.file_roots, row.ads, row.last_committed_at) == (("/data",), 0, None)
    assert [brand.id for brand in await catalogue.list_brands()] == ["nike", "puma"]
    assert [brand.id for brand in await catalogue.list_brands(after="nike")] == ["puma"]


async def test_a_paused_credential_stays_so_for_the_longest_pause(database: Database) -> None:
    catalogue = Catalogue(database)
    assert await catalogue.paused_s("facebook:1") == 0.0
    await catalogue.pause_credential("facebook:1", 60, "429")
    await catalogue.pause_credential("facebook:1", 5, "429 again")
    assert 55 < await catalogue.paused_s("facebook:1") <= 60
