"""Programs of Node as clients of the server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.server.rig import PASSWORD

HERE = Path(__file__).parent / "node"
REQUIRED = "TESTS_NEED_NODE"
"""Set in CI: there a missing Node is a failure, and no skip."""
OLDEST = 20
WITH_SOCKETS = 22
"""From this version on Node has a WebSocket without being asked."""


def flags() -> list[str]:
    """The arguments of Node before the program; the test is skipped, or fails, where there is no Node."""
    node = shutil.which("node")
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout if node else ""
    found = re.match(r"v(\d+)", told)
    version = int(found[1]) if found else 0
    if version < OLDEST:
        lacking = (
            f"Node {OLDEST} or newer is needed, found {told.strip() or 'none'}: the JavaScript client is NOT tested"
        )
        if os.environ.get(REQUIRED):
            pytest.fail(lacking)
        pytest.skip(lacking)
    return ["--no-warnings", *(["--experimental-websocket"] if version < WITH_SOCKETS else [])]


class Node:
    """A running program: lines of JSON to it and from it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    def do(self, what: str, **more: Any) -> None:
        """Tell it to do something."""
        self._in.write(msgspec.json.encode({"do": what, **more}) + b"\n")

    async def line(self, timeout_s: float = 20.0) -> dict[str, Any]:
        """The next thing that it says."""
        async with asyncio.timeout(timeout_s):
            line = await self._out.readline()
        assert line, "the program ended"
        found: dict[str, Any] = msgspec.json.decode(line)
        return found

    async def until(self, name: str, timeout_s: float = 20.0) -> dict[str, Any]:
        """The next thing of that name, past others."""
        async with asyncio.timeout(timeout_s):
            while name not in (found := await self.line(timeout_s)):
                pass
        return found

    async def event(self, timeout_s: float = 20.0) -> dict[str, Any]:
        """The next event, past messages about the connection."""
        while True:
            heard: dict[str, Any] = (await self.until("heard", timeout_s))["heard"]
            if "event" in heard:
                return heard

    async def about(self, kind: str) -> dict[str, Any]:
        """The next message of that type about the connection."""
        while True:
            heard: dict[str, Any] = (await self.until("heard"))["heard"]
            if heard.get("type") == kind:
                return heard


@contextlib.asynccontextmanager
async def node(program: str, *arguments: str) -> AsyncIterator[Node]:
    """A program of the folder `node`, killed at the end."""
    process = await asyncio.create_subprocess_exec(
        "node",
        *flags(),
        str(HERE / program),
        *arguments,
        env={**os.environ, "ADOLOGY_PASSWORD": PASSWORD},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    try:
        yield Node(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def opened(url: str, **how: str) -> AsyncIterator[Node]:
    """A WebSocket of Node that was let in and greeted."""
    async with node("socket.mjs") as client:
        client.do("open", url=url, **how)
        assert await client.line() == {"opened": True}
        assert (await client.line())["heard"]["type"] == "hello"
        yield client


class OneAddress:
    """One address before several replicas, as a load balancer is: connections go to `target`."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.origin = ""
        self._links: set[asyncio.StreamWriter] = set()
        self._frozen: set[asyncio.StreamWriter] = set()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[OneAddress]:
        """Pass connections on for the length of the block."""
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        """Break all connections, without a word."""
        for writer in tuple(self._links):
            writer.transport.abort()

    def freeze(self) -> None:
        """Pass nothing on any more over the connections that stand, as a network that went away."""
        self._frozen |= self._links

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self.target.rpartition("/")[2].split(":")
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection(host, int(port))
            await asyncio.gather(self._copy(reader, back), self._copy(there, writer))
        writer.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links.add(writer)
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    if writer not in self._frozen:
                        writer.write(data)
                        await writer.drain()
        finally:
            self._links.discard(writer)
            writer.close()
