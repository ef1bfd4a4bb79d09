"""Thousands of WebSocket clients in one process, as cheap as they can be: the same for every server.

``python -m tests.bench.listeners`` reads its job (JSON: host, port, one path a client, headers of the
post) from standard input and connects them all. Each further line is the body of a ``POST /notify`` with
a word that only the event of it holds: ``WORD BODY``. It prints how long it took from before the post
until the last client had the whole message.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from adology.http.serving import raise_file_limit

AT_ONCE = 64
"""Handshakes under way together."""
PATIENCE_S = 30.0
LONG = 126
_UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def frame_size(data: bytes) -> int:
    """Bytes of the whole frame that `data` begins with; more than there are while its head is not there yet."""
    if len(data) < (2 if len(data) < 2 or data[1] < LONG else 4 if data[1] == LONG else 10):
        return len(data) + 1
    if data[1] < LONG:
        return 2 + data[1]
    if data[1] == LONG:
        return 4 + int.from_bytes(data[2:4], "big")
    return 10 + int.from_bytes(data[2:10], "big")


class Listeners:
    """The clients, connected and greeted."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self._where = (job["host"], job["port"])
        self._poll = select.epoll()
        self._links: dict[int, socket.socket] = {}
        paths = iter(job["paths"])
        while some := list(islice(paths, AT_ONCE)):
            for link in self._connect(some):
                link.setblocking(False)
                self._links[link.fileno()] = link
                self._poll.register(link.fileno(), select.EPOLLIN)

    def _connect(self, paths: Sequence[str]) -> Iterator[socket.socket]:
        opened = []
        for path in paths:
            link = socket.create_connection(self._where, PATIENCE_S)
            link.sendall(_UPGRADE.format(path=path, host=self._where[0], port=self._where[1]).encode())
            opened.append(link)
        for link in opened:
            read = b""
            while b"\r\n\r\n" not in read or b'"hello"' not in read:
                more = link.recv(65536)
                if not more or (read and not read.startswith(b"HTTP/1.1 101")):
                    raise SystemExit(f"not let in: {(read + more)[:2000]!r}")
                read += more
            yield link

    def round(self, word: bytes, body: bytes) -> float:
        """Seconds from the post until the last has it."""
        missing = dict.fromkeys(self._links, b"")
        post = socket.create_connection(self._where, PATIENCE_S)
        post.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = self._request(body)
        started = time.monotonic()
        post.sendall(request)
        while missing:
            ready = self._poll.poll(PATIENCE_S, len(self._links))
            if not ready:
                raise SystemExit(f"{len(missing)} clients never had {word!r}; the post: {post.recv(2000)!r}")
            self._take(ready, missing, word)
        took = time.monotonic() - started
        answer = post.recv(2000)
        post.close()
        if not answer.startswith(b"HTTP/1.1 204"):
            raise SystemExit(f"the post was not taken: {answer!r}")
        return took

    def _take(self, ready: Iterable[tuple[int, int]], missing: dict[int, bytes], word: bytes) -> None:
        for number, _ in ready:
            data = self._links[number].recv(65536)
            if not data:
                raise SystemExit("a client was closed")
            read = missing.get(number, b"") + data
            while len(read) >= (size := frame_size(read)):
                if word in read[:size]:
                    missing.pop(number)
                read = read[size:]
            if number in missing:
                missing[number] = read

    def _request(self, body: bytes) -> bytes:
        heads = {"host": "bench", "content-type": "application/json", **self._job["headers"]}
        lines = "".join(f"{name}: {value}\r\n" for name, value in heads.items())
        return f"POST /notify HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body


def main() -> None:
    """Connect, then measure what the lines ask for."""
    raise_file_limit()
    listeners = Listeners(json.loads(sys.stdin.readline()))
    print("ready", flush=True)
    for line in sys.stdin:
        word, _, body = line.strip().partition(" ")
        print(f"{word} took {listeners.round(word.encode(), body.encode()):.6f}", flush=True)


if __name__ == "__main__":
    main()
