"""Item results, the analysis cache and the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from adology import Brand, ItemResult, Retry
from adology.engine.model import AnalysisRecord, Claim
from adology.settings import AdologySettings
from adology.store import Analyses, Catalogue, Database, Items, Ledger, Outbox
from adology.store.items import PAGE
from adology.store.outbox import add_message
from tests.system.batches import make_result, query, scalar

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(store_settings: AdologySettings) -> AsyncIterator[Database]:
    async with Database(store_settings.postgres) as database:
        await Catalogue(database).put_brand(Brand(id="nike"))
        yield database


@pytest.fixture
async def batch_id(database: Database) -> str:
    return (await Ledger(database).open_batch("nike", "r1", lease_s=60)).batch.id


def claim(key: str, *, subject: str = "s") -> Claim:
    return Claim(key=key, analyzer="media", version=1, fingerprint="f", subject_kind="asset", subject=subject)


def failed(url: str) -> ItemResult:
    return ItemResult(url=url, status="failed", error_code="ADO-5101", error="404")


async def test_the_first_result_of_a_url_stands(database: Database, batch_id: str) -> None:
    items = Items(database)
    await items.save([(batch_id, make_result("http://cdn/1.jpg", metadata={"a": [1]}))])
    await items.save([(batch_id, failed("http://cdn/1.jpg"))])
    stored = await items.find(batch_id, "http://cdn/1.jpg")
    assert stored is not None
    assert (stored.status, stored.metadata) == ("ok", {"a": [1]})
    assert await items.count(batch_id) == {"ok": 1}


async def test_of_many_results_at_once_one_stands(database: Database, batch_id: str) -> None:
    items = Items(database)
    await asyncio.gather(*(items.save([(batch_id, make_result("http://cdn/1.jpg", width=n))]) for n in range(8)))
    assert await items.count(batch_id) == {"ok": 1}


async def test_attempts_are_counted_until_there_is_a_result(database: Database, batch_id: str) -> None:
    items = Items(database)
    for _ in range(3):
        await items.note_attempts(batch_id, ["http://cdn/1.jpg", "http://cdn/2.jpg"])
    await items.save([(batch_id, make_result("http://cdn/1.jpg"))])
    await items.note_attempts(batch_id, ["http://cdn/1.jpg"])
    (page,) = [page async for page in items.pages(batch_id)]
    found = {saved.url: (saved.attempts, saved.result is not None) for saved in page}
    assert found == {"http://cdn/1.jpg": (3, True), "http://cdn/2.jpg": (3, False)}
    assert await items.find(batch_id, "http://cdn/2.jpg") is None
    assert await items.count(batch_id) == {"ok": 1, "missing": 1}


async def test_pages_give_each_url_once(database: Database, batch_id: str) -> None:
    items = Items(database)
    urls = [f"http://cdn/{n}.jpg" for n in range(PAGE * 2)]
    await items.save([(batch_id, make_result(url)) for url in urls])
    pages = [page async for page in items.pages(batch_id)]
    assert [len(page) for page in pages] == [PAGE, PAGE]
    assert {saved.url for page in pages for saved in page} == set(urls)


async def test_a_claim_is_given_to_one_of_many(database: Database) -> None:
    analyses = Analyses(database)
    answers = await asyncio.gather(
        *(analyses.claim([claim("k2"), claim("k1")], owner=f"w{n}", lease_s=60) for n in range(8))
    )
    for key in ("k1", "k2"):
        states = [answer[key].state for answer in answers]
        assert (states.count("mine"), states.count("busy")) == (1, 7)


async def test_a_finished_analysis_is_a_hit_for_ever(database: Database) -> None:
    analyses = Analyses(database)
    await analyses.claim([claim("k1"), claim("k2")], owner="w1", lease_s=0)
    await analyses.store(
        [
            AnalysisRecord(key="k1", result={"labels": ["shoe"]}, derived=("t.jpg",), cost_usd=0.5),
            AnalysisRecord(key="k2", error_code="ADO-3101", error="not an image"),
        ]
    )
    answer = await analyses.claim([claim("k1"), claim("k2")], owner="w2", lease_s=60)
    assert (answer["k1"].state, answer["k1"].result, answer["k1"].derived) == ("done", {"labels": ["shoe"]}, ("t.jpg",))
    assert (answer["k2"].state, answer["k2"].error_code, answer["k2"].error) == ("failed", "ADO-3101", "not an image")
    await analyses.store([AnalysisRecord(key="k1", result={"labels": []})])
    loaded = await analyses.load(["k1", "k2", "k3"])
    assert set(loaded) == {"k1", "k2"}
    assert (loaded["k1"]["result"], loaded["k1"]["cost_usd"]) == ({"labels": ["shoe"]}, 0.5)


def attempts(settings: AdologySettings) -> Any:
    """How often the one analysis was begun."""
    return scalar(settings, "select attempts from analyses")


async def test_a_claim_that_ran_out_is_taken_over(database: Database, store_settings: AdologySettings) -> None:
    analyses = Analyses(database)
    await analyses.claim([claim("k1")], owner="dead", lease_s=0.01)
    assert attempts(store_settings) == 1
    await asyncio.sleep(0.05)
    answer = await analyses.claim([claim("k1")], owner="w2", lease_s=60)
    assert (answer["k1"].state, attempts(store_settings)) == ("mine", 2)
    assert (await analyses.claim([claim("k1")], owner="w3", lease_s=60))["k1"].state == "busy"


async def test_a_claim_that_is_renewed_is_kept(database: Database) -> None:
    analyses = Analyses(database)
    await analyses.claim([claim("k1")], owner="w1", lease_s=0.01)
    await analyses.renew(["k1"], owner="w1", lease_s=60)
    await asyncio.sleep(0.05)
    answer = await analyses.claim([claim("k1")], owner="w2", lease_s=60)
    assert answer["k1"].state == "busy"
    assert 50 < answer["k1"].wait_s <= 60


async def test_a_claim_given_back_is_free_at_once_and_only_by_its_owner(
    database: Database, store_settings: AdologySettings
) -> None:
    analyses = Analyses(database)
    await analyses.claim([claim("k1")], owner="w1", lease_s=60)
    await analyses.release(["k1"], owner="w2")
    assert (await analyses.claim([claim("k1")], owner="w2", lease_s=60))["k1"].state == "busy"
    await analyses.release(["k1"], owner="w1")
    answer = await analyses.claim([claim("k1")], owner="w2", lease_s=60)
    assert (answer["k1"].state, attempts(store_settings)) == ("mine", 1)


async def test_an_analysis_that_is_pending_is_not_loaded(database: Database) -> None:
    analyses = Analyses(database)
    await analyses.claim([claim("k1")], owner="w1", lease_s=60)
    assert await analyses.load(["k1"]) == {}


class Sent:
    """Remembers what was sent; may fail, may wait."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, str]] = []
        self.fault: Exception | None = None
        self.started = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, queue: str, bodies: Sequence[str]) -> None:
        self.started.set()
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.bodies.extend((queue, body) for body in bodies)


async def add(database: Database, *bodies: str, batch_id: str, queue: str = "insight") -> None:
    async with database.connection("test.add") as connection:
        for body in bodies:
            await add_message(connection, queue, body, batch_id)


async def test_the_outbox_is_sent_in_order_and_emptied(database: Database, batch_id: str) -> None:
    await add(database, "1", "2", "3", batch_id=batch_id)
    await add(database, "g", batch_id=batch_id, queue="gather")
    sent = Sent()
    assert await Outbox(database).flush(sent) == 4
    assert sent.bodies == [("insight", "1"), ("insight", "2"), ("insight", "3"), ("gather", "g")]
    assert await Outbox(database).flush(sent) == 0


async def test_what_could_not_be_sent_stays(database: Database, batch_id: str, store_settings: AdologySettings) -> None:
    await add(database, "1", batch_id=batch_id)
    sent = Sent()
    sent.fault = Retry("sqs does not answer")
    with pytest.raises(Retry, match="sqs does not answer"):
        await Outbox(database).flush(sent)
    assert scalar(store_settings, "select count(*) from outbox") == 1


async def test_two_flushers_share_the_work_and_send_nothing_twice(database: Database, batch_id: str) -> None:
    await add(database, *map(str, range(10)), batch_id=batch_id)
    slow, quick = Sent(), Sent()
    slow.gate.clear()
    outbox = Outbox(database)
    first = asyncio.create_task(outbox.flush(slow, limit=4))
    await slow.started.wait()
    assert await outbox.flush(quick) == 6
    slow.gate.set()
    assert await first == 4
    assert sorted(int(body) for _, body in (*slow.bodies, *quick.bodies)) == list(range(10))


async def test_the_outbox_can_be_limited_to_a_batch_and_to_old_rows(
    database: Database, batch_id: str, store_settings: AdologySettings
) -> None:
    await add(database, "mine", batch_id=batch_id)
    await Catalogue(database).put_brand(Brand(id="puma"))
    other = (await Ledger(database).open_batch("puma", "r2", lease_s=60)).batch.id
    await add(database, "other", batch_id=other)
    sent = Sent()
    assert await Outbox(database).flush(sent, older_s=60) == 0
    assert await Outbox(database).flush(sent, batch_id=batch_id) == 1
    query(store_settings, "update outbox set created_at = now() - interval '2 minutes' returning 1")
    assert await Outbox(database).flush(sent, older_s=60) == 1
    assert [body for _, body in sent.bodies] == ["mine", "other"]
