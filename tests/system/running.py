"""One engine for a whole module of tests: it runs on a loop of its own, tests hand it coroutines.

Starting registry, worker and steward takes seconds; scenarios with a brand of their own each can
share them, and so they also meet each other as brands do in production.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, Self, TypeVar

import aiohttp
import msgspec
from loguru import logger

from adology.aws import open_client
from adology.engine.model import Batch
from adology.queues.admin import queue_names
from adology.queues.sqs import dead_letter_name
from adology.runtime import open_engine, run_steward, run_worker
from adology.runtime.engine import Engine
from adology.settings import AdologySettings
from adology.settings.model import QUEUE_ROLES
from adology.types import Brand, Struct
from tests.system import rig
from tests.system.conftest import Stack, _discard, _provision

T = TypeVar("T")
LONGEST_S = 55.0


class Buried(Struct, frozen=True, kw_only=True):
    """A message of a dead-letter queue."""

    body: str
    reason: str
    code: str


class Running:
    """The engine and the loop that it runs on."""

    def __init__(self, engine: Engine, loop: EngineLoop) -> None:
        self.engine = engine
        self.settings = engine.settings
        self._loop = loop
        self._dead: dict[str, list[Buried]] = {}

    def run(self, work: Coroutine[Any, Any, T], *, longest_s: float = LONGEST_S) -> T:
        """The result of `work`, which runs where the engine runs."""
        return self._loop.run(work, longest_s=longest_s)

    async def add_brand(self, brand: str, *, roots: tuple[str, ...] = (), **handles: str) -> None:
        """A brand with one handle per source."""
        known = Brand(id=brand, handles={source: (handle,) for source, handle in handles.items()})
        await self.engine.catalogue.put_brand(known, file_roots=list(roots))

    async def gather(self, brand: str, request: str = "first", *, insight: bool = False) -> Batch:
        """Ask for a gathering; the batch, once it has ended."""
        await rig.ask(self.engine, request, brand)
        return await rig.wait_ended(self.engine, request, brand=brand, insight=insight)

    async def send(self, role: str, message: Any) -> None:
        """Send a body as another program would; anything but text is encoded as JSON."""
        body = message if isinstance(message, str) else msgspec.json.encode(message).decode()
        await self.engine.send(role, [body])

    async def post(self, call: str, body: Any) -> tuple[int, dict[str, Any]]:
        """Call the registry as another program would: plain JSON over HTTP."""
        url = f"{self.settings.registry.url}/{call}"
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
            decoded: dict[str, Any] = await answer.json(content_type=None)
            return answer.status, decoded

    async def find_buried(self, role: str, containing: str) -> Buried | None:
        """The dead letter of that queue whose body contains the text."""
        seen = self._dead.setdefault(role, [])
        name = dead_letter_name(queue_names(self.settings.queues)[role])
        async with open_client(self.settings.aws, "sqs") as sqs:
            url = (await sqs.get_queue_url(QueueName=name))["QueueUrl"]
            while True:
                answer = await sqs.receive_message(
                    QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=600
                )
                found = answer.get("Messages", [])
                seen += [_buried(message) for message in found]
                if not found:
                    break
        return next((dead for dead in seen if containing in dead.body), None)

    async def wait_buried(self, role: str, containing: str, *, timeout_s: float = 45.0) -> Buried:
        """The dead letter, once it is there."""
        async with asyncio.timeout(timeout_s):
            while True:
                dead = await self.find_buried(role, containing)
                if dead is not None:
                    return dead
                await asyncio.sleep(0.2)

    async def wait_batch(self, batch_id: str, *, timeout_s: float = 45.0) -> Batch:
        """The batch, once it has ended."""
        async with asyncio.timeout(timeout_s):
            while True:
                batch = await self.engine.ledger.find_batch(batch_id)
                if batch is not None and not batch.is_open:
                    return batch
                await asyncio.sleep(0.1)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        return rig.rows(self.settings, query, *values)

    def failures(self, batch: Batch) -> dict[str, tuple[str, str]]:
        """Code and reason of each failed URL."""
        found = self.rows("select url, error_code, error from failures where batch_id = %s", batch.id)
        return {url: (code, reason) for url, code, reason in found}

    def items(self, batch: Batch) -> dict[str, str]:
        """The status of each URL."""
        return dict(self.rows("select url, status from batch_items where batch_id = %s", batch.id))


class EngineLoop:
    """An event loop in a thread of its own, for an engine and the vendors that it talks to."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="engine")

    def run(self, work: Coroutine[Any, Any, T], *, longest_s: float = LONGEST_S) -> T:
        """The result of `work`, which runs on the loop."""
        return asyncio.run_coroutine_threadsafe(_within(work, longest_s), self._loop).result(longest_s + 3)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


async def _within(work: Coroutine[Any, Any, T], longest_s: float) -> T:
    async with asyncio.timeout(longest_s):
        return await work


@contextlib.contextmanager
def running(
    stack: Stack, *, on: EngineLoop | None = None, queues: dict[str, Any] | None = None, **changes: Any
) -> Iterator[Running]:
    """An engine with one worker and a steward, quick but for `changes`: sections, and fields of `queues`."""
    with contextlib.ExitStack() as cleaner:
        loop = on or cleaner.enter_context(EngineLoop())
        settings = rig.quick(cleaner.enter_context(stack.fresh()), **changes)
        # The queues keep their prefix: other tests have theirs on the same server.
        own = msgspec.structs.replace(settings.queues, **(queues or {}))
        settings = msgspec.structs.replace(settings, queues=own)
        loop.run(_provision(settings))
        living = _living(settings)
        engine = loop.run(living.__aenter__())
        try:
            yield Running(engine, loop)
        finally:
            loop.run(living.__aexit__(None, None, None))
            loop.run(_discard(settings))


@contextlib.asynccontextmanager
async def _living(settings: AdologySettings) -> AsyncIterator[Engine]:
    """As `rig.living`, with the settings as they are."""
    replace, plugins, stop = msgspec.structs.replace, rig.plugins(), asyncio.Event()
    async with rig.registry(settings) as origin:
        settings = replace(settings, registry=replace(settings.registry, url=origin))
        roles = QUEUE_ROLES
        tasks = [
            asyncio.create_task(run_worker(settings, roles, stop, plugins=plugins)),
            asyncio.create_task(run_steward(settings, stop, plugins=plugins)),
        ]
        try:
            async with open_engine(settings, plugins=plugins) as engine:
                yield engine
        finally:
            stop.set()
            await asyncio.gather(*tasks)


def _buried(message: dict[str, Any]) -> Buried:
    told = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
    return Buried(body=message["Body"], reason=told.get("reason", ""), code=told.get("code", ""))


@contextlib.contextmanager
def logging_kept() -> Iterator[None]:
    """What is set up inside for logs is undone afterwards."""
    before = logging.root.handlers[:]
    try:
        yield
    finally:
        logger.remove()
        logger.add(_to_stderr)
        logging.root.handlers[:] = before


def _to_stderr(line: str) -> None:
    """Looked up each time: the engine lives on, and each test captures with a stream of its own."""
    sys.stderr.write(line)


class LogBook(io.StringIO):
    """A stream that keeps every line that is logged."""

    def lines(self, *containing: str) -> list[str]:
        """Lines that contain all the texts."""
        return [line for line in self.getvalue().splitlines() if all(text in line for text in containing)]
