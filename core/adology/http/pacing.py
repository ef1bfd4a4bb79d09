"""Pacing per credential: one schedule that every task of the process shares."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from adology.errors import RetryLater

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]
_SPACED_OUT = "this credential's calls are spaced out"


class Pacer:
    """Spaces the calls of one credential and stops them while the vendor asks for a pause.

    A caller that would have to wait longer than `max_wait_s` gets `RetryLater` instead, so that
    its message goes back to the queue and the worker does something else. With `burst` > 1 that
    many calls may go out at once after a quiet time, while the long-run rate stays the same.
    """

    def __init__(self, interval_s: float = 0.0, *, max_wait_s: float = 15.0, clock: Clock, sleep: Sleep) -> None:
        self.interval_s = interval_s
        self.max_wait_s = max_wait_s
        self.burst = 1
        self._clock = clock
        self._sleep = sleep
        self._free_at = 0.0
        self._paused_until = 0.0
        self._why = ""

    async def wait(self) -> None:
        """Return when it is this caller's turn.

        Raises:
            RetryLater: the turn is more than `max_wait_s` away.
        """
        now = self._clock()
        turn = self._reserve(now)
        while turn > now:
            await self._sleep(turn - now)
            now = self._clock()
            if turn < self._paused_until:
                # A pause came up while we slept. All who slept need new turns after it, not the same one.
                turn = self._reserve(now)

    def _reserve(self, now: float) -> float:
        # `_free_at` is when a caller without burst allowance would be due (the generic cell rate rule).
        turn = max(now, self._free_at - (self.burst - 1) * self.interval_s, self._paused_until)
        if turn - now > self.max_wait_s:
            raise RetryLater(turn - now, self._why if self._paused_until > now else _SPACED_OUT)
        self._free_at = max(self._free_at, turn) + self.interval_s
        return turn

    def pause(self, seconds: float, why: str) -> None:
        """Hold every call of this credential for `seconds`; never shortens an earlier pause."""
        until = self._clock() + seconds
        if until > self._paused_until:
            self._paused_until, self._why = until, why

    @property
    def paused_s(self) -> float:
        """Seconds until the present pause ends; 0 when there is none."""
        return max(0.0, self._paused_until - self._clock())


class Pacers:
    """The pacers of one process, by credential."""

    def __init__(self, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._pacers: dict[str, Pacer] = {}

    def get(self, credential: str, *, interval_s: float | None = None, burst: int | None = None) -> Pacer:
        """The pacer of `credential`, made on first use; `interval_s` and `burst` set its rate."""
        pacer = self._pacers.get(credential)
        if pacer is None:
            pacer = self._pacers[credential] = Pacer(clock=self._clock, sleep=self._sleep)
        if interval_s is not None:
            pacer.interval_s = interval_s
        if burst is not None:
            pacer.burst = burst
        return pacer
