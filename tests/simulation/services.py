"""The simulated SQS and registry. Both can lose everything they have in memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from adology.abc.sink import ItemResult
from adology.queues.verdict import Delivery
from adology.registry_client.protocol import Progress, StaleBatchError, SubmitAnswer, UnknownBrandError
from adology_registry.state import ActiveBrands, Held
from tests.simulation.network import Network
from tests.simulation.stores import now


@dataclass
class Message:
    body: str
    visible_at: float
    receives: int = 0
    receipt: str = ""


@dataclass
class SimSqs:
    """A standard queue: at least once, in any order, forgotten when its server is killed."""

    net: Network
    duplicate_rate: float = 0.0
    max_receives: int = 10
    queues: dict[str, dict[str, Message]] = field(default_factory=dict)
    dead: list[tuple[str, str, str]] = field(default_factory=list)
    _count: int = 0
    _arrived: dict[str, asyncio.Event] = field(default_factory=dict)

    def put(self, queue: str, body: str, delay_s: float = 0.0) -> None:
        copies = 2 if self.net.rng.random() < self.duplicate_rate else 1
        for _ in range(copies):
            self._count += 1
            self.queues.setdefault(queue, {})[f"m{self._count}"] = Message(body, now() + delay_s)
        if queue in self._arrived:
            self._arrived[queue].set()

    async def send(self, queue: str, bodies: Sequence[str], *, delay_s: float = 0.0) -> None:
        async with self.net.call("sqs"):
            for body in bodies:
                self.put(queue, body, delay_s)

    async def receive(self, queue: str, *, most: int, wait_s: int, visibility_s: int) -> list[Delivery]:
        deadline = now() + wait_s
        while True:
            async with self.net.call("sqs"):
                found = self._take(queue, min(10, most), visibility_s)
            if found or now() >= deadline:
                return found
            await self._wait_for_message(queue, deadline)

    async def _wait_for_message(self, queue: str, deadline: float) -> None:
        arrived = self._arrived.setdefault(queue, asyncio.Event())
        arrived.clear()
        hidden = (message.visible_at for message in self.queues[queue].values() if message.visible_at > now())
        until = min(deadline, min(hidden, default=deadline))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.05, until - now())):
                await arrived.wait()

    def _take(self, queue: str, most: int, visibility_s: int) -> list[Delivery]:
        messages = self.queues.setdefault(queue, {})
        for key, message in list(messages.items()):
            if message.receives >= self.max_receives and message.visible_at <= now():
                self.dead.append((queue, messages.pop(key).body, "received too often"))
        ready = [key for key, message in messages.items() if message.visible_at <= now()]
        self.net.rng.shuffle(ready)
        found = []
        for key in ready[:most]:
            message = messages[key]
            message.receives += 1
            message.visible_at = now() + visibility_s
            message.receipt = f"{key}/{message.receives}"
            found.append(
                Delivery(body=message.body, message_id=key, receipt=message.receipt, receives=message.receives)
            )
        return found

    async def delete(self, queue: str, receipts: Sequence[str]) -> list[str]:
        async with self.net.call("sqs"):
            lost = [receipt for receipt in receipts if not self._held(queue, receipt)]
            for receipt in receipts:
                self.queues[queue].pop(receipt.partition("/")[0], None)
            return lost

    async def hide(self, queue: str, receipts: Sequence[tuple[str, float]]) -> list[str]:
        async with self.net.call("sqs"):
            lost = []
            for receipt, seconds in receipts:
                if self._held(queue, receipt):
                    self.queues[queue][receipt.partition("/")[0]].visible_at = now() + seconds
                else:
                    lost.append(receipt)
            return lost

    async def bury(self, queue: str, delivery: Delivery, *, reason: str, code: str) -> None:
        async with self.net.call("sqs"):
            self.dead.append((queue, delivery.body, f"{code}: {reason}"))
            self.queues[queue].pop(delivery.receipt.partition("/")[0], None)

    def _held(self, queue: str, receipt: str) -> bool:
        message = self.queues[queue].get(receipt.partition("/")[0])
        return message is not None and message.receipt == receipt

    def lose_everything(self) -> None:
        for messages in self.queues.values():
            messages.clear()


class SimRegistry:
    """The real registry's state behind a faulty network."""

    state_type: type[ActiveBrands] = ActiveBrands

    def __init__(self, net: Network) -> None:
        self.net = net
        self._tokens = 0
        self.state = self._new_state()

    def _new_state(self) -> ActiveBrands:
        return self.state_type(lease_s=20.0, max_held_bytes=10**9, clock=now, new_token=self._new_token)

    def _new_token(self) -> str:
        self._tokens += 1
        return f"t{self._tokens}"

    def restart(self) -> None:
        self.state = self._new_state()

    async def start(self, brand: str, expected_count: int, batch_id: str) -> SubmitAnswer:
        async with self.net.call("registry"):
            return self.state.start(brand, expected_count, batch_id)

    async def submit(self, brand: str, batch_id: str, result: ItemResult) -> SubmitAnswer:
        return await self.submit_many(brand, batch_id, [result])

    async def submit_many(self, brand: str, batch_id: str, results: Sequence[ItemResult]) -> SubmitAnswer:
        async with self.net.call("registry"):
            return self.state.submit(brand, [_hold(result) for result in results], batch_id)

    async def renew(self, brand: str, batch_id: str, lease_token: str) -> None:
        async with self.net.call("registry"):
            self.state.renew(brand, lease_token, batch_id)

    async def release(self, brand: str, batch_id: str, lease_token: str) -> None:
        async with self.net.call("registry"):
            self.state.release(brand, lease_token, batch_id)

    async def complete(self, brand: str, batch_id: str, lease_token: str = "") -> None:
        async with self.net.call("registry"):
            self.state.complete(brand, batch_id, lease_token or None)

    async def results(self, brand: str, batch_id: str) -> list[ItemResult]:
        async with self.net.call("registry"):
            try:
                if self.state.progress(brand).batch_id != batch_id:
                    return []
                return [msgspec.msgpack.decode(held.data, type=ItemResult) for held in self.state.results(brand)]
            except (UnknownBrandError, StaleBatchError):
                return []

    async def brands(self) -> list[Progress]:
        async with self.net.call("registry"):
            return self.state.page("", 1000)[0]

    async def progress(self, brand: str) -> Progress | None:
        async with self.net.call("registry"):
            try:
                return self.state.progress(brand)
            except UnknownBrandError:
                return None


def _hold(result: ItemResult) -> Held:
    return Held(result.url, result.status == "failed", msgspec.msgpack.encode(result))
