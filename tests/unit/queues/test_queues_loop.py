"""The consumer's decisions, on a virtual clock: bounds, verdicts, heartbeats, drain, faults."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from adology.errors import EngineError, LeaseLostError, Retry, RetryLater, UnavailableError
from adology.log import logger
from adology.queues import Consumer, Dead, Defer, Delivery, Done, Hide, UndecodableError, Verdict
from adology.queues.consumer import FAULT_PAUSE_S, POLL_GRACE_S, back_off
from adology.queues.heartbeat import Heartbeat
from tests.simulation.loop import run_virtual
from tests.unit.queues.fake_sqs import FakeSqs

VISIBILITY_S = 40
BRAND = '{"brand":"nike"}'


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    logger.disable("adology")
    yield
    logger.enable("adology")


def make_consumer(sqs: FakeSqs, handler: Callable[[Delivery], Awaitable[Verdict]], **over: Any) -> Consumer:
    options: dict[str, Any] = {
        "concurrency": 2,
        "prefetch": 4,
        "visibility_s": VISIBILITY_S,
        "wait_s": 10,
        "timeout_s": 600.0,
        "drain_s": 20.0,
        **over,
    }
    return Consumer(sqs, "q", handler, **options)  # type: ignore[arg-type]  # the fake has what the consumer calls


async def run_for(consumer: Consumer, seconds: float) -> float:
    """Run the consumer, stop it after `seconds`; how long it then took to end."""
    running = asyncio.create_task(consumer.run())
    await asyncio.sleep(seconds)
    consumer.stop()
    stopped = asyncio.get_running_loop().time()
    await running
    return asyncio.get_running_loop().time() - stopped


def raising(error: BaseException) -> Callable[[Delivery], Awaitable[Verdict]]:
    async def handle(_: Delivery) -> Verdict:
        raise error

    return handle


async def work(seconds: float) -> Verdict:
    await asyncio.sleep(seconds)
    return Done()


@pytest.mark.parametrize(("concurrency", "prefetch"), [(1, 0), (2, 0), (2, 4), (4, 20), (3, 1)])
def test_no_more_than_the_bound_is_ever_in_hand(concurrency: int, prefetch: int) -> None:
    """GIVEN more messages than room THEN those handed out and not given back never exceed the bound."""
    sqs = FakeSqs([BRAND] * 200)
    most_hidden = most_working = working = 0

    async def handle(_: Delivery) -> Verdict:
        nonlocal most_hidden, most_working, working
        working += 1
        most_working = max(most_working, working)
        await asyncio.sleep(1)
        most_hidden = max(most_hidden, sum(kept.visible_at > sqs.now() for kept in sqs.messages.values()))
        working -= 1
        return Done()

    async def live() -> None:
        await run_for(make_consumer(sqs, handle, concurrency=concurrency, prefetch=prefetch), 20)

    run_virtual(live())
    assert most_working == concurrency
    assert most_hidden <= concurrency + prefetch
    assert len(sqs.messages) <= 200 - 15 * concurrency


def test_a_busy_consumer_asks_for_full_batches() -> None:
    """GIVEN long work and a full queue THEN polls are for many messages, not one for each that was done."""
    sqs = FakeSqs([BRAND] * 300)

    async def live() -> None:
        await run_for(make_consumer(sqs, lambda _: work(1), concurrency=12, prefetch=20), 15)

    run_virtual(live())
    asked = [detail for _, name, detail in sqs.calls if name == "receive"]
    assert len(asked) < 25
    assert sum(most == 10 for most in asked) > len(asked) / 2


def test_messages_stay_hidden_while_they_wait_and_while_they_are_in_work() -> None:
    sqs = FakeSqs([BRAND] * 5)
    received: list[int] = []

    async def handle(delivery: Delivery) -> Verdict:
        received.append(delivery.receives)
        return await work(3 * VISIBILITY_S)

    async def live() -> None:
        await run_for(make_consumer(sqs, handle, concurrency=1, prefetch=4), 16 * VISIBILITY_S)

    run_virtual(live())
    assert received == [1] * 5
    assert sqs.messages == {}


def test_short_work_costs_no_heartbeat() -> None:
    sqs = FakeSqs([BRAND] * 50)

    async def live() -> None:
        await run_for(make_consumer(sqs, lambda _: work(0.1)), 3 * VISIBILITY_S)

    run_virtual(live())
    assert sqs.times("hide") == []


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (UndecodableError("no message"), Dead(reason="no message", code="ADO-5801")),
        (RetryLater(90.0), Defer(seconds=90.0, why="the vendor asked to slow down")),
        (UnavailableError("s3 is away"), Defer(why="s3 is away")),
        (LeaseLostError("somebody else"), Hide(seconds=2, why="somebody else")),
        (Retry("again"), Hide(seconds=8, why="again")),
        (Retry("again", after=33.0), Hide(seconds=33.0, why="again")),
        (KeyError("x"), Hide(seconds=8, why="KeyError: 'x'")),
        (EngineError("no such table"), Hide(seconds=8, why="no such table")),
        (TimeoutError("the vendor's socket"), Hide(seconds=8, why="TimeoutError: the vendor's socket")),
        (asyncio.CancelledError(), Hide(seconds=8, why="CancelledError")),
    ],
)
def test_what_a_handler_raises_decides_the_verdict(error: BaseException, verdict: Verdict) -> None:
    delivery = Delivery(body=BRAND, message_id="m", receipt="r", receives=3)

    async def live() -> Verdict:
        return await make_consumer(FakeSqs(), raising(error))._judge(delivery)

    assert run_virtual(live()) == verdict


def test_work_beyond_its_time_limit_is_cut_off_and_tried_again() -> None:
    async def live() -> Verdict:
        consumer = make_consumer(FakeSqs(), lambda _: work(100), timeout_s=7.5)
        return await consumer._judge(Delivery(body=BRAND, message_id="m", receipt="r"))

    assert run_virtual(live()) == Hide(seconds=2.0, why="took longer than 7.5 s")


def test_the_wait_after_a_failure_doubles_up_to_five_minutes() -> None:
    assert [back_off(n) for n in (1, 2, 3, 8, 9, 500)] == [2, 4, 8, 256, 300, 300]


def test_a_handler_that_lets_a_foreign_cancellation_through_costs_no_worker() -> None:
    sqs = FakeSqs([BRAND])
    attempts: list[int] = []

    async def handle(delivery: Delivery) -> Verdict:
        attempts.append(delivery.receives)
        if delivery.receives < 3:
            raise asyncio.CancelledError
        return Done()

    async def live() -> None:
        await run_for(make_consumer(sqs, handle, concurrency=1, prefetch=0), 30)

    run_virtual(live())
    assert attempts == [1, 2, 3]
    assert sqs.messages == {}


def test_a_deferral_waits_longer_each_time_and_never_counts_as_a_receive() -> None:
    sqs = FakeSqs([BRAND])
    seen: list[int] = []

    async def handle(delivery: Delivery) -> Verdict:
        seen.append(delivery.receives)
        raise UnavailableError("away")

    async def live() -> None:
        await run_for(make_consumer(sqs, handle), 400)

    run_virtual(live())
    delays = [detail for _, name, detail in sqs.calls if name == "send"]
    assert delays[:8] == [2, 4, 8, 16, 32, 60, 60, 60]
    assert set(seen) == {1}


@pytest.mark.parametrize(("asked", "given"), [(0.0, 1.0), (90.0, 90.0), (1e9, 900.0), (float("inf"), 900.0)])
def test_a_deferral_is_as_long_as_sqs_allows(asked: float, given: float) -> None:
    sqs = FakeSqs([BRAND])

    async def live() -> None:
        await run_for(make_consumer(sqs, raising(RetryLater(asked))), 0.5)

    run_virtual(live())
    assert [detail for _, name, detail in sqs.calls if name == "send"] == [given]


def test_a_heartbeat_under_way_does_not_undo_a_shorter_visibility() -> None:
    """GIVEN a heartbeat that takes long WHEN the verdict is Hide(1) meanwhile THEN one second it is."""
    sqs = FakeSqs([BRAND], slow_s=2.0)
    again: list[float] = []

    async def handle(delivery: Delivery) -> Verdict:
        again.append(sqs.now())
        if delivery.receives > 1:
            return Done()
        await sqs.hiding.wait()
        return Hide(seconds=1)

    async def live() -> None:
        await run_for(make_consumer(sqs, handle), 60)

    run_virtual(live())
    first_beat = sqs.times("hide")[0]
    assert again[1] - first_beat < 6


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
