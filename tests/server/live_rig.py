"""Real clients of the WebSocket and of server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import psycopg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.server.rig import Client, World


async def ticket(person: Client) -> str:
    """A ticket of theirs."""
    return str((await person.post("/v1/ws-tickets"))["ticket"])


def address(person: Client, secret: str, after: int | None = None) -> str:
    """Where a socket with that ticket is opened."""
    more = f"&after={after}" if after is not None else ""
    return f"{person.origin.replace('http', 'ws')}/v1/ws?ticket={secret}{more}"


class Socket:
    """An open WebSocket."""

    def __init__(self, link: ClientConnection) -> None:
        self.link = link

    async def hear(self, timeout_s: float = 10.0) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(timeout_s):
            found: dict[str, Any] = msgspec.json.decode(await self.link.recv())
            return found

    async def hear_event(self, status: str | None = None) -> dict[str, Any]:
        """The next event (of that status), past messages about the connection."""
        while True:
            message = await self.hear()
            if "event" in message and status in (None, message.get("status")):
                return message

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.link.send(msgspec.json.encode(message).decode())

    async def closed(self, timeout_s: float = 15.0) -> tuple[int, str]:
        """Code and reason, once the server has closed; what comes before is passed over."""
        async with asyncio.timeout(timeout_s):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await self.link.recv()
        code, reason = self.link.close_code, self.link.close_reason
        assert code not in (None, 1006), "cut off without a word"
        return int(code or 0), reason or ""

    async def is_still(self) -> None:
        """Nothing was sent before the answer to our ping."""
        await self.say(type="ping")
        assert await self.hear() == {"type": "pong"}


@contextlib.asynccontextmanager
async def socket(person: Client, after: int | None = None, **options: Any) -> AsyncIterator[Socket]:
    """A WebSocket of theirs, after the greeting."""
    async with connect(address(person, await ticket(person), after), **options) as link:
        made = Socket(link)
        assert (await made.hear())["type"] == "hello"
        yield made


class Events:
    """An open stream of server-sent events."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def until(self, text: bytes, timeout_s: float = 10.0) -> bytes:
        """What comes up to the line with that text."""
        read = b""
        async with asyncio.timeout(timeout_s):
            async for line in self._response.content:
                read += line
                if text in line:
                    return read
        raise AssertionError(f"the stream ended without {text!r}: {read!r}")


@contextlib.asynccontextmanager
async def events(person: Client, last: int | None = None, **query: str) -> AsyncIterator[Events]:
    """A stream of theirs, after the greeting."""
    headers = {"authorization": f"Bearer {person.token}"}
    if last is not None:
        headers["last-event-id"] = str(last)
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{person.origin}/v1/events", headers=headers, params=query) as response,
    ):
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert response.headers["cache-control"] == "private, no-store"
        made = Events(response)
        await made.until(b": hello")
        yield made


async def refused(url: str, **options: Any) -> tuple[int, str]:
    """Status and problem of a handshake that is refused."""
    try:
        async with connect(url, **options):
            raise AssertionError("was let in")
    except InvalidStatus as error:
        response = error.response
        assert response.headers["content-type"] == "application/problem+json"
        return response.status_code, str(msgspec.json.decode(response.body)["type"]).rpartition(":")[2]


async def is_let_in(person: Client) -> bool:
    """Whether they may open one more."""
    try:
        async with socket(person):
            return True
    except InvalidStatus as error:
        status = error.response.status_code
    assert status == 429
    return False


async def let_in_soon(person: Client, timeout_s: float = 5.0) -> None:
    """Until they may open one more: a closed one is free elsewhere within a second."""
    async with asyncio.timeout(timeout_s):
        while not await is_let_in(person):  # noqa: ASYNC110 - another process may close it
            await asyncio.sleep(0.05)


def add_task(world: World, org: str = "acme", brand: str = "nike") -> str:
    """A task of the organisation."""
    ((task,),) = world.rows(
        "insert into tasks (org_id, kind, brand, deadline) values (%s, 'export', %s, now() + interval '1 hour')"
        " returning id",
        [org, brand],
    )
    return str(task)


def change_task(world: World, task: str, *steps: int) -> int:
    """Progress of a task, an event for each step; the number of the last."""
    statement = "update tasks set state = 'processing', progress = jsonb_build_object('step', %s) where id = %s"
    with psycopg.connect(world.url, autocommit=True) as link:
        for step in steps:
            link.execute(statement, [step, task])
        row = link.execute("select max(id) from events").fetchone()
    assert row is not None
    return int(row[0])
