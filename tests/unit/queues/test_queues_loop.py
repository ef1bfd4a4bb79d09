"""The consumer's decisions, on a virtual clock: bounds, verdicts, heartbeats."""

from __future__ import annotations

import asyncio

import pytest

from adology.errors import EngineError, LeaseLostError, Retry, RetryLater, UnavailableError
from adology.queues import Dead, Defer, Delivery, Done, Hide, UndecodableError, Verdict
from adology.queues.consumer import back_off
from tests.simulation.loop import run_virtual
from tests.unit.queues.fake_sqs import BRAND, VISIBILITY_S, FakeSqs, make_consumer, raising, run_for, work


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
