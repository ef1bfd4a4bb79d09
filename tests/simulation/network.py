"""Simulated processes and everything that can go wrong between them."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from adology.errors import Retry, UnavailableError


class ProcessKilledError(asyncio.CancelledError):
    """This process got a kill -9: nothing that it still tries has any effect."""


@dataclass
class Process:
    """One simulated process: its tasks, and whether it lives."""

    name: str
    alive: bool = True
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        token = CURRENT.set(self)
        self.tasks.append(asyncio.create_task(work))
        CURRENT.reset(token)

    async def kill(self) -> None:
        self.alive = False
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


CURRENT: ContextVar[Process] = ContextVar("process")


@dataclass
class Network:
    """Every call to a store, queue, registry or vendor passes here.

    `fault_rate` is the probability that a call fails: half of the time before it has any effect,
    half of the time after (the answer is lost).
    """

    rng: random.Random
    fault_rate: float = 0.0
    max_delay_s: float = 0.2
    down: set[str] = field(default_factory=set)
    calls: int = 0

    @contextlib.asynccontextmanager
    async def call(self, service: str) -> AsyncIterator[None]:
        """Around the (synchronous) effect of one call."""
        self.calls += 1
        _check_alive()
        await asyncio.sleep(self.rng.random() * self.max_delay_s)
        _check_alive()
        if service in self.down or self._faulty():
            raise self._error(service)(f"{service} is not reachable (simulated)")
        yield
        await asyncio.sleep(self.rng.random() * self.max_delay_s / 2)
        _check_alive()
        if self._faulty():
            raise self._error(service)(f"{service}: the answer was lost (simulated)")

    def _error(self, service: str) -> type[Retry]:
        return Retry if service == "cdn" else UnavailableError

    def _faulty(self) -> bool:
        return self.rng.random() < self.fault_rate / 2


def _check_alive() -> None:
    process = CURRENT.get(None)
    if process is not None and not process.alive:
        raise ProcessKilledError


Clock = Callable[[], float]
