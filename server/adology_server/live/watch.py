"""What a process of the server hears from the database: events for its clients, and revocations."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from adology.log import logger
from adology_server.callers import Callers
from adology_server.listening import listen
from adology_server.live.hub import Hub
from adology_server.tenancy import ROLE, Tenants

EVENTS, RIGHTS = "adology_events", "adology_rights"


class Watch:
    """Listens on one connection of its own. Without a hub only to revocations."""

    def __init__(self, tenants: Tenants, callers: Callers, hub: Hub | None) -> None:
        self._tenants = tenants
        self._callers = callers
        self._hub = hub
        self.is_listening = False
        """Whether notices are heard as they come; while they are not, they are looked for."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen, hand out and ping for the length of the block."""
        channels = [RIGHTS, EVENTS] if self._hub else [RIGHTS]
        works: list[Coroutine[Any, Any, None]] = [
            listen(self._tenants.url, channels, self._heard, self._connected, role=ROLE, lost=self._lost)
        ]
        if self._hub is not None:
            works += [_again(self._hub.run), _again(self._hub.keep), _again(self._hub.seats.run)]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._hub is not None:
                await self._hub.seats.leave()

    def _heard(self, channel: str, payload: str) -> None:
        if channel == EVENTS:
            if self._hub is not None:
                self._hub.heard(payload)
            return
        self._callers.forget()
        kind, _, which = payload.partition(":")
        if self._hub is not None:
            self._hub.revoke(kind, which)

    def _connected(self) -> None:
        """What was said while nobody listened is looked for."""
        self.is_listening = True
        self._callers.forget()
        if self._hub is not None:
            self._hub.due.set()
            self._hub.doubtful.set()

    def _lost(self) -> None:
        self.is_listening = False


async def _again(work: Any) -> None:
    """Work that never ends; a fault of ours in it must not end what clients are told for good."""
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - logged, and begun anew
            logger.opt(exception=True).error("live: failed; beginning anew")
            await asyncio.sleep(1)
