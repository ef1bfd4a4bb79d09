"""A queue in memory with the semantics of SQS that the consumer relies on, on the loop's own clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from adology.queues import Consumer, Delivery, Done, Verdict

VISIBILITY_S = 40
BRAND = '{"brand":"nike"}'


@dataclass
class Kept:
    body: str
    visible_at: float
    receives: int = 0
    receipt: str = ""


@dataclass
class FakeSqs:
    """`calls` notes (time, operation, detail). `slow_s` makes each change of visibility take that long."""

    bodies: Sequence[str] = ()
    slow_s: float = 0.0
    fault: Exception | None = None
    messages: dict[str, Kept] = field(default_factory=dict)
    calls: list[tuple[float, str, object]] = field(default_factory=list)
    buried: list[tuple[str, str, str]] = field(default_factory=list)
    hiding: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        for number, body in enumerate(self.bodies):
            self.messages[f"m{number}"] = Kept(body, 0.0)

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def note(self, operation: str, detail: object) -> None:
        self.calls.append((self.now(), operation, detail))
        if self.fault is not None:
            raise self.fault

    def times(self, operation: str) -> list[float]:
        return [at for at, name, _ in self.calls if name == operation]

    async def receive(self, queue: str, *, most: int, wait_s: int, visibility_s: int) -> list[Delivery]:  # noqa: ARG002 - the fake is one queue
        self.note("receive", most)
        deadline = self.now() + wait_s
        await asyncio.sleep(0.01)
        while not (ready := [key for key, kept in self.messages.items() if kept.visible_at <= self.now()]):
            if self.now() >= deadline:
                return []
            await asyncio.sleep(0.1)
        return [self._hand_out(key, visibility_s) for key in ready[: min(10, most)]]

    def _hand_out(self, key: str, visibility_s: int) -> Delivery:
        kept = self.messages[key]
        kept.receives += 1
        kept.receipt = f"{key}/{kept.receives}"
        kept.visible_at = self.now() + visibility_s
        return Delivery(body=kept.body, message_id=key, receipt=kept.receipt, receives=kept.receives)

    async def hide(self, _: str, receipts: Sequence[tuple[str, float]]) -> list[str]:
        self.note("hide", [seconds for _, seconds in receipts])
        self.hiding.set()
        await asyncio.sleep(self.slow_s)
        lost = []
        for receipt, seconds in receipts:
            kept = self.messages.get(receipt.partition("/")[0])
            if kept is None or kept.receipt != receipt:
                lost.append(receipt)
            else:
                kept.visible_at = self.now() + seconds
        return lost

    async def delete(self, _: str, receipts: Sequence[str]) -> list[str]:
        self.note("delete", len(receipts))
        await asyncio.sleep(0.01)
        return [receipt for receipt in receipts if self.messages.pop(receipt.partition("/")[0], None) is None]

    async def send(self, _: str, bodies: Sequence[str], *, delay_s: float = 0.0) -> None:
        self.note("send", delay_s)
        for body in bodies:
            self.messages[f"s{len(self.calls)}"] = Kept(body, self.now() + delay_s)

    async def bury(self, _: str, delivery: Delivery, *, reason: str, code: str) -> None:
        self.note("bury", reason)
        self.buried.append((delivery.body, reason, code))
        self.messages.pop(delivery.message_id, None)


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
