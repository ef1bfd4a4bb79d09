"""A real registry on a real socket, in this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import msgspec

from adology.settings import AdologySettings
from adology.settings.model import RegistrySettings
from adology_registry import serve


def settings(**registry: Any) -> AdologySettings:
    return AdologySettings(registry=RegistrySettings(**({"port": 0} | registry)))


@asynccontextmanager
async def running(**registry: Any) -> AsyncIterator[str]:
    """The address of a registry that lives as long as the block."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(settings(**registry), ready=ready.set_result))
    first: set[asyncio.Future[Any]] = {task, ready}
    await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    try:
        yield ready.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextmanager
def in_thread(**registry: Any) -> Iterator[str]:
    """The address of a registry with a loop and thread of its own, for many tests to share."""
    started: Future[tuple[str, Callable[[], object]]] = Future()

    async def live() -> None:
        end = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with running(**registry) as origin:
            started.set_result((origin, lambda: loop.call_soon_threadsafe(end.set)))
            await end.wait()

    thread = threading.Thread(target=lambda: asyncio.run(live()))
    thread.start()
    origin, stop = started.result(timeout=20)
    try:
        yield origin
    finally:
        stop()
        thread.join()


class Reply(msgspec.Struct):
    """An answer as a program in another language would see it."""

    status: int
    body: Any
    headers: dict[str, str]


class Foreign:
    """Somebody else's program: plain JSON, written out by hand."""

    def __init__(self, origin: str, session: aiohttp.ClientSession) -> None:
        self.origin = origin
        self.session = session

    async def post(self, path: str, body: str | bytes, **headers: str) -> Reply:
        sent = {"Content-Type": "application/json", **headers}
        async with self.session.post(self.origin + path, data=body, headers=sent) as response:
            return await _reply(response)

    async def get(self, path: str, **headers: str) -> Reply:
        async with self.session.get(self.origin + path, headers=headers) as response:
            return await _reply(response)

    async def call(self, method: str, path: str) -> Reply:
        async with self.session.request(method, self.origin + path) as response:
            return await _reply(response)


async def _reply(response: aiohttp.ClientResponse) -> Reply:
    content = await response.read()
    kind = response.headers.get("Content-Type", "")
    body: Any = content
    if "json" in kind:
        body = msgspec.json.decode(content)
    elif "msgpack" in kind:
        body = msgspec.msgpack.decode(content)
    elif "text" in kind:
        body = content.decode()
    return Reply(response.status, body, {name.lower(): value for name, value in response.headers.items()})


@asynccontextmanager
async def foreign(**registry: Any) -> AsyncIterator[Foreign]:
    async with running(**registry) as origin, aiohttp.ClientSession() as session:
        yield Foreign(origin, session)
