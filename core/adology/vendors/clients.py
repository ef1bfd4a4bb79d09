"""The vendors' SDK clients: one per event loop and credential, made on first use, kept for the next call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any
from weakref import WeakKeyDictionary

Make = Callable[[], Awaitable[AbstractAsyncContextManager[Any]]]


class Clients:
    """The clients of one event loop: their connections cannot be used from another."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._made: dict[str, Any] = {}
        self._lock = asyncio.Lock()

    async def get(self, name: str, make: Make) -> Any:
        """The client of that name."""
        if name not in self._made:
            async with self._lock:
                if name not in self._made:
                    self._made[name] = await self._stack.enter_async_context(await make())
        return self._made[name]

    async def close(self) -> None:
        """Close them all."""
        self._made.clear()
        await self._stack.aclose()


_CLIENTS: WeakKeyDictionary[asyncio.AbstractEventLoop, Clients] = WeakKeyDictionary()


async def get_client(name: str, make: Make) -> Any:
    """The running loop's client of that name, made by `make` when there is none."""
    loop = asyncio.get_running_loop()
    clients = _CLIENTS.get(loop)
    if clients is None:
        clients = _CLIENTS[loop] = Clients()
    return await clients.get(name, make)


async def close_clients() -> None:
    """Close the running loop's clients. Harmless when there are none; the next call makes new ones."""
    clients = _CLIENTS.pop(asyncio.get_running_loop(), None)
    if clients is not None:
        await clients.close()
