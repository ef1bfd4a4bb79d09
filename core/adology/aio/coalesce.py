"""Group commit: calls that arrive together leave together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
R = TypeVar("R")


class Coalescer(Generic[K, R]):
    """Turns single calls into calls of up to `most` items.

    While one flush is under way the next items gather, so an idle system pays no delay and a busy
    one pays one round trip for many. `parallel` flushes may run at once; `delay_s` waits a moment
    for company where a call costs more than the wait. `flush` answers in the same order and
    length; its exception goes to every caller of that flush.
    """

    def __init__(
        self,
        flush: Callable[[list[K]], Awaitable[Sequence[R]]],
        *,
        most: int,
        parallel: int = 1,
        delay_s: float = 0.0,
    ) -> None:
        self._flush = flush
        self._most = most
        self._delay_s = delay_s
        self._parallel = parallel
        self._waiting: list[tuple[K, asyncio.Future[R]]] = []
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, item: K) -> R:
        """The answer for `item`."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._running) < self._parallel:
            self._running.add(asyncio.create_task(self._run()))
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                if self._delay_s and len(self._waiting) < self._most:
                    await asyncio.sleep(self._delay_s)
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                if batch:
                    await self._answer(batch)
        finally:
            # In one step with the last look at `_waiting`: a done callback comes later, and an item
            # that is handed in before it, by a caller just answered, would wait for nobody.
            task = asyncio.current_task()
            if task is not None:
                self._running.discard(task)

    async def _answer(self, batch: list[tuple[K, asyncio.Future[R]]]) -> None:
        try:
            answers = await self._flush([item for item, _ in batch])
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    if isinstance(error, Exception):
                        future.set_exception(error)
                    else:
                        future.cancel()
            if not isinstance(error, Exception):
                raise
