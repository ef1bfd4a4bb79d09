"""SQS in batches of ten, with the fate of every entry looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from adology.errors import EngineError, UnavailableError
from adology.log import external_call, logger
from adology.queues.verdict import Delivery

BATCH = 10
BATCH_BYTES = 250 * 1024
SEND_ATTEMPTS = 5
MAX_DELAY_S = 900
MAX_VISIBILITY_S = 43200
ATTRIBUTE_CHARS = 900
"""A reason is cut to this: attributes count towards the size of a message."""
GONE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})

REFUSED = frozenset(
    {
        "InvalidMessageContents",
        "InvalidParameterValue",
        "BatchRequestTooLong",
        "AWS.SimpleQueueService.BatchRequestTooLong",
    }
)
REFUSED_CODE = "ADO-5802"
FAULTS = (BotoCoreError, ResponseParserError, aiohttp.ClientError, OSError, TimeoutError)
"""No usable answer: botocore wraps most, but not all, of what its HTTP client raises."""


class Sqs:
    """The calls the engine makes, on one aioboto3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._urls: dict[str, str] = {}

    async def find_url(self, queue: str) -> str:
        """The queue's address.

        Raises:
            EngineError: there is no such queue.
            UnavailableError: SQS did not answer.
        """
        url = self._urls.get(queue)
        if url is None:
            answer = await self._call("get_queue_url", queue, QueueName=queue)
            url = self._urls[queue] = str(answer["QueueUrl"])
        return url

    async def send(self, queue: str, bodies: Sequence[str], *, delay_s: float = 0.0) -> None:
        """Send every body, or raise.

        Raises:
            UnavailableError: SQS did not take some entries in five attempts; sending all again is safe.
            EngineError: SQS refuses an entry for what it is (too large, characters); no use in sending it again.
        """
        for chunk in pack(bodies):
            await self._send_chunk(queue, chunk, delay_s)

    async def _send_chunk(self, queue: str, bodies: Sequence[str], delay_s: float) -> None:
        left = dict(enumerate(bodies))
        problem = ""
        for attempt in range(SEND_ATTEMPTS):
            entries: list[dict[str, Any]] = [{"Id": str(i), "MessageBody": body} for i, body in left.items()]
            if delay_s >= 1:
                for entry in entries:
                    entry["DelaySeconds"] = min(MAX_DELAY_S, round(delay_s))
            answer = await self._call("send_message_batch", queue, Entries=entries)
            failed = answer.get("Failed", [])
            left = {int(entry["Id"]): left[int(entry["Id"])] for entry in failed}
            if not left:
                return
            problem = f"{failed[0].get('Code')}: {failed[0].get('Message', '')}"
            if all(_is_refused(entry) for entry in failed):
                raise EngineError(
                    f"sqs: {len(left)} of {len(bodies)} messages to {queue} were refused: {problem}", code=REFUSED_CODE
                )
            if attempt < SEND_ATTEMPTS - 1:
                await asyncio.sleep(0.1 * 2**attempt)
        raise UnavailableError(
            f"sqs: {len(left)} of {len(bodies)} messages to {queue} were not taken: {problem}", code="ADO-5804"
        )

    async def receive(self, queue: str, *, most: int, wait_s: int, visibility_s: int) -> list[Delivery]:
        """Up to ten messages, hidden for `visibility_s`."""
        answer = await self._call(
            "receive_message",
            queue,
            MaxNumberOfMessages=min(BATCH, most),
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=visibility_s,
            AttributeNames=["ApproximateReceiveCount"],
        )
        return [
            Delivery(
                body=message["Body"],
                message_id=message["MessageId"],
                receipt=message["ReceiptHandle"],
                receives=int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
            )
            for message in answer.get("Messages", [])
        ]

    async def delete(self, queue: str, receipts: Sequence[str]) -> list[str]:
        """Delete up to ten messages; the receipts that could not be deleted."""
        return await self._each("delete_message_batch", queue, [{"ReceiptHandle": r} for r in receipts])

    async def hide(self, queue: str, receipts: Sequence[tuple[str, float]]) -> list[str]:
        """Hide up to ten messages for that many seconds from now; the receipts that failed."""
        entries = [
            {"ReceiptHandle": receipt, "VisibilityTimeout": int(min(MAX_VISIBILITY_S, max(0, round(seconds))))}
            for receipt, seconds in receipts
        ]
        return await self._each("change_message_visibility_batch", queue, entries)

    async def _each(self, operation: str, queue: str, entries: list[dict[str, Any]]) -> list[str]:
        """One batch call; entries that fail for reasons of the service are tried once more."""
        left, lost = entries, list[str]()
        for _ in range(2):
            numbered = [{"Id": str(i), **entry} for i, entry in enumerate(left)]
            answer = await self._call(operation, queue, Entries=numbered)
            failed = answer.get("Failed", [])
            for entry in failed:
                logger.bind(queue=queue, operation=operation, code=entry.get("Code")).warning("sqs entry failed")
            lost += [left[int(e["Id"])]["ReceiptHandle"] for e in failed if e.get("SenderFault")]
            left = [left[int(e["Id"])] for e in failed if not e.get("SenderFault")]
            if not left:
                break
        return lost + [entry["ReceiptHandle"] for entry in left]

    async def bury(self, queue: str, delivery: Delivery, *, reason: str, code: str) -> None:
        """Copy a message to the queue's dead-letter queue with the reason, then delete it."""
        told = {"reason": printable(reason), "code": code, "source_queue": queue, "message_id": delivery.message_id}
        attributes = {name: {"DataType": "String", "StringValue": text} for name, text in told.items()}
        grave = dead_letter_name(queue)
        try:
            await self._call("send_message", grave, MessageBody=delivery.body, MessageAttributes=attributes)
        except EngineError as error:
            if error.code != REFUSED_CODE:
                raise
            # A body of the full size leaves no room for attributes; the reason is in the log as well.
            await self._call("send_message", grave, MessageBody=delivery.body)
        await self.delete(queue, [delivery.receipt])

    async def count(self, queue: str) -> dict[str, int]:
        """Approximate numbers of messages: visible, hidden, delayed."""
        names = {
            "visible": "ApproximateNumberOfMessages",
            "hidden": "ApproximateNumberOfMessagesNotVisible",
            "delayed": "ApproximateNumberOfMessagesDelayed",
        }
        answer = await self._call("get_queue_attributes", queue, AttributeNames=list(names.values()))
        return {short: int(answer["Attributes"].get(name, 0)) for short, name in names.items()}

    async def _call(self, operation: str, queue: str, **arguments: Any) -> Any:
        try:
            async with external_call("sqs", operation, queue=queue):
                if operation != "get_queue_url":
                    arguments["QueueUrl"] = self._urls.get(queue) or await self.find_url(queue)
                return await getattr(self._client, operation)(**arguments)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in GONE:
                self._urls.pop(queue, None)
                raise EngineError(
                    f"sqs: queue {queue} does not exist",
                    hint="`adology up` creates it on one machine; on AWS Terraform does.",
                    code="ADO-5803",
                ) from error
            if code in REFUSED:
                raise EngineError(f"sqs: {operation} on {queue}: {code}: {error}", code=REFUSED_CODE) from error
            raise UnavailableError(f"sqs: {operation} on {queue}: {code}: {error}", code="ADO-5804") from error
        except FAULTS as error:
            raise UnavailableError(
                f"sqs: {operation} on {queue}: {type(error).__name__}: {error}", code="ADO-5804"
            ) from error


def _is_refused(entry: dict[str, Any]) -> bool:
    """Whether a failed entry would fail again, whenever it is sent."""
    return bool(entry.get("SenderFault")) and "throttl" not in str(entry.get("Code", "")).lower()


def pack(bodies: Iterable[str]) -> Iterator[list[str]]:
    """Chunks of at most ten bodies and 250 KiB."""
    chunk: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if chunk and (len(chunk) == BATCH or size + length > BATCH_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(body)
        size += length
    if chunk:
        yield chunk


def dead_letter_name(queue: str) -> str:
    """The name of a queue's dead-letter queue."""
    return f"{queue}-dlq"


def printable(text: str) -> str:
    """`text` as SQS accepts it in an attribute: no control characters, not empty, not long."""
    return "".join(c if c.isprintable() else " " for c in text)[:ATTRIBUTE_CHARS] or "-"
