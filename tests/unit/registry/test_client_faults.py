"""The client against a server that misbehaves on purpose, over real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from adology.abc.sink import ItemResult
from adology.errors import Retry
from adology.registry_client import HttpRegistry, RegistryRefusedError, SubmitAnswer

pytestmark = pytest.mark.anyio

DROP = b""
"""Close the connection without an answer."""
HANG = b"hang"
HALF = b"HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\nhalf"
"""An answer whose server dies while it writes."""


def answer(status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


OK = answer(200, msgspec.msgpack.encode(SubmitAnswer(epoch="e", received=1)))


class Misbehaving:
    """Answers request after request with the next of its bytes; the last one for ever."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.seen = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(lengths[0].split(b":")[1]) if lengths else 0)
                said = self.answers[min(self.seen, len(self.answers) - 1)]
                self.seen += 1
                if said == DROP:
                    return
                if said == HANG:
                    await reader.read()
                    return
                writer.write(said)
                if said == HALF:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def serving(server: Misbehaving, *, timeout_s: float = 10.0) -> AsyncIterator[HttpRegistry]:
    listener = await asyncio.start_server(server, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        async with HttpRegistry(f"http://127.0.0.1:{port}/", timeout_s=timeout_s) as registry:
            yield registry


@pytest.mark.parametrize("fault", [DROP, answer(500, b"oops"), answer(503, b"{}"), HALF])
async def test_two_faults_are_overcome_by_the_third_try(fault: bytes) -> None:
    server = Misbehaving(fault, fault, OK)
    async with serving(server) as registry:
        assert (await registry.start("nike", 1, "b")).received == 1
    assert server.seen == 3


@pytest.mark.parametrize(
    ("fault", "words"), [(DROP, "ServerDisconnected"), (answer(500, b"oops"), "status 500: b'oops'")]
)
async def test_three_faults_are_a_retry_that_tells_the_last(fault: bytes, words: str) -> None:
    server = Misbehaving(fault)
    async with serving(server) as registry:
        with pytest.raises(Retry, match=words) as gone:
            await registry.submit("nike", "b", ItemResult(url="u"))
    assert gone.value.code == "ADO-5705"
    assert gone.value.retryable
    assert server.seen == 3


async def test_silence_is_a_retry_after_the_deadline_of_the_whole_call() -> None:
    started = time.monotonic()
    async with serving(Misbehaving(DROP, HANG), timeout_s=0.4) as registry:
        with pytest.raises(Retry, match=r"after 2 tries.*cut off after 0\.4 s; before that: ServerDisconnected"):
            await registry.complete("nike", "b")
    assert time.monotonic() - started < 5


async def test_refusals_are_not_tried_again() -> None:
    server = Misbehaving(answer(400, b'{"code":"ADO-5707","detail":"the body does not fit"}'))
    async with serving(server) as registry:
        with pytest.raises(RegistryRefusedError, match="submit-many with status 400: the body does not fit"):
            await registry.submit_many("nike", "b", [ItemResult(url="u")])
    assert server.seen == 1


@pytest.mark.parametrize("status", [200, 404])
async def test_a_server_that_is_no_registry_is_named_as_such(status: int) -> None:
    async with serving(Misbehaving(answer(status, b"<html>hello</html>"))) as registry:
        with pytest.raises(RegistryRefusedError, match="html"):
            await registry.progress("nike")
        with pytest.raises(RegistryRefusedError, match="html"):
            await registry.results("nike", "b")
        with pytest.raises(RegistryRefusedError, match="html"):
            await registry.start("nike", 1, "b")


async def test_cancellation_goes_through() -> None:
    async with serving(Misbehaving(HANG)) as registry:
        call = asyncio.create_task(registry.progress("nike"))
        await asyncio.sleep(0.05)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_a_new_registry_client_may_be_closed_unused_and_twice() -> None:
    registry = HttpRegistry("http://127.0.0.1:1")
    await registry.close()
    await registry.close()
