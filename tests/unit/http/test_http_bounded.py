"""Heads of requests are bounded, in size and in time; whatever keeps to it is served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adology.http import bounded
from adology.http.serving import Serving, serve_app

MUCH = 20_000_000
"""Bytes that nobody takes."""


async def echo(_scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Says how long the body was."""
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode()})


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server of this process."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    how = Serving(name="echo", section="echo", host="127.0.0.1", port=0, drain_s=1)
    task = asyncio.create_task(serve_app(echo, how, ready=ready.set_result))
    try:
        host, _, port = (await ready).removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        yield reader, writer
        writer.close()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def answer(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Status line and chunked body of one answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return head.split("\r\n", 1)[0], body


async def send_much(writer: asyncio.StreamWriter, piece: bytes) -> None:
    """Send more than anybody takes."""
    for _ in range(MUCH // len(piece)):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("begin", "on"),
    [
        (b"GET / HTTP/1.1\r\n", b"x: " + b"y" * 1000 + b"\r\n"),
        (b"GET / HTTP/1.1\r\nx: ", b"y" * 1000),
        (b"GET /", b"y" * 1000),
    ],
    ids=["headers", "a header", "an address"],
)
def test_a_head_without_end_is_broken_off(begin: bytes, on: bytes) -> None:
    async def scenario() -> None:
        async with talking() as (_, writer), asyncio.timeout(20):
            writer.write(begin)
            with pytest.raises(ConnectionError):
                await send_much(writer, on)

    asyncio.run(scenario())


def test_a_head_that_is_too_large_is_named() -> None:
    async def scenario() -> None:
        async with talking() as (reader, writer), asyncio.timeout(10):
            writer.write(b"GET / HTTP/1.1\r\nx: " + b"y" * (bounded.LARGEST_HEAD + 1))
            assert (await reader.readline()).startswith(b"HTTP/1.1 431 ")

    asyncio.run(scenario())


def test_a_head_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "HEAD_S", 0.3)

    async def scenario() -> None:
        async with talking() as (reader, writer), asyncio.timeout(10):
            writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            assert await answer(reader) == ("HTTP/1.1 200 OK", b"0")
            await asyncio.sleep(0.5)  # between requests nobody hurries
            writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            assert await answer(reader) == ("HTTP/1.1 200 OK", b"0")
            writer.write(b"GET / HTTP/1.1\r\n")
            assert await reader.read() == b""
        async with talking() as (reader, _), asyncio.timeout(10):
            assert await reader.read() == b""

    asyncio.run(scenario())


def test_bodies_and_ordinary_heads_have_their_own_bounds() -> None:
    async def scenario() -> None:
        async with talking() as (reader, writer), asyncio.timeout(10):
            for size in (0, 300_000, 5):
                head = b"POST / HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 30_000
                writer.write(head + b"\r\ncontent-length: %d\r\n\r\n" % size + b"z" * size)
                assert await answer(reader) == ("HTTP/1.1 200 OK", str(size).encode())

    asyncio.run(scenario())
