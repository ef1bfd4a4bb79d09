"""Turns at what there is little of: nobody takes all of it, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from adology.errors import UnavailableError


class CrowdedError(UnavailableError):
    """One organisation has as much under way as it may at once, and waited for its turn in vain."""

    code = "ADO-5945"


class _Gate:
    __slots__ = ("here", "turns")

    def __init__(self, at_once: int) -> None:
        self.turns = asyncio.Semaphore(at_once)
        self.here = 0


class Turns:
    """For each name `at_once` turns at the same time; others wait in order, `wait_s` seconds at most."""

    def __init__(self, at_once: int, wait_s: float) -> None:
        self.at_once = at_once
        self._wait_s = wait_s
        self._gates: dict[str, _Gate] = {}

    @contextlib.asynccontextmanager
    async def turn(self, name: str | None) -> AsyncIterator[None]:
        """Hold a turn of that name for the length of the block; None waits for nobody.

        Raises:
            CrowdedError: none came up in time.
        """
        if name is None:
            yield
            return
        gate = self._gates.get(name)
        if gate is None:
            gate = self._gates[name] = _Gate(self.at_once)
        gate.here += 1
        try:
            await self._enter(gate, name)
            try:
                yield
            finally:
                gate.turns.release()
        finally:
            gate.here -= 1
            if not gate.here:
                del self._gates[name]

    async def _enter(self, gate: _Gate, name: str) -> None:
        if not gate.turns.locked():
            await gate.turns.acquire()  # at once: nothing is waited for
            return
        try:
            async with asyncio.timeout(self._wait_s):
                await gate.turns.acquire()
        except TimeoutError:
            raise CrowdedError(
                f"organisation {name!r} holds {self.at_once} connections of this process, and none came back"
                f" within {self._wait_s:g} s",
                hint="Its requests are slow, or many: see the log for which; or raise"
                " server.connections_per_organisation.",
            ) from None
