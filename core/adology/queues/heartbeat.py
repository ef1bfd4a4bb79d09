"""Keeps received messages hidden for as long as they are in hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from adology.errors import EngineError, Retry, describe
from adology.log import logger

HideMany = Callable[[list[tuple[str, float]]], Awaitable[Sequence[bool]]]

PARALLEL = 4


class Heartbeat:
    """Extends the visibility of every kept receipt, beginning a quarter of it after the last time.

    Two or more failed extensions in a row are survived. A message that is done within the first
    quarter costs no call.

    Args:
        hide: hides up to `most` receipts; False for those whose handle is no longer valid.
        visibility_s: for how long one extension hides a message, seconds.
        most: receipts per call.
    """

    def __init__(self, hide: HideMany, visibility_s: float, *, most: int) -> None:
        self._hide = hide
        self._visibility_s = visibility_s
        self._most = most
        self._due: dict[str, float] = {}
        self._sending: set[str] = set()
        self._beat_ended = asyncio.Condition()

    def keep(self, receipt: str) -> None:
        """From now on: the message was hidden for `visibility_s` just now."""
        self._due[receipt] = asyncio.get_running_loop().time() + self._visibility_s / 4

    def forget(self, receipt: str) -> None:
        """Extend it no more; one extension may be under way. Harmless when it is not kept."""
        self._due.pop(receipt, None)

    async def release(self, receipt: str) -> None:
        """As `forget`, and wait for the extension under way, which would undo a shorter visibility."""
        self.forget(receipt)
        async with self._beat_ended:
            await self._beat_ended.wait_for(lambda: receipt not in self._sending)

    async def run(self) -> None:
        """Extend until cancelled."""
        tick = self._visibility_s / 8
        gate = asyncio.Semaphore(PARALLEL)
        while True:
            await asyncio.sleep(tick)
            now = asyncio.get_running_loop().time()
            due = [receipt for receipt, at in self._due.items() if at <= now]
            chunks = [due[start : start + self._most] for start in range(0, len(due), self._most)]
            await asyncio.gather(*(self._extend(chunk, gate, 2 * tick) for chunk in chunks))

    async def _extend(self, receipts: list[str], gate: asyncio.Semaphore, timeout_s: float) -> None:
        async with gate:
            entries = [(receipt, float(self._visibility_s)) for receipt in receipts if receipt in self._due]
            if not entries:
                return
            self._sending.update(receipt for receipt, _ in entries)
            try:
                # A call that hangs must not keep the other messages from their extension.
                async with asyncio.timeout(timeout_s):
                    valid = await self._hide(entries)
            except (Retry, EngineError, TimeoutError) as error:
                logger.bind(error=describe(error), messages=len(entries)).warning("heartbeat failed")
            else:
                self._note(entries, valid)
            finally:
                self._sending.difference_update(receipt for receipt, _ in entries)
                async with self._beat_ended:
                    self._beat_ended.notify_all()

    def _note(self, entries: list[tuple[str, float]], valid: Sequence[bool]) -> None:
        for (receipt, _), good in zip(entries, valid, strict=True):
            if not good:
                self.forget(receipt)
            elif receipt in self._due:
                self.keep(receipt)
