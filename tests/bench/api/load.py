"""``python -m tests.bench.api.load FILE``: asks an HTTP server, over so many connections, and times each answer.

A program of its own: what it costs is not the server's. It reads answers no further than it must.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import uvloop

from adology.types import Struct
from tests.bench.api.questions import Question


class Order(Struct, frozen=True, kw_only=True):
    """What to ask, of whom, over how many connections; the first `warm` answers are not counted."""

    origin: str
    questions: list[Question]
    connections: int
    warm: int


class Told(Struct, frozen=True, kw_only=True):
    """Seconds of the whole and of each answer; bytes of all bodies; how often which status came."""

    seconds: float
    each: list[float]
    size: int
    statuses: dict[int, int]


class Asking(asyncio.Protocol):
    """One connection: the next question when the last is answered."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._buffer = bytearray()
        self._ends = -1
        self._began = 0.0
        self._status = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._ask()

    def _ask(self) -> None:
        following = self._run.take()
        if following is None:
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._transport.write(following)

    def data_received(self, data: bytes) -> None:
        """Heads are small; of a body only its length matters."""
        self._buffer += data
        if self._ends < 0:
            head = self._buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            self._status = int(self._buffer[9:12])
            told = bytes(self._buffer[:head]).lower()
            at = told.index(b"content-length: ") + 16
            self._ends = head + 4 + int(told[at:].split(b"\r\n", 1)[0])
        if len(self._buffer) >= self._ends:
            self._run.note(time.perf_counter() - self._began, self._ends, self._status)
            self._buffer.clear()
            self._ends = -1
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever is cut off in the middle has no number."""
        self._run.lost(exc)


class Run:
    """All connections together."""

    def __init__(self, order: Order) -> None:
        host = urlsplit(order.origin).netloc
        self._waiting = deque(_request(host, one) for one in order.questions)
        self._warm = order.warm
        self._open = order.connections
        self._began = 0.0
        self._ended = 0.0
        self.each: list[float] = []
        self.size = 0
        self.statuses: dict[int, int] = {}
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self) -> bytes | None:
        """The next request."""
        return self._waiting.popleft() if self._waiting else None

    def note(self, seconds: float, size: int, status: int) -> None:
        """An answer."""
        if self._warm > 0:
            self._warm -= 1
            self._began = time.perf_counter()
            return
        self.each.append(seconds)
        self.size += size
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self._ended = time.perf_counter()

    def lost(self, error: Exception | None) -> None:
        """A connection is over."""
        self._open -= 1
        if error is not None and not self.done.done():
            self.done.set_exception(error)
        elif self._open == 0 and not self.done.done():
            self.done.set_result(None)

    def tell(self) -> Told:
        """What came."""
        return Told(seconds=self._ended - self._began, each=self.each, size=self.size, statuses=self.statuses)


def _request(host: str, question: Question) -> bytes:
    # The peer asks nobody who they are: it is told the organisation.
    who = f"authorization: Bearer {question.key}\r\norganisation: {question.org}"
    return f"GET {question.path} HTTP/1.1\r\nhost: {host}\r\n{who}\r\n\r\n".encode()


async def ask(order: Order) -> Told:
    """Ask all questions."""
    run, where = Run(order), urlsplit(order.origin)
    loop = asyncio.get_running_loop()
    assert where.hostname is not None
    assert where.port is not None
    for _ in range(order.connections):
        await loop.create_connection(lambda: Asking(run), where.hostname, where.port)
    await run.done
    return run.tell()


if __name__ == "__main__":
    given = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Order)
    print("told", msgspec.json.encode(uvloop.run(ask(given))).decode(), flush=True)
