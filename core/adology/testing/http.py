"""The HTTP client that the kit gives to plugins: the real one, with faults on request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from adology.errors import Retry
from adology.http import Answer, HttpClient, Pacer

FaultKind = Literal["429", "503", "timeout", "garbage", "hang"]
RETRY_AFTER_S = 7.0
_EPOCH = 1_000_000.0


class SteppingClock:
    """A monotonic clock that moves only when somebody sleeps on it: pacing costs no time."""

    def __init__(self) -> None:
        self.now = _EPOCH

    def __call__(self) -> float:
        """The present time, seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Move on by `seconds` at once."""
        self.now += seconds
        await asyncio.sleep(0)


class Fault(msgspec.Struct, frozen=True):
    """What goes wrong from call number `after` (from 0) on."""

    kind: FaultKind
    after: int = 0


class FaultyHttp(HttpClient):
    """Counts calls, and answers those that a fault takes as the real client would in the end.

    The client's own attempts and waits are left out: a plugin sees what remains after them.
    """

    def __init__(self, fault: Fault | None = None) -> None:
        super().__init__(timeout_s=10.0)
        self.fault = fault
        self.calls = 0
        self.hanging = asyncio.Event()

    async def send(
        self,
        method: str,
        url: str,
        *,
        service: str,
        pacer: Pacer,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        retry_status: frozenset[int] = frozenset(),
    ) -> Answer[Any]:
        """See `HttpClient.send`."""
        number, self.calls = self.calls, self.calls + 1
        if self.fault is None or number < self.fault.after:
            return await super().send(
                method,
                url,
                service=service,
                pacer=pacer,
                params=params,
                headers=headers,
                body=body,
                retry_status=retry_status,
            )
        await pacer.wait()
        return await self._fail(self.fault.kind, url.partition("?")[0], service)

    async def _fail(self, kind: FaultKind, url: str, service: str) -> Answer[Any]:
        if kind == "hang":
            self.hanging.set()
            await asyncio.Event().wait()
        if kind == "timeout":
            raise Retry(f"{service}: no answer from {url} after 3 attempts (TimeoutError)", code="ADO-2002")
        if kind == "429":
            return Answer(429, {"Retry-After": f"{RETRY_AFTER_S:g}"}, b'{"error": "slow down"}', url)
        if kind == "503":
            return Answer(503, {}, b"upstream connect error", url)
        return Answer(200, {"Content-Type": "text/html"}, b"<html><body>Please log in</body></html>", url)
