"""The consumer when it is told to stop and when SQS is away, on a virtual clock; the heartbeat under faults."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from adology.errors import EngineError, UnavailableError
from adology.queues import Consumer, Delivery, Done, Verdict
from adology.queues.consumer import FAULT_PAUSE_S, POLL_GRACE_S
from adology.queues.heartbeat import Heartbeat
from tests.simulation.loop import run_virtual
from tests.unit.queues.fake_sqs import BRAND, VISIBILITY_S, FakeSqs, make_consumer, raising, run_for, work


def test_stop_finishes_what_is_in_work_and_hands_the_rest_back_at_once() -> None:
    sqs = FakeSqs([BRAND] * 20)

    async def live() -> tuple[Consumer, float]:
        consumer = make_consumer(sqs, lambda _: work(8), concurrency=2, prefetch=10)
        running = asyncio.create_task(consumer.run())
        await asyncio.sleep(1)
        consumer.stop()
        await asyncio.sleep(0.1)
        hidden = sum(kept.visible_at > sqs.now() for kept in sqs.messages.values())
        assert hidden == 2, "only what is in work stays hidden"
        await running
        return consumer, sqs.now()

    consumer, ended = run_virtual(live())
    assert (consumer.handled, consumer.abandoned) == (2, 0)
    assert ended < 9.5
    assert len(sqs.messages) == 18


def test_stop_cuts_off_what_outlasts_the_drain_hands_it_back_and_counts_it() -> None:
    sqs = FakeSqs([BRAND] * 5)

    async def live() -> tuple[Consumer, float]:
        consumer = make_consumer(sqs, lambda _: work(1000), drain_s=5.0)
        return consumer, await run_for(consumer, 1)

    consumer, took = run_virtual(live())
    assert (consumer.handled, consumer.abandoned) == (0, 2)
    assert 5 <= took < 6
    assert [kept.receives for kept in sqs.messages.values()] == [1] * 5
    assert all(kept.visible_at <= 6.1 for kept in sqs.messages.values())


def test_what_a_poll_brings_after_stop_is_handed_back() -> None:
    """GIVEN an idle consumer WHEN a message arrives just after stop THEN it does not stay hidden."""
    sqs = FakeSqs()

    async def live() -> float:
        consumer = make_consumer(sqs, raising(AssertionError("handled after stop")))
        running = asyncio.create_task(consumer.run())
        await asyncio.sleep(3)
        consumer.stop()
        await sqs.send("q", [BRAND])
        started = sqs.now()
        await running
        return sqs.now() - started

    took = run_virtual(live())
    (kept,) = sqs.messages.values()
    assert kept.receives >= 1
    assert kept.visible_at <= 3 + POLL_GRACE_S
    assert took <= POLL_GRACE_S + 0.1


def test_an_idle_consumer_stops_within_the_poll_grace() -> None:
    async def live() -> float:
        return await run_for(make_consumer(FakeSqs(), lambda _: work(1)), 3)

    assert run_virtual(live()) <= POLL_GRACE_S + 0.1


def test_a_queue_that_is_away_is_asked_once_a_second_and_then_served() -> None:
    sqs = FakeSqs([BRAND], fault=UnavailableError("away"))

    async def live() -> None:
        consumer = make_consumer(sqs, lambda _: work(0.1))
        running = asyncio.create_task(consumer.run())
        await asyncio.sleep(30)
        asked = len(sqs.times("receive"))
        assert 20 <= asked <= 2 * 30 / FAULT_PAUSE_S
        sqs.fault = None
        await asyncio.sleep(2)
        consumer.stop()
        await running
        assert consumer.handled == 1

    run_virtual(live())
    assert sqs.messages == {}


def test_stop_does_not_wait_for_the_pause_after_a_fault() -> None:
    async def live() -> float:
        return await run_for(make_consumer(FakeSqs(fault=EngineError("no such queue")), lambda _: work(1)), 3.5)

    assert run_virtual(live()) < 0.1


def test_a_fault_of_the_consumer_itself_ends_it_loudly() -> None:
    """Crash-only: a worker process that can no longer receive must not sit there looking healthy."""
    sqs = FakeSqs(fault=ZeroDivisionError("a bug"))

    async def live() -> None:
        async with asyncio.timeout(5):
            await make_consumer(sqs, lambda _: work(1)).run()

    with pytest.raises(ZeroDivisionError, match="a bug"):
        run_virtual(live())


@pytest.mark.parametrize("fault", [UnavailableError("away"), EngineError("gone"), ZeroDivisionError("a bug")])
def test_a_verdict_that_cannot_be_carried_out_frees_its_place(fault: Exception) -> None:
    """GIVEN deletes that fail THEN the message comes back by itself and the consumer goes on."""
    sqs = FakeSqs([BRAND])
    seen: list[int] = []

    async def handle(delivery: Delivery) -> Verdict:
        seen.append(delivery.receives)
        return Done()

    deletes = 0
    delete = sqs.delete

    async def fail_once(queue: str, receipts: list[str]) -> list[str]:
        nonlocal deletes
        deletes += 1
        if deletes == 1:
            raise fault
        return await delete(queue, receipts)

    sqs.delete = fail_once  # type: ignore[method-assign,assignment]  # the one fault this test needs

    async def live() -> None:
        await run_for(make_consumer(sqs, handle, concurrency=1, prefetch=0), 2 * VISIBILITY_S)

    run_virtual(live())
    assert seen == [1, 2]
    assert sqs.messages == {}


def test_a_heartbeat_survives_failed_and_hanging_calls() -> None:
    """GIVEN one call that fails and one that hangs THEN the message is extended before it shows again."""
    extended: list[float] = []
    calls = 0

    async def hide(entries: list[tuple[str, float]]) -> list[bool]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise UnavailableError("away")
        if calls == 2:
            await asyncio.sleep(1000)
        extended.append(asyncio.get_running_loop().time())
        return [True] * len(entries)

    async def live() -> None:
        heart = Heartbeat(hide, VISIBILITY_S, most=10)
        heart.keep("r")
        running = asyncio.create_task(heart.run())
        await asyncio.sleep(3 * VISIBILITY_S)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_virtual(live())
    assert extended[0] < VISIBILITY_S
    assert max(b - a for a, b in itertools.pairwise(extended)) < VISIBILITY_S


def test_a_heartbeat_gives_up_on_a_receipt_that_is_no_longer_valid() -> None:
    beats: list[list[str]] = []

    async def hide(entries: list[tuple[str, float]]) -> list[bool]:
        beats.append([receipt for receipt, _ in entries])
        return [receipt != "lost" for receipt, _ in entries]

    async def live() -> None:
        heart = Heartbeat(hide, VISIBILITY_S, most=10)
        heart.keep("lost")
        heart.keep("kept")
        running = asyncio.create_task(heart.run())
        await asyncio.sleep(VISIBILITY_S)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_virtual(live())
    assert beats[0] == ["lost", "kept"]
    assert all(beat == ["kept"] for beat in beats[1:])
    assert len(beats) > 1
