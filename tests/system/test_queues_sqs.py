"""Batches of ten against real queues: every entry's fate is looked at."""

from __future__ import annotations

import json
from collections import Counter

import msgspec
import pytest

from adology.errors import EngineError, UnavailableError
from adology.queues import Delivery, Sqs
from adology.queues.admin import ensure_queues, queue_names
from adology.queues.sqs import BATCH_BYTES, REFUSED_CODE, pack
from tests.system.conftest import Stack
from tests.system.queue_rig import Rig, once_each, open_rig

pytestmark = pytest.mark.anyio


async def drain(rig: Rig) -> Counter[str]:
    bodies: Counter[str] = Counter()
    while found := await rig.take():
        bodies.update(message["Body"] for message in found)
    return bodies


def test_batches_are_full_and_within_both_limits() -> None:
    assert [len(chunk) for chunk in pack("x" * 25)] == [10, 10, 5]
    large = ["é" * 60_000] * 5
    chunks = list(pack(large))
    assert [len(chunk) for chunk in chunks] == [2, 2, 1]
    assert all(sum(len(body.encode()) for body in chunk) <= BATCH_BYTES for chunk in chunks)
    assert list(pack([])) == []


async def test_every_body_arrives_once_even_when_each_entry_fails_at_first(stack: Stack) -> None:
    async with open_rig(stack) as rig:
        rig.picky.refuse("send_message_batch", once_each("MessageBody"))
        bodies = [f"body {n}" for n in range(25)]
        await rig.sqs.send(rig.queue, bodies)
        assert await drain(rig) == Counter(bodies)
        assert rig.picky.calls.count("send_message_batch") == 6


async def test_large_bodies_arrive_in_several_batches(stack: Stack) -> None:
    async with open_rig(stack) as rig:
        bodies = [f"{n}" + "x" * 200_000 for n in range(3)]
        await rig.sqs.send(rig.queue, bodies)
        assert await drain(rig) == Counter(bodies)


async def test_an_entry_that_is_never_taken_is_an_outage(stack: Stack) -> None:
    async with open_rig(stack) as rig:
        rig.picky.refuse("send_message_batch", lambda e: e["MessageBody"] == "7")
        with pytest.raises(UnavailableError, match=r"1 of 10 messages to .* were not taken: InternalError") as caught:
            await rig.sqs.send(rig.queue, [str(n) for n in range(10)])
        assert caught.value.code == "ADO-5804"
        assert await drain(rig) == Counter(str(n) for n in range(10) if n != 7)


async def test_an_entry_refused_for_what_it_is_is_no_outage(stack: Stack) -> None:
    """Trying it for ever would hide the fault: it must count as a failure of the item."""
    async with open_rig(stack) as rig:
        with pytest.raises(EngineError) as real:
            await rig.sqs.send(rig.queue, ["x" * 300_000])
        assert real.value.code == REFUSED_CODE
        assert not real.value.retryable
        rig.picky.refuse("send_message_batch", lambda _: True, code="InvalidMessageContents", sender=True)
        with pytest.raises(EngineError, match=r"2 of 2 messages to .* were refused: InvalidMessageContents"):
            await rig.sqs.send(rig.queue, ["a", "b"])
        rig.picky.refuse("send_message_batch", once_each("MessageBody"), code="RequestThrottled", sender=True)
        await rig.sqs.send(rig.queue, ["c"])
        assert await drain(rig) == Counter(["c"])


async def test_deletes_and_visibility_changes_try_failed_entries_once_more_and_name_the_lost(
    stack: Stack,
) -> None:
    async with open_rig(stack) as rig:
        await rig.send([str(n) for n in range(10)])
        found = await rig.sqs.receive(rig.queue, most=10, wait_s=1, visibility_s=30)
        receipts = [delivery.receipt for delivery in found]
        assert [delivery.receives for delivery in found] == [1] * 10

        rig.picky.refuse("change_message_visibility_batch", once_each("ReceiptHandle"))
        assert await rig.sqs.hide(rig.queue, [(receipt, 20.0) for receipt in receipts]) == []
        rig.picky.refuse("delete_message_batch", once_each("ReceiptHandle"))
        assert await rig.sqs.delete(rig.queue, receipts[:4]) == []
        rig.picky.refuse("delete_message_batch", lambda e: e["ReceiptHandle"] == receipts[5])
        assert await rig.sqs.delete(rig.queue, receipts[4:7]) == [receipts[5]]
        rig.picky.refuse("delete_message_batch", lambda e: e["ReceiptHandle"] == receipts[5], sender=True)
        assert await rig.sqs.delete(rig.queue, [receipts[5], receipts[7]]) == [receipts[5]]
        assert await rig.count() == {"visible": 0, "hidden": 3, "delayed": 0}


async def test_a_mix_of_lost_and_passing_failures_reports_both(stack: Stack) -> None:
    """GIVEN one entry with a dead handle and one that fails twice THEN both are reported, none forgotten."""
    async with open_rig(stack) as rig:
        await rig.send(["a", "b"])
        first, second = await rig.sqs.receive(rig.queue, most=10, wait_s=1, visibility_s=30)
        rig.picky.refuse("delete_message_batch", lambda e: e["ReceiptHandle"] == second.receipt)
        await rig.client.delete_message(QueueUrl=await rig.url(), ReceiptHandle=first.receipt)
        stale = await rig.sqs.delete(rig.queue, [first.receipt, second.receipt])
        assert second.receipt in stale
        assert len(stale) == len(set(stale))


async def test_a_buried_message_carries_its_reason(stack: Stack) -> None:
    async with open_rig(stack) as rig:
        await rig.send(["not json"])
        (found,) = await rig.sqs.receive(rig.queue, most=1, wait_s=1, visibility_s=30)
        await rig.sqs.bury(rig.queue, found, reason="bad\n\x00body " + "é" * 2000, code="ADO-5801")

        (dead,) = await rig.take(queue=rig.dead, wait_s=2)
        told = {name: value["StringValue"] for name, value in dead["MessageAttributes"].items()}
        assert dead["Body"] == "not json"
        assert told.pop("reason").startswith("bad  body éé")
        assert told == {"code": "ADO-5801", "source_queue": rig.queue, "message_id": found.message_id}
        assert sum((await rig.count()).values()) == 0


async def test_a_body_of_the_full_size_is_buried_without_attributes(stack: Stack) -> None:
    async with open_rig(stack) as rig:
        body = "x" * (256 * 1024)
        await rig.send([body])
        (found,) = await rig.sqs.receive(rig.queue, most=1, wait_s=1, visibility_s=30)
        refused: list[bool] = []
        send = rig.client.send_message

        async def refuse_attributes(**arguments: object) -> object:
            """As SQS does: attributes count towards the size; the emulator does not count them."""
            from botocore.exceptions import ClientError

            refused.append("MessageAttributes" in arguments)
            if refused[-1]:
                answer = {"Error": {"Code": "InvalidParameterValue", "Message": "shorter than 262144 bytes"}}
                raise ClientError(answer, "SendMessage")
            return await send(**arguments)

        rig.picky.send_message = refuse_attributes  # type: ignore[attr-defined]  # shadows the passing on
        await rig.sqs.bury(rig.queue, found, reason="why", code="ADO-5801")
        assert refused == [True, False]
        assert [m["Body"] for m in await rig.take(queue=rig.dead, wait_s=2)] == [body]


async def test_a_queue_that_does_not_exist_is_named_with_what_makes_it(stack: Stack) -> None:
    async with open_rig(stack) as rig:
        with pytest.raises(EngineError) as caught:
            await rig.sqs.send("no-such-queue", ["x"])
        assert str(caught.value) == (
            "sqs: queue no-such-queue does not exist. `adology up` creates it on one machine; on AWS Terraform does."
        )
        delivery = Delivery(body="x", message_id="m", receipt="r")
        with pytest.raises(EngineError, match="queue no-such-queue-dlq does not exist"):
            await rig.sqs.bury("no-such-queue", delivery, reason="why", code="ADO-5801")


async def test_a_queue_made_anew_is_found_again(stack: Stack) -> None:
    """GIVEN an address that was looked up WHEN the queue is deleted and made again THEN sending works."""
    async with open_rig(stack) as rig:
        await rig.sqs.send(rig.queue, ["1"])
        await rig.client.delete_queue(QueueUrl=await rig.url())
        with pytest.raises(EngineError, match="does not exist"):
            await rig.sqs.send(rig.queue, ["2"])
        await ensure_queues(rig.settings)
        await rig.sqs.send(rig.queue, ["3"])
        assert await drain(rig) == Counter(["3"])


async def test_queues_are_made_with_their_dead_letter_queues_and_left_alone_afterwards(
    stack: Stack,
) -> None:
    async with open_rig(stack) as rig:
        await rig.send(["kept"])
        await ensure_queues(rig.settings)
        for name in queue_names(rig.settings.queues).values():
            url = await rig.url(name)
            found = await rig.client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            redrive = json.loads(found["Attributes"]["RedrivePolicy"])
            assert redrive["deadLetterTargetArn"].endswith(f":{name}-dlq")
            assert int(redrive["maxReceiveCount"]) == rig.settings.queues.max_receives
            assert int(found["Attributes"]["VisibilityTimeout"]) == rig.settings.queues.visibility_s
        assert await drain(rig) == Counter(["kept"])


async def test_a_server_that_is_not_there_is_an_outage_that_names_the_call(stack: Stack) -> None:
    from adology.aws import open_client

    nowhere = msgspec.structs.replace(stack.settings.aws, endpoint_url="http://127.0.0.1:9")
    async with open_client(nowhere, "sqs") as client:
        with pytest.raises(UnavailableError, match=r"sqs: .* on gone: EndpointConnectionError") as caught:
            await Sqs(client).send("gone", ["x"])
    assert caught.value.code == "ADO-5804"
