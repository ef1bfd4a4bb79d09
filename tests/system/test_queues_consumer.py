"""The consumer on real queues: hidden while in hand, deferred, dead-lettered, drained."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from typing import Any

import pytest

from adology.errors import RetryLater
from adology.queues import AcquireMessage, Delivery, Done, Hide, Verdict, decode
from tests.system.conftest import Stack
from tests.system.queue_rig import consuming, once_each, open_rig

pytestmark = pytest.mark.anyio


async def test_work_longer_than_the_visibility_is_done_once(stack: Stack) -> None:
    """GIVEN one slow worker and a prefetch buffer THEN nobody else ever sees a message that is in hand."""
    async with open_rig(stack) as rig:
        await rig.send([f"slow {n}" for n in range(4)])
        received: list[int] = []

        async def handle(delivery: Delivery) -> Verdict:
            received.append(delivery.receives)
            await asyncio.sleep(1.3)
            return Done()

        async with consuming(rig.consumer(handle, concurrency=1, prefetch=3, visibility_s=1)):
            seen_by_others: list[Any] = []
            await rig.wait_count(visible=0)
            while sum((await rig.count()).values()):
                seen_by_others += await rig.take()
                await asyncio.sleep(0.05)
        assert received == [1, 1, 1, 1]
        assert seen_by_others == []


async def test_no_more_messages_are_hidden_than_the_bound(stack: Stack) -> None:
    async with open_rig(stack) as rig:
        await rig.send([str(n) for n in range(60)])
        most = 0

        async def handle(_: Delivery) -> Verdict:
            nonlocal most
            most = max(most, (await rig.count())["hidden"])
            return Done()

        consumer = rig.consumer(handle, concurrency=3, prefetch=4, visibility_s=30)
        async with consuming(consumer):
            await rig.wait_count(visible=0, hidden=0)
        assert consumer.handled == 60
        assert 3 < most <= 7


async def test_failed_entries_of_deletes_and_visibility_changes_do_no_harm(stack: Stack) -> None:
    """GIVEN each entry failing at first, and one delete never working, THEN only that message comes again."""
    async with open_rig(stack) as rig:
        await rig.send([str(n) for n in range(20)])
        seen: dict[str, int] = {}
        doomed: set[str] = set()

        async def handle(delivery: Delivery) -> Verdict:
            seen[delivery.body] = delivery.receives
            if delivery.body == "13" and delivery.receives == 1:
                doomed.add(delivery.receipt)
            return Hide(seconds=0) if delivery.body == "7" and delivery.receives < 3 else Done()

        first = once_each("ReceiptHandle")
        rig.picky.refuse("change_message_visibility_batch", once_each("ReceiptHandle"))
        rig.picky.refuse("delete_message_batch", lambda e: e["ReceiptHandle"] in doomed or first(e))
        async with consuming(rig.consumer(handle, visibility_s=1)):
            await rig.wait_count(visible=0, hidden=0)
        assert {body: n for body, n in seen.items() if n > 1} == {"7": 3, "13": 2}
        assert len(seen) == 20


async def test_retry_later_comes_back_as_a_fresh_message_of_the_same_request(stack: Stack) -> None:
    """GIVEN a message of another program, too early twice THEN it never counts, and keeps all its fields."""
    async with open_rig(stack) as rig:
        theirs = {"brand": "nike", "url": "https://x/1", "metadata": {"price": 1.1}, "their": [1, "ü"]}
        await rig.send([json.dumps(theirs)])
        seen: list[tuple[float, Delivery]] = []

        async def handle(delivery: Delivery) -> Verdict:
            seen.append((time.monotonic(), delivery))
            if decode(delivery.body, AcquireMessage).deferred < 2:
                raise RetryLater(1.0)
            return Done()

        async with consuming(rig.consumer(handle)):
            await rig.wait_count(visible=0, hidden=0, delayed=0)
        deliveries = [delivery for _, delivery in seen]
        first = deliveries[0].message_id
        assert [delivery.receives for delivery in deliveries] == [1, 1, 1]
        assert len({delivery.message_id for delivery in deliveries}) == 3
        assert [json.loads(delivery.body) for delivery in deliveries] == [
            theirs,
            {**theirs, "request_id": first, "deferred": 1},
            {**theirs, "request_id": first, "deferred": 2},
        ]
        assert all(later[0] - earlier[0] > 0.8 for earlier, later in itertools.pairwise(seen))


async def test_poison_is_recognised_by_its_receives_and_ends_in_the_dead_letter_queue(
    stack: Stack,
) -> None:
    async with open_rig(stack, max_receives=3) as rig:
        await rig.send(["poison", "food"])
        seen: list[tuple[str, int]] = []

        async def handle(delivery: Delivery) -> Verdict:
            seen.append((delivery.body, delivery.receives))
            return Done() if delivery.body == "food" else Hide(seconds=0)

        async with consuming(rig.consumer(handle)):
            await rig.wait_count(queue=rig.dead, visible=1)
        assert [n for body, n in seen if body == "poison"] == [1, 2, 3]
        assert [m["Body"] for m in await rig.take(queue=rig.dead)] == ["poison"]


async def test_what_is_no_message_is_dead_lettered_at_once_with_the_reason(stack: Stack) -> None:
    async with open_rig(stack) as rig:
        await rig.send(['{"brand":"nike"}', "]["])

        async def handle(delivery: Delivery) -> Verdict:
            decode(delivery.body, AcquireMessage)
            return Done()

        async with consuming(rig.consumer(handle)):
            await rig.wait_count(queue=rig.dead, visible=2)
        dead = {m["Body"]: m["MessageAttributes"] for m in await rig.take(queue=rig.dead)}
        assert {told["code"]["StringValue"] for told in dead.values()} == {"ADO-5801"}
        assert "missing required field `url`" in dead['{"brand":"nike"}']["reason"]["StringValue"]
        assert "JSON is malformed" in dead["]["]["reason"]["StringValue"]


async def test_stop_finishes_the_work_and_hands_back_the_rest_within_a_second(stack: Stack) -> None:
    async with open_rig(stack) as rig:
        await rig.send([str(n) for n in range(10)])
        started, finished = asyncio.Event(), 0

        async def handle(_: Delivery) -> Verdict:
            nonlocal finished
            started.set()
            await asyncio.sleep(1.5)
            finished += 1
            return Done()

        consumer = rig.consumer(handle, concurrency=2, prefetch=8, visibility_s=60)
        running = asyncio.create_task(consumer.run())
        await started.wait()
        await rig.wait_count(visible=0, hidden=10)
        consumer.stop()
        await rig.wait_count(seconds=1.0, visible=8, hidden=2)
        await running
        assert (finished, consumer.handled, consumer.abandoned) == (2, 2, 0)
        assert await rig.count() == {"visible": 8, "hidden": 0, "delayed": 0}


async def test_stop_hands_back_what_outlasts_the_drain(stack: Stack) -> None:
    async with open_rig(stack) as rig:
        await rig.send(["endless", "endless"])
        cancelled = 0

        async def handle(_: Delivery) -> Verdict:
            nonlocal cancelled
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                cancelled += 1
                raise
            return Done()

        consumer = rig.consumer(handle, visibility_s=60, drain_s=0.3)
        async with consuming(consumer):
            await rig.wait_count(visible=0, hidden=2)
        assert (cancelled, consumer.abandoned, consumer.handled) == (2, 2, 0)
        await rig.wait_count(seconds=1.0, visible=2, hidden=0)
        assert len(await rig.take()) == 2


async def test_a_crash_loses_nothing(stack: Stack) -> None:
    """GIVEN a consumer that is cut off without any goodbye THEN all its messages come back."""
    async with open_rig(stack) as rig:
        await rig.send([str(n) for n in range(6)])
        done: set[str] = set()

        async def hang(_: Delivery) -> Verdict:
            await asyncio.Event().wait()
            return Done()

        async def handle(delivery: Delivery) -> Verdict:
            done.add(delivery.body)
            return Done()

        crashed = rig.consumer(hang, concurrency=2, visibility_s=1)
        running = asyncio.create_task(crashed.run())
        await rig.wait_count(visible=0, hidden=6)
        crashed._finish = lambda *_: None  # type: ignore[method-assign]  # a killed process says nothing
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

        async with consuming(rig.consumer(handle)):
            await rig.wait_count(visible=0, hidden=0)
        assert done == {str(n) for n in range(6)}
