"""The worker's loop over one queue: receive, keep hidden, handle, and only then delete.

Bounded everywhere: at most `concurrency` messages in work and `prefetch` ready, counting those
that are asked for and those whose deletion is under way. Every message in hand, also the ones
that wait, is kept hidden by a heartbeat that starts when it is received.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from adology.aio import Coalescer
from adology.errors import EngineError, LeaseLostError, Retry, RetryLater, UnavailableError, code_of, describe
from adology.log import bound, logger
from adology.queues.heartbeat import Heartbeat
from adology.queues.messages import UndecodableError, defer_body
from adology.queues.sqs import BATCH, MAX_DELAY_S, Sqs
from adology.queues.verdict import Dead, Defer, Delivery, Done, Hide, Verdict

Handler = Callable[[Delivery], Awaitable[Verdict]]

RECEIVERS = 2
DELETE_DELAY_S = 0.003
FAULT_PAUSE_S = 1.0
POLL_GRACE_S = 1.0
"""For a poll that is under way when `stop` comes: what it brings is handed back. It goes on during
the drain, and for this long at least, because one that is cut off may take messages with it until
their visibility ends: SQS does not notice in time that nobody waits for its answer any more."""
FINISH_GRACE_S = 5.0
HAND_BACK = Hide(seconds=0, why="shutting down")


def back_off(receives: int) -> float:
    """Seconds to hide a message that failed for the `receives`-th time: 2, 4, 8 … 300."""
    return float(min(300, 2 ** min(receives, 9)))


def defer_pause(deferrals: int) -> float:
    """Seconds before a message is tried again that met a store which is away: 2, 4, 8 … 60."""
    return min(60.0, 2.0 ** min(deferrals, 6))


class Consumer:
    """Consumes one queue until `stop`. Run it with `await consumer.run()`, once.

    Attributes:
        handled: messages whose verdict was carried out.
        abandoned: messages whose handler was cut off by `stop` because the drain time was over.
    """

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
        # Full batches as long as enough is ready: one poll for ten messages, not ten for one.
        self._worth_asking = min(BATCH, max(1, prefetch // 2))
        self._visibility_s = visibility_s
        self._wait_s = wait_s
        self._timeout_s = timeout_s
        self._drain_s = drain_s
        self._buffer: asyncio.Queue[Delivery] = asyncio.Queue()
        self._asked = 0
        self._in_hand: set[str] = set()
        self._in_work: set[str] = set()
        self._room = asyncio.Condition()
        self._stopping = asyncio.Event()
        self._delete: Coalescer[str, bool] = Coalescer(
            self._delete_many, most=BATCH, parallel=4, delay_s=DELETE_DELAY_S
        )
        self._hide: Coalescer[tuple[str, float], bool] = Coalescer(self._hide_many, most=BATCH, parallel=2)
        self._heartbeat = Heartbeat(self._hide_many, visibility_s, most=BATCH)
        self._finishing: set[asyncio.Task[None]] = set()
        self.handled = 0
        self.abandoned = 0

    def stop(self) -> None:
        """Stop receiving, finish or hand back what is in hand, then let `run` return."""
        self._stopping.set()

    async def run(self) -> None:
        """Consume until `stop`. Only a cancellation, or a fault of our own, ends it otherwise."""
        receivers = [asyncio.create_task(self._receive()) for _ in range(RECEIVERS)]
        workers = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
        keeper = asyncio.create_task(self._heartbeat.run())
        try:
            await self._wait_stopping([*receivers, *workers, keeper])
            loop = asyncio.get_running_loop()
            polls_end = loop.time() + POLL_GRACE_S
            self._hand_back_buffered()
            await self._drain(workers)
            await asyncio.wait(receivers, timeout=max(0.0, polls_end - loop.time()))
        finally:
            await _cancel([*receivers, *workers])
            if self._finishing:
                await asyncio.wait(self._finishing, timeout=FINISH_GRACE_S)
            await _cancel([keeper])

    async def _wait_stopping(self, tasks: list[asyncio.Task[None]]) -> None:
        """Return when we are to stop; raise if a task that never ends did."""
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        for task in tasks:
            if task in done and not self._stopping.is_set():
                task.result()

    async def _drain(self, workers: list[asyncio.Task[None]]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._drain_s), self._room:
                await self._room.wait_for(lambda: not self._in_hand)
        self.abandoned = len(self._in_work)
        # A cancelled handler's message is handed back by `_handle`.
        await _cancel(workers)

    async def _receive(self) -> None:
        while not self._stopping.is_set():
            async with self._room:
                await self._room.wait_for(lambda: self._free() >= self._worth_asking)
                most = min(BATCH, self._free())
                self._asked += most
            try:
                found = await self._poll(most)
            finally:
                self._asked -= most
            self._take(found)
            async with self._room:
                self._room.notify_all()

    def _free(self) -> int:
        return self._most - len(self._in_hand) - self._asked

    async def _poll(self, most: int) -> list[Delivery]:
        """What the queue has for us; nothing, after a pause, when it cannot be asked."""
        if self._stopping.is_set():
            return []
        try:
            return await self._sqs.receive(self.queue, most=most, wait_s=self._wait_s, visibility_s=self._visibility_s)
        except EngineError as error:
            logger.bind(queue=self.queue, error=describe(error)).error("queue cannot be received from")
            await self._pause(FAULT_PAUSE_S * 3)
        except Retry:
            # The call itself was logged.
            await self._pause(FAULT_PAUSE_S)
        return []

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _take(self, found: list[Delivery]) -> None:
        for delivery in found:
            self._in_hand.add(delivery.receipt)
            self._heartbeat.keep(delivery.receipt)
            if self._stopping.is_set():
                self._finish(delivery, HAND_BACK)
            else:
                self._buffer.put_nowait(delivery)

    async def _work(self) -> None:
        while True:
            await self._handle(await self._buffer.get())

    async def _handle(self, delivery: Delivery) -> None:
        self._in_work.add(delivery.receipt)
        try:
            with bound(queue=self.queue, message=delivery.message_id, attempt=delivery.receives):
                verdict = await self._judge(delivery)
                if not isinstance(verdict, Done):
                    logger.bind(verdict=type(verdict).__name__, why=getattr(verdict, "why", "")).info(
                        "message not done"
                    )
        except asyncio.CancelledError:
            self._finish(delivery, HAND_BACK)
            raise
        finally:
            self._in_work.discard(delivery.receipt)
        self._finish(delivery, verdict)

    async def _judge(self, delivery: Delivery) -> Verdict:
        try:
            async with asyncio.timeout(self._timeout_s) as limit:
                return await self._handler(delivery)
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            # Something that the handler waited for was cancelled, not the handler.
            logger.opt(exception=True).error("handler failed")
            return Hide(seconds=back_off(delivery.receives), why=describe(error))
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
        except Exception as error:  # noqa: BLE001 - any fault of a handler means: this message again, later
            if limit.expired() and isinstance(error, TimeoutError):
                logger.bind(timeout_s=self._timeout_s).error("handler ran out of time")
                return Hide(seconds=back_off(delivery.receives), why=f"took longer than {self._timeout_s:g} s")
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
                    await self._heartbeat.release(delivery.receipt)
                    await self._hide((delivery.receipt, verdict.seconds))
                case Defer():
                    await self._defer(delivery, verdict)
                case Dead():
                    logger.bind(reason=verdict.reason, code=verdict.code).error("message dead-lettered")
                    await self._sqs.bury(self.queue, delivery, reason=verdict.reason, code=verdict.code)
            self.handled += verdict is not HAND_BACK
        except (Retry, EngineError) as error:
            # The message comes back by itself; its effect was idempotent.
            logger.bind(queue=self.queue, error=describe(error)).warning("verdict not carried out")
        except Exception:  # noqa: BLE001 - as above, but a fault of our own
            logger.bind(queue=self.queue).opt(exception=True).error("verdict not carried out")
        finally:
            self._in_hand.discard(delivery.receipt)
            self._heartbeat.forget(delivery.receipt)
            async with self._room:
                self._room.notify_all()

    async def _defer(self, delivery: Delivery, verdict: Defer) -> None:
        """Send a copy with a delay, then delete: a fresh message has a fresh receive count."""
        body, count = defer_body(delivery.body, delivery.message_id)
        seconds = defer_pause(count) if verdict.seconds is None else verdict.seconds
        await self._sqs.send(self.queue, [body], delay_s=min(MAX_DELAY_S, max(1.0, seconds)))
        await self._delete(delivery.receipt)

    def _hand_back_buffered(self) -> None:
        while not self._buffer.empty():
            self._finish(self._buffer.get_nowait(), HAND_BACK)

    async def _delete_many(self, receipts: list[str]) -> list[bool]:
        lost = set(await self._sqs.delete(self.queue, receipts))
        return [receipt not in lost for receipt in receipts]

    async def _hide_many(self, entries: list[tuple[str, float]]) -> list[bool]:
        lost = set(await self._sqs.hide(self.queue, entries))
        return [receipt not in lost for receipt, _ in entries]


def _is_cancelled() -> bool:
    """Whether the running task itself is asked to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
