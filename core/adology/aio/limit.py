"""A limit on time whose clock can stand still."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self


class Limit:
    """``async with Limit(60) as limit``: TimeoutError after 60 s, without those that were spent in a `pause`.

    For work that waits its turn at something shared, which says nothing about the work.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._timeout: asyncio.Timeout
        self._pauses = 0

    async def __aenter__(self) -> Self:
        self._timeout = asyncio.timeout(self._left)
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._timeout.__aexit__(kind, error, trace)

    @property
    def expired(self) -> bool:
        """Whether it was this limit that ended the work."""
        return self._timeout.expired()

    def left(self) -> float:
        """Seconds that are left; 0 once they are over."""
        if self._pauses:
            return self._left
        when = self._timeout.when()
        return 0.0 if when is None else max(0.0, when - asyncio.get_running_loop().time())

    @contextlib.contextmanager
    def pause(self) -> Iterator[Callable[[], None]]:
        """The clock stands still inside, or until what this yields is called. Pauses may overlap."""
        if not self._pauses:
            self._left = self.left()
            self._reschedule(None)
        self._pauses += 1
        over = False

        def end() -> None:
            nonlocal over
            if over:
                return
            over = True
            self._pauses -= 1
            if not self._pauses:
                self._reschedule(asyncio.get_running_loop().time() + self._left)

        try:
            yield end
        finally:
            end()

    def _reschedule(self, when: float | None) -> None:
        with contextlib.suppress(RuntimeError):  # it is over: the work is being ended, or goes on behind its back
            self._timeout.reschedule(when)
