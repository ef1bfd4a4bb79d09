"""Real queues for the consumer's tests, and a client that refuses chosen entries."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import msgspec

from adology.aws import open_client
from adology.queues import Consumer, Delivery, Sqs, Verdict
from adology.queues.admin import ensure_queues, queue_names
from adology.queues.sqs import dead_letter_name
from adology.settings import AdologySettings
from tests.system.conftest import Stack

Fails = Callable[[dict[str, Any]], bool]


class PickyClient:
    """The real client, except that entries for which a rule holds are answered as failed and not passed on."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.rules: dict[str, tuple[Fails, str, bool]] = {}
        self.calls: list[str] = []

    def refuse(self, operation: str, fails: Fails, *, code: str = "InternalError", sender: bool = False) -> None:
        self.rules[operation] = (fails, code, sender)

    def __getattr__(self, operation: str) -> Any:
        async def call(**arguments: Any) -> Any:
            self.calls.append(operation)
            if operation not in self.rules:
                return await getattr(self._client, operation)(**arguments)
            fails, code, sender = self.rules[operation]
            bad = [e for e in arguments["Entries"] if fails(e)]
            good = [e for e in arguments["Entries"] if e not in bad]
            answer: dict[str, Any] = {"Successful": [], "Failed": []}
            if good:
                answer.update(await getattr(self._client, operation)(**{**arguments, "Entries": good}))
            told = [{"Id": e["Id"], "Code": code, "Message": "refused by the test", "SenderFault": sender} for e in bad]
            return {**answer, "Failed": [*answer.get("Failed", []), *told]}

        return call


def once_each(key: str) -> Fails:
    """True at the first sight of each value of an entry's field."""
    seen: set[str] = set()

    def fails(entry: dict[str, Any]) -> bool:
        new = entry[key] not in seen
        seen.add(entry[key])
        return new

    return fails


class Rig:
    """One real queue with its dead-letter queue."""

    def __init__(self, client: Any, settings: AdologySettings) -> None:
        queue = queue_names(settings.queues)["acquire"]
        self.client = client
        self.settings = settings
        self.picky = PickyClient(client)
        self.sqs = Sqs(self.picky)
        self.queue = queue
        self.dead = dead_letter_name(queue)

    async def url(self, queue: str | None = None) -> str:
        return await self.sqs.find_url(queue or self.queue)

    async def send(self, bodies: Sequence[str]) -> None:
        await Sqs(self.client).send(self.queue, bodies)

    async def take(self, *, wait_s: int = 0, queue: str | None = None, hide_s: int = 30) -> list[Any]:
        """Messages as any other program would receive them, with all attributes."""
        answer = await self.client.receive_message(
            QueueUrl=await self.url(queue),
            MaxNumberOfMessages=10,
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=hide_s,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    async def count(self, queue: str | None = None) -> dict[str, int]:
        return await Sqs(self.client).count(queue or self.queue)

    async def wait_count(self, seconds: float = 15.0, queue: str | None = None, **wanted: int) -> None:
        async with asyncio.timeout(seconds):
            while not wanted.items() <= (await self.count(queue)).items():  # noqa: ASYNC110 - the server's state
                await asyncio.sleep(0.05)

    def consumer(self, handler: Callable[[Delivery], Awaitable[Verdict]], **over: Any) -> Consumer:
        options: dict[str, Any] = {
            "concurrency": 4,
            "prefetch": 8,
            "visibility_s": 2,
            "wait_s": 1,
            "timeout_s": 30.0,
            "drain_s": 10.0,
            **over,
        }
        return Consumer(self.sqs, self.queue, handler, **options)


@contextlib.asynccontextmanager
async def open_rig(stack: Stack, *, max_receives: int = 10) -> AsyncIterator[Rig]:
    """Queues of its own, for as long as the block lasts."""
    own = {"prefix": f"t{uuid.uuid4().hex[:12]}-", "max_receives": max_receives}
    whole = stack.settings
    settings = msgspec.structs.replace(whole, queues=msgspec.structs.replace(whole.queues, **own))
    await ensure_queues(settings)
    async with open_client(settings.aws, "sqs") as client:
        yield Rig(client, settings)
        found = await client.list_queues(QueueNamePrefix=own["prefix"])
        await asyncio.gather(*(client.delete_queue(QueueUrl=url) for url in found.get("QueueUrls", [])))


@contextlib.asynccontextmanager
async def consuming(consumer: Consumer) -> AsyncIterator[None]:
    """The consumer runs inside the block and has ended after it."""
    running = asyncio.create_task(consumer.run())
    try:
        yield
    finally:
        consumer.stop()
        await running
