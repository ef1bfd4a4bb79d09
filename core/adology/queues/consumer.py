"""The worker's loop over one queue: receive, keep hidden, handle, and only then delete.

Bounded everywhere: at most `concurrency` messages in work and `prefetch` ready, counting those
whose deletion is under way. Every message in hand, also the ones that wait, is kept hidden by a
heartbeat that starts when it is received.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import msgspec

from adology.aio import Coalescer
from adology.errors import EngineError, LeaseLostError, Retry, RetryLater, UnavailableError, code_of, describe
from adology.log import bound, logger
from adology.queues.messages import UndecodableError
from adology.queues.sqs import BATCH, MAX_DELAY_S, Sqs
from adology.queues.verdict import Dead, Defer, Delivery, Done, Hide, Verdict

Handler = Callable[[Delivery], Awaitable[Verdict]]

RECEIVERS = 2
DELETE_DELAY_S = 0.003
FAULT_PAUSE_S = 1.0


def back_off(receives: int) -> float:
    """Seconds to hide a message that failed for the `receives`-th time: 2, 4, 8 … 300."""
    return float(min(300, 2 ** min(receives, 9)))


class Consumer:
    """Consumes one queue until `stop`. Run it with `await consumer.run()`."""

    def __init__(
        self,
        sqs: Sqs,
        queue: str,
        handler: Handler,
        *,
        concurrency: int,
        prefetch: int,
        visibility_s: int,
        wait_s: int,
        timeout_s: float,
        drain_s: float,
    ) -> None:
        self.queue = queue
        self._sqs = sqs
        self._handler = handler
        self._concurrency = concurrency
        self._most = concurrency + prefetch
        self._visibility_s = visibility_s
        self._wait_s = wait_s
        self._timeout_s = timeout_s
        self._drain_s = drain_s
        self._buffer: asyncio.Queue[Delivery] = asyncio.Queue()
        self._in_hand: dict[str, float] = {}
        self._room = asyncio.Condition()
        self._stopping = asyncio.Event()
        self._delete: Coalescer[str, bool] = Coalescer(
            self._delete_many, most=BATCH, parallel=4, delay_s=DELETE_DELAY_S
        )
        self._hide: Coalescer[tuple[str, float], bool] = Coalescer(self._hide_many, most=BATCH, parallel=2)
        self._finishing: set[asyncio.Task[None]] = set()
        self.handled = 0
        self.abandoned = 0

    def stop(self) -> None:
        """Stop receiving, finish or hand back what is in hand, then let `run` return."""
        self._stopping.set()

    async def run(self) -> None:
        """Consume until `stop`. Only a cancellation ends it otherwise."""
        receivers = [asyncio.create_task(self._receive()) for _ in range(RECEIVERS)]
        workers = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
        keeper = asyncio.create_task(self._keep_hidden())
        try:
            await self._stopping.wait()
            # What a cancelled poll would have brought comes back when its visibility ends.
            await _cancel(receivers)
            await self._hand_back_buffered()
            await self._drain(workers)
        finally:
            await _cancel([*receivers, *workers])
            if self._finishing:
                await asyncio.wait(self._finishing, timeout=5)
            await _cancel([keeper])

    async def _drain(self, workers: list[asyncio.Task[None]]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._drain_s), self._room:
                await self._room.wait_for(lambda: not self._in_hand)
        self.abandoned = len(self._in_hand)
        # A cancelled handler's message is handed back by `_handle`.
        await _cancel(workers)

    async def _receive(self) -> None:
        while True:
            async with self._room:
                await self._room.wait_for(lambda: len(self._in_hand) < self._most)
            await self._poll()

    async def _poll(self) -> None:
        try:
            found = await self._sqs.receive(
                self.queue,
                most=self._most - len(self._in_hand),
                wait_s=self._wait_s,
                visibility_s=self._visibility_s,
            )
        except EngineError as error:
            logger.bind(queue=self.queue, error=describe(error)).error("queue cannot be received from")
            await asyncio.sleep(FAULT_PAUSE_S * 3)
        except Retry:
            await asyncio.sleep(FAULT_PAUSE_S)
        else:
            now = asyncio.get_running_loop().time()
            for delivery in found:
                self._in_hand[delivery.receipt] = now
                self._buffer.put_nowait(delivery)

    async def _work(self) -> None:
        while True:
            delivery = await self._buffer.get()
            if delivery.receipt in self._in_hand:
                await self._handle(delivery)

    async def _handle(self, delivery: Delivery) -> None:
        try:
            with bound(queue=self.queue, message=delivery.message_id, attempt=delivery.receives):
                verdict = await self._judge(delivery)
                if not isinstance(verdict, Done):
                    logger.bind(verdict=type(verdict).__name__, why=getattr(verdict, "why", "")).info(
                        "message not done"
                    )
        except asyncio.CancelledError:
            self._finish(delivery, Hide(seconds=0, why="shutting down"))
            raise
        self._finish(delivery, verdict)

    async def _judge(self, delivery: Delivery) -> Verdict:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._handler(delivery)
        except UndecodableError as error:
            return Dead(reason=str(error), code=error.code)
        except RetryLater as error:
            return Defer(seconds=error.seconds, why=describe(error))
        except LeaseLostError as error:
            return Hide(seconds=2, why=describe(error))
        except UnavailableError as error:
            return Defer(why=describe(error))
        except Retry as error:
            return Hide(seconds=error.after or back_off(delivery.receives), why=describe(error))
        except TimeoutError:
            logger.bind(timeout_s=self._timeout_s).error("handler ran out of time")
            return Hide(seconds=back_off(delivery.receives), why=f"took longer than {self._timeout_s} s")
        except Exception as error:  # noqa: BLE001 - any fault of a handler means: this message again, later
            logger.bind(code=code_of(error)).opt(exception=True).error("handler failed")
            return Hide(seconds=back_off(delivery.receives), why=describe(error))

    def _finish(self, delivery: Delivery, verdict: Verdict) -> None:
        """Carry out the verdict beside the next message; until then the message counts as in hand."""
        task = asyncio.create_task(self._carry_out(delivery, verdict))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _carry_out(self, delivery: Delivery, verdict: Verdict) -> None:
        try:
            match verdict:
                case Done():
                    await self._delete(delivery.receipt)
                case Hide():
                    await self._hide((delivery.receipt, verdict.seconds))
                case Defer():
                    await self._defer(delivery, verdict)
                case Dead():
                    logger.bind(reason=verdict.reason, code=verdict.code).error("message dead-lettered")
                    await self._sqs.bury(self.queue, delivery, reason=verdict.reason, code=verdict.code)
            self.handled += 1
        except (Retry, EngineError) as error:
            # The message comes back by itself; its effect was idempotent.
            logger.bind(queue=self.queue, error=describe(error)).warning("verdict not carried out")
        finally:
            self._in_hand.pop(delivery.receipt, None)
            async with self._room:
                self._room.notify_all()

    async def _defer(self, delivery: Delivery, verdict: Defer) -> None:
        """Send a copy with a delay, then delete: a fresh message has a fresh receive count."""
        fields = msgspec.json.decode(delivery.body)
        fields["request_id"] = fields.get("request_id") or delivery.message_id
        count = fields["deferred"] = int(fields.get("deferred") or 0) + 1
        seconds = min(60.0, 2.0 ** min(count, 6)) if verdict.seconds is None else verdict.seconds
        body = msgspec.json.encode(fields).decode()
        await self._sqs.send(self.queue, [body], delay_s=min(MAX_DELAY_S, max(1.0, seconds)))
        await self._delete(delivery.receipt)

    async def _hand_back_buffered(self) -> None:
        waiting: list[Delivery] = []
        while not self._buffer.empty():
            waiting.append(self._buffer.get_nowait())
        for delivery in waiting:
            self._finish(delivery, Hide(seconds=0, why="shutting down"))

    async def _keep_hidden(self) -> None:
        period = self._visibility_s / 4
        while True:
            await asyncio.sleep(period)
            receipts = list(self._in_hand)
            for start in range(0, len(receipts), BATCH):
                chunk = [(receipt, float(self._visibility_s)) for receipt in receipts[start : start + BATCH]]
                try:
                    await self._hide_many([entry for entry in chunk if entry[0] in self._in_hand])
                except (Retry, EngineError) as error:
                    logger.bind(queue=self.queue, error=describe(error)).warning("heartbeat failed")

    async def _delete_many(self, receipts: list[str]) -> list[bool]:
        lost = set(await self._sqs.delete(self.queue, receipts))
        return [receipt not in lost for receipt in receipts]

    async def _hide_many(self, entries: list[tuple[str, float]]) -> list[bool]:
        if not entries:
            return []
        lost = set(await self._sqs.hide(self.queue, entries))
        return [receipt not in lost for receipt, _ in entries]


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
