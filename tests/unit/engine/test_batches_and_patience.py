"""Which batch a message belongs to, who may start one, and when a message is given up."""
# ruff: noqa: ARG001, ARG002 - the interfaces' signatures

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adology import Retry
from adology.engine.activate import activate
from adology.engine.batches import REMEMBERED, BatchBlockedError, Batches
from adology.engine.model import Batch
from adology.engine.patience import with_patience
from adology.errors import EngineError, LeaseLostError, UnavailableError
from adology.queues.messages import UndecodableError
from adology.queues.verdict import Dead, Delivery, Done, Verdict
from adology.registry_client.protocol import BrandActiveError, Progress, SubmitAnswer
from tests.simulation.loop import run_virtual
from tests.unit.engine.memory import make_batch, make_delivery


class World:
    """Ledger and registry in one."""

    def __init__(self, *batches: Batch) -> None:
        self.batches = {batch.id: batch for batch in batches}
        self.active: Progress | None = None
        self.open: Batch | None = None
        self.blocked = False
        self.asked = 0
        self.completed: list[str] = []
        self.other: str | None = None

    async def find_batch(self, batch_id: str) -> Batch | None:
        self.asked += 1
        return self.batches.get(batch_id)

    async def find_open(self, brand: str) -> Batch | None:
        return self.open

    async def adopt_batch(self, brand: str, batch_id: str, expected_count: int) -> Batch:
        if self.blocked:
            raise EngineError("brand 'nike' has another open batch", code="ADO-5403")
        self.batches[batch_id] = make_batch(id=batch_id, state="acquiring", origin="foreign")
        return self.batches[batch_id]

    async def progress(self, brand: str) -> Progress | None:
        return self.active

    async def start(self, brand: str, expected_count: int, batch_id: str) -> SubmitAnswer:
        if self.other is not None:
            raise BrandActiveError("brand 'nike' is active with another batch", batch_id=self.other)
        return SubmitAnswer(batch_id=batch_id)

    async def complete(self, brand: str, batch_id: str) -> None:
        self.completed.append(batch_id)
        self.other = None


def batches_of(world: Any, **over: Any) -> Batches:
    return Batches(world, world, **over)


def test_an_open_batch_is_asked_for_again_after_a_while_and_an_ended_one_never() -> None:
    async def scenario() -> None:
        world = World(make_batch(id="open", state="acquiring"), make_batch(id="over", state="committed"))
        batches = batches_of(world, fresh_s=5.0)
        for _ in range(3):
            await batches.find("nike", "open")
            await batches.find("nike", "over")
        assert world.asked == 2
        await asyncio.sleep(6)
        await batches.find("nike", "open")
        await batches.find("nike", "over")
        assert world.asked == 3
        batches.forget("over")
        await batches.reload("over")
        assert world.asked == 4

    run_virtual(scenario())


def test_memory_of_batches_is_bounded() -> None:
    async def scenario() -> None:
        world = World(*(make_batch(id=f"b{n}", state="committed") for n in range(REMEMBERED + 50)))
        batches = batches_of(world)
        for name in world.batches:
            await batches.find("nike", name)
        assert len(batches._known) == REMEMBERED

    run_virtual(scenario())


def test_a_message_without_a_batch_means_the_one_that_the_registry_runs() -> None:
    async def scenario() -> None:
        world = World(make_batch(id="ours", state="acquiring"))
        world.active = Progress(brand="nike", batch_id="ours", expected_count=1)
        found = await batches_of(world).find("nike", None)
        assert found is not None
        assert found.id == "ours"

    run_virtual(scenario())


def test_a_batch_of_another_brand_is_not_the_messages_own() -> None:
    async def scenario() -> None:
        world = World(make_batch(id="b1", brand="puma", state="acquiring"))
        batches = batches_of(world)
        assert await batches.find("nike", "b1") is None
        assert (await batches.find("puma", "b1")) is world.batches["b1"]
        assert (await batches.reload("b1")) is world.batches["b1"]

    run_virtual(scenario())


def test_a_batch_that_somebody_else_started_is_adopted() -> None:
    async def scenario() -> None:
        world = World()
        world.active = Progress(brand="nike", batch_id="theirs", expected_count=3)
        found = await batches_of(world).find("nike", None)
        assert found is not None
        assert (found.id, found.origin) == ("theirs", "foreign")

    run_virtual(scenario())


def test_a_registry_without_memory_leaves_the_word_to_the_ledger() -> None:
    async def scenario() -> None:
        world = World()
        assert await batches_of(world).find("nike", None) is None
        world.open = make_batch(id="remembered", state="acquiring")
        assert await batches_of(world).find("nike", None) is world.open

    run_virtual(scenario())


def test_a_batch_that_cannot_be_adopted_now_asks_for_another_try() -> None:
    async def scenario() -> None:
        world = World()
        world.active = Progress(brand="nike", batch_id="theirs", expected_count=3)
        world.blocked = True
        with pytest.raises(BatchBlockedError, match="brand 'nike' has another open batch") as caught:
            await batches_of(world).find("nike", None)
        assert (caught.value.code, caught.value.after) == ("ADO-5403", 15.0)

    run_virtual(scenario())


def start(world: Any) -> SubmitAnswer:
    return run_virtual(activate(world, world, "nike", "mine", 3))


def test_a_free_brand_is_started() -> None:
    assert start(World()).batch_id == "mine"


def test_an_ended_batch_at_the_registry_is_cleared_away() -> None:
    world = World(make_batch(id="old", state="committed"))
    world.other = "old"
    assert start(world).batch_id == "mine"
    assert world.completed == ["old"]


@pytest.mark.parametrize("other", ["open", "pumas", "foreign", ""])
def test_a_batch_that_is_not_ended_is_waited_for(other: str) -> None:
    world = World(make_batch(id="open", state="acquiring"), make_batch(id="pumas", brand="puma", state="committed"))
    world.other = other
    with pytest.raises(Retry, match="the registry runs another batch of nike") as caught:
        start(world)
    assert caught.value.after == 10.0
    assert world.completed == []


def handle(error: Exception | None, receives: int) -> Verdict:
    async def handler(delivery: Delivery) -> Verdict:
        if error is not None:
            raise error
        return Done()

    return run_virtual(_awaited(with_patience(handler, 3)(make_delivery("{}", receives=receives))))


async def _awaited(verdict: Any) -> Verdict:
    found: Verdict = await verdict
    return found


def test_a_handler_without_fault_is_left_alone() -> None:
    assert isinstance(handle(None, 99), Done)


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (EngineError("the registry refused brand", code="ADO-5710"), "the registry refused brand", "ADO-5710"),
        (
            RecursionError("maximum recursion depth exceeded"),
            "RecursionError: maximum recursion depth exceeded",
            "ADO-5000",
        ),
    ],
)
def test_a_message_that_nobody_can_handle_is_dead_lettered_with_its_reason(
    error: Exception, reason: str, code: str
) -> None:
    with pytest.raises(type(error)):
        handle(error, 3)
    assert handle(error, 4) == Dead(reason=f"after 4 tries: {reason}", code=code)


@pytest.mark.parametrize(
    "error", [Retry("later"), UnavailableError("store away"), LeaseLostError("taken over"), UndecodableError("no JSON")]
)
def test_what_asks_for_another_try_is_the_consumers_to_judge(error: Exception) -> None:
    with pytest.raises(type(error)):
        handle(error, 99)
