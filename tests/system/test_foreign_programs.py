"""Other people's programs speak the contracts only: three queue bodies and four registry calls."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adology.abc.sink import ItemResult
from adology.engine.model import Batch
from adology.settings.model import StewardSettings
from tests.system import rig
from tests.system.conftest import Stack
from tests.system.running import EngineLoop, Running, running
from tests.system.vendors import Meta, image_world, meta

PICTURES = 6
EMBEDDING = [0.25, -1.5, 3.0]


@pytest.fixture(scope="module")
def loop() -> Iterator[EngineLoop]:
    with EngineLoop() as found:
        yield found


@pytest.fixture(scope="module")
def vendor(loop: EngineLoop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meta]:
    folder = tmp_path_factory.mktemp("world")
    with meta(loop, image_world(folder, PICTURES), folder) as found:
        yield found


@pytest.fixture(scope="module")
def world(stack: Stack, loop: EngineLoop, vendor: Meta) -> Iterator[Running]:
    """An engine that loses patience early."""
    steward = StewardSettings(interval_s=0.5, stalled_after_s=2.0, max_attempts=2, outbox_after_s=0.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adology.engine.acquire.NO_BATCH_PAUSE_S", 1.0)
        patch.setattr("adology.engine.batches.BLOCKED_PAUSE_S", 1.0)
        patch.setattr("adology.engine.activate.BLOCKED_PAUSE_S", 1.0)
        with running(stack, on=loop, fetch=vendor.fetch, steward=steward, queues={"poison_receives": 2}) as found:
            yield found


class Program:
    """A program of somebody else: JSON over HTTP and SQS, and no more than the contracts."""

    def __init__(self, world: Running, brand: str) -> None:
        self.world = world
        self.brand = brand

    async def start(self, expected_count: int) -> str:
        """Make the brand active; the id that the registry gave the batch."""
        status, answer = await self.world.post("start", {"brand": self.brand, "expected_count": expected_count})
        assert status == 200, answer
        return str(answer["batch_id"])

    async def send(self, url: str, **more: Any) -> None:
        await self.world.send("acquire", {"brand": self.brand, "url": url, **more})

    async def submit(self, url: str) -> bool:
        """A result of its own worker; whether the registry asks it to commit."""
        result = {"url": url, "embedding": EMBEDDING, "s3_path": "s3://theirs/picture.jpg"}
        status, answer = await self.world.post("submit", {"brand": self.brand, "result": result})
        assert status == 200, answer
        return bool(answer["should_commit"])


def ads_of(world: Running, brand: str) -> dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Source, bodies and titles of a brand's committed ads by their id."""
    query = """select a.source_ad_id, a.source, a.bodies, a.titles from ads a join brand_ads b on b.ad_id = a.id
        where b.brand = %s"""
    return {name: (source, tuple(bodies), tuple(titles)) for name, source, bodies, titles in world.rows(query, brand)}


def stored(world: Running, batch: Batch, url: str) -> ItemResult:
    """The result of a URL as the ledger keeps it."""
    ((data,),) = world.rows("select result from batch_items where batch_id = %s and url = %s", batch.id, url)
    return msgspec.msgpack.decode(data, type=ItemResult)


def test_a_program_that_starts_a_batch_and_sends_urls_gets_ads_made_of_its_metadata(
    world: Running, vendor: Meta
) -> None:
    async def scenario() -> None:
        program = Program(world, "foreign")
        bare, odd, rich = (vendor.media.url_for(f"picture{number}.jpg") for number in (1, 2, 3))
        batch_id = await program.start(3)
        await program.send(bare)
        await program.send(odd, metadata={"campaign": 7, "nested": {"tags": ["a", None, 10**30]}, "text": "Hello"})
        await program.send(rich, metadata={"ad_id": "A-1", "source": "theirs", "title": "Sale", "body": "50 % off"})
        batch = await world.wait_batch(batch_id)

        assert (batch.state, batch.origin, batch.brand) == ("committed", "foreign", "foreign")
        assert (batch.counts["ads"], batch.counts["assets"], batch.counts["failures"]) == (3, 3, 0)
        assert set(world.items(batch)) == {bare, odd, rich}
        ads = ads_of(world, "foreign")
        assert ads["A-1"] == ("theirs", ("50 % off",), ("Sale",))
        assert sorted(found for name, found in ads.items() if name != "A-1") == [
            ("external", (), ()),
            ("external", ("Hello",), ()),
        ]
        linked = "select count(*) from ad_assets l join brand_ads b on b.ad_id = l.ad_id where b.brand = 'foreign'"
        assert world.rows(linked) == [(3,)]
        assert stored(world, batch, odd).metadata["campaign"] == 7

    world.run(scenario())


def test_a_result_that_another_worker_submits_itself_is_in_the_commit(world: Running, vendor: Meta) -> None:
    async def scenario() -> None:
        program = Program(world, "helped")
        ours = [vendor.media.url_for(f"picture{number}.jpg") for number in (1, 2)]
        batch_id = await program.start(3)
        assert not await program.submit("https://theirs.example/3.jpg")
        for url in ours:
            await program.send(url)
        batch = await world.wait_batch(batch_id)

        assert batch.state == "committed"
        assert set(world.items(batch)) == {*ours, "https://theirs.example/3.jpg"}
        theirs = stored(world, batch, "https://theirs.example/3.jpg")
        assert theirs.s3_path == "s3://theirs/picture.jpg"
        assert theirs.embedding is not None
        assert list(struct.unpack("<3f", theirs.embedding)) == EMBEDDING
        assert len(ads_of(world, "helped")) == 3

    world.run(scenario())


def test_a_commit_that_another_worker_wins_and_does_not_make_is_made_by_ours(world: Running, vendor: Meta) -> None:
    async def scenario() -> None:
        program = Program(world, "won")
        ours = vendor.media.url_for("picture4.jpg")
        batch_id = await program.start(2)
        await program.send(ours)

        async def counted() -> bool:
            active = await world.engine.registry.progress("won")
            return active is not None and active.received == 1

        await rig.wait_until(counted, "our result is counted")
        assert await program.submit("https://theirs.example/last.jpg"), "the last submit wins the commit"
        batch = await world.wait_batch(batch_id)

        assert (batch.state, batch.error) == ("committed", None)
        assert set(world.items(batch)) == {ours, "https://theirs.example/last.jpg"}

    world.run(scenario())


def test_a_url_that_is_sent_fifty_times_is_one_item(world: Running, vendor: Meta) -> None:
    async def scenario() -> None:
        program = Program(world, "fifty")
        again, once = (vendor.media.url_for(f"picture{number}.jpg") for number in (5, 6))
        batch_id = await program.start(2)
        for _ in range(50):
            await program.send(again, metadata={"ad_id": "same"})
        await program.send(once)
        batch = await world.wait_batch(batch_id)

        assert (batch.state, batch.counts["urls"], batch.counts["ads"]) == ("committed", 2, 2)
        await rig.wait_queues_empty(world.engine)
        assert world.items(batch) == {again: "ok", once: "ok"}

    world.run(scenario())


@pytest.mark.parametrize(
    ("name", "url", "metadata", "code", "reason"),
    [
        ("text", "https://x.example/a", "not json", "ADO-5511", "metadata is a JSON str; allowed: an object"),
        ("list", "https://x.example/a", [1], "ADO-5511", "metadata is a JSON list; allowed: an object"),
        ("number", "https://x.example/a", 5, "ADO-5511", "metadata is a JSON int; allowed: an object"),
        ("scheme", "ftp://x.example/a.jpg", {}, "ADO-5101", "its scheme is 'ftp'; allowed are http and https"),
        ("word", "hello", {}, "ADO-5101", "its scheme is ''; allowed are http and https"),
        ("file", "file:///etc/passwd", {}, "ADO-5101", ""),
        ("private", "http://192.168.0.1/a.jpg", {}, "ADO-5101", "192.168.0.1 is"),
        ("nul", "https://x.example/\0.jpg", {}, "ADO-5101", "it contains control characters"),
    ],
)
def test_an_item_that_cannot_be_had_is_a_failure_with_its_reason(
    world: Running, name: str, url: str, metadata: Any, code: str, reason: str
) -> None:
    async def scenario() -> None:
        program = Program(world, f"bad-{name}")
        batch_id = await program.start(1)
        await program.send(url, metadata=metadata)
        batch = await world.wait_batch(batch_id)

        assert batch.state == "committed"
        ((seen, told),) = world.failures(batch).values()
        assert seen == code
        assert reason in told

    world.run(scenario())


def test_a_batch_that_never_completes_is_given_up_with_a_reason(world: Running, vendor: Meta) -> None:
    async def scenario() -> None:
        program = Program(world, "halting")
        batch_id = await program.start(3)
        await program.send(vendor.media.url_for("picture1.jpg"))
        batch = await world.wait_batch(batch_id)

        assert batch.state == "failed"
        assert batch.error == "given up: 1 of 3 distinct URLs came, and none for long"
        assert await world.engine.registry.progress("halting") is None
        assert ads_of(world, "halting") == {}
        # The brand is free again.
        again = await program.start(1)
        await program.send(vendor.media.url_for("picture1.jpg"))
        assert (await world.wait_batch(again)).state == "committed"

    world.run(scenario())


def test_a_message_for_a_brand_that_was_never_started_is_dead_lettered(world: Running) -> None:
    async def scenario() -> None:
        await Program(world, "unheard-of").send("https://x.example/1.jpg", metadata={"a": 1})
        dead = await world.wait_buried("acquire", "unheard-of")

        expected = "brand 'unheard-of' has no active batch: POST /start at the registry comes first"
        assert (dead.reason, dead.code) == (expected, "ADO-5512")
        assert msgspec.json.decode(dead.body) == {
            "brand": "unheard-of",
            "url": "https://x.example/1.jpg",
            "metadata": {"a": 1},
        }

    world.run(scenario())


def test_a_brand_name_that_the_registry_cannot_hold_is_dead_lettered(world: Running) -> None:
    async def scenario() -> None:
        await Program(world, "..").send("https://x.example/dots.jpg")
        dead = await world.wait_buried("acquire", "dots.jpg")
        assert dead.reason

    world.run(scenario())


def test_of_two_batches_of_a_brand_the_one_that_nobody_works_on_gives_way(world: Running, tmp_path: Path) -> None:
    async def scenario() -> None:
        files = rig.draw_ads(tmp_path / "ads", 2)
        program = Program(world, "contested")
        await world.add_brand("contested", roots=(str(tmp_path),), files=str(tmp_path / "ads"))
        await program.start(2)
        await rig.ask(world.engine, "ours", "contested")

        async def opened() -> bool:
            batch = await world.engine.ledger.find_request("contested", "ours")
            return batch is not None and batch.state == "acquiring"

        await rig.wait_until(opened, "our batch waits for the registry")
        await program.send("https://theirs.example/contested.jpg")
        dead = await world.wait_buried("acquire", "theirs.example/contested.jpg")
        assert dead.code == "ADO-5403"
        assert "brand 'contested' has another open batch" in dead.reason

        batch = await rig.wait_ended(world.engine, "ours", brand="contested", insight=False)
        assert batch.state == "committed"
        assert set(world.items(batch)) == {path.as_uri() for path in files}

    world.run(scenario())


def test_a_gather_message_without_extra_fields_gathers(world: Running) -> None:
    async def scenario() -> None:
        await world.add_brand("asked", files="/nowhere/at/all")
        await world.send("gather", {"brand": "asked", "their_own_field": [1, 2]})

        async def ended() -> bool:
            found = await world.engine.ledger.list_batches(brand="asked")
            return bool(found) and not found[0].is_open

        await rig.wait_until(ended, "the batch has ended")

    world.run(scenario())


def test_an_insight_message_for_a_brand_derives_its_insights_again(world: Running, vendor: Meta) -> None:
    async def scenario() -> None:
        program = Program(world, "insightful")
        batch_id = await program.start(1)
        await program.send(vendor.media.url_for("picture2.jpg"))
        batch = await world.wait_batch(batch_id)
        query = "select result, created_at from insights where brand = 'insightful'"

        async def derived() -> bool:
            found = await world.engine.ledger.find_batch(batch.id)
            return found is not None and found.insight_at is not None

        await rig.wait_until(derived, "the insights are there")
        first = (await world.engine.ledger.find_batch(batch.id)).insight_at  # type: ignore[union-attr]  # it is there
        await world.send("insight", {"brand": "insightful"})

        async def again() -> bool:
            found = await world.engine.ledger.find_batch(batch.id)
            return found is not None and found.insight_at != first

        await rig.wait_until(again, "the insights are derived again")
        assert len(world.rows(query)) == 1

    world.run(scenario())


def test_an_insight_message_for_a_brand_without_a_commit_is_dead_lettered(world: Running) -> None:
    async def scenario() -> None:
        await world.send("insight", {"brand": "nothing-yet"})
        dead = await world.wait_buried("insight", "nothing-yet")

        expected = "brand 'nothing-yet' has nothing committed to derive insights from"
        assert (dead.reason, dead.code) == (expected, "ADO-5520")

    world.run(scenario())
