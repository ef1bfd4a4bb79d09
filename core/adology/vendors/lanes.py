"""One lane per credential and model: every task of the process that uses them shares its limits."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping

from adology.errors import AdologyError, Deferred, RetryLater
from adology.http.pacing import Clock, Pacer, Pacers, Sleep
from adology.log import logger
from adology.vendors.headers import pause_after

QUOTA_PAUSE_S = 3600.0
"""After "no money left". Nothing but a person changes that."""
BURST = 8


class Gate:
    """Closed while an account has no quota left: nobody asks, everybody is put off."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._closed_until = 0.0
        self._why = ""

    def close(self, seconds: float, why: str) -> None:
        """Let nobody through for that long."""
        self._closed_until, self._why = self._clock() + seconds, why

    def check(self) -> None:
        """Pass.

        Raises:
            Deferred: it is closed.
        """
        left = self._closed_until - self._clock()
        if left > 0:
            raise Deferred(self._why, after=left, code="ADO-3207")


class Lane:
    """Where calls of one credential to one model queue."""

    def __init__(self, name: str, pacer: Pacer, gate: Gate) -> None:
        self.name = name
        self.pacer = pacer
        self.gate = gate

    async def enter(self) -> None:
        """Return when it is this caller's turn.

        Raises:
            Deferred: the account's quota is used up; no call is made.
            RetryLater: the turn is far away.
        """
        self.gate.check()
        await self.pacer.wait()
        self.gate.check()  # another call may have learnt it meanwhile

    def heed(self, headers: Mapping[str, str], tokens: float) -> None:
        """Pause when an answer's headers say that the allowance is nearly used up."""
        pause = pause_after(headers, tokens)
        if pause is not None:
            self._pause(pause.seconds, pause.why)

    def note(self, error: AdologyError) -> None:
        """Let a vendor's error hold the others' calls too."""
        if isinstance(error, RetryLater):
            self._pause(error.seconds, error.message)
        elif isinstance(error, Deferred):
            self.gate.close(error.after, error.message)
            logger.bind(lane=self.name, pause_s=error.after, reason=error.message).warning("vendor's quota is used up")

    def _pause(self, seconds: float, why: str) -> None:
        if seconds > self.pacer.paused_s:
            self.pacer.pause(seconds, why)
            logger.bind(lane=self.name, pause_s=round(seconds, 3), reason=why).info("vendor paused")


class Lanes:
    """The lanes of one process, by credential and model."""

    def __init__(self, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self.clear()

    def clear(self) -> None:
        """Forget every pause."""
        self._pacers = Pacers(self._clock, self._sleep)
        self._lanes: dict[str, Lane] = {}
        self._gates: dict[str, Gate] = {}

    def get(
        self, service: str, credential: str, model: str, *, calls_per_minute: int = 0, quota_per_model: bool = False
    ) -> Lane:
        """The lane, made on first use. `credential` is a digest, never the secret.

        Rates go by model. A used-up quota closes all lanes of the credential, or the model's with
        `quota_per_model`.
        """
        name = f"{service}:{credential}:{model}"
        interval_s = 60.0 / calls_per_minute if calls_per_minute else 0.0
        pacer = self._pacers.get(name, interval_s=interval_s, burst=min(BURST, max(1, calls_per_minute)))
        lane = self._lanes.get(name)
        if lane is None:
            account = name if quota_per_model else f"{service}:{credential}"
            gate = self._gates.setdefault(account, Gate(self._clock))
            lane = self._lanes[name] = Lane(name, pacer, gate)
        return lane


def digest(*parts: str) -> str:
    """A short name for a credential that can be stored and logged."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:12]


LANES = Lanes()
"""The process's own."""
