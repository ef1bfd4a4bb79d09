"""Clients that are connected: what each may wait for, and what becomes of slow ones."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from adology.http.sockets import CLOSE_S, SocketProtocol
from adology_server.callers import Caller
from adology_server.live.told import ALL, Subscription, Told, control_block, control_frame

GOING, SLOW, SILENT, FLOOD, REVOKED = 1001, 1013, 1011, 1008, 4001
"""Codes by which we close: the server ends, the client reads too slowly, is silent, sends too much, lost its rights."""
DRAIN_S = 15.0
"""A client that takes nothing for so long while missed events are sent reads too slowly."""
TOO_SLOW = "too slow: connect again and resume"


class Member(ABC):
    """Somebody who is connected. `held`: missed events are on their way, newer ones come after them."""

    def __init__(self, caller: Caller, buffer_bytes: int) -> None:
        self.caller = caller
        self.org = caller.org
        self.subscription: Subscription = ALL
        self.seen = 0
        self.held = False
        self._buffer_bytes = buffer_bytes

    @property
    def who(self) -> UUID:
        """Whose connections are counted together: a person's, by whatever session or key."""
        assert self.caller.user_id is not None  # noqa: S101 - sessions and keys of organisations have one
        return self.caller.user_id

    @property
    def right(self) -> UUID | None:
        """The session or key on which the connection rests."""
        return self.caller.key_id or self.caller.session_id

    def offer(self, told: Told) -> None:
        """Write an event if the client wants it and has not got it."""
        if told.id <= self.seen or self.held:
            return
        self.seen = told.id
        if self.subscription is ALL or self.subscription.wants(told):
            self.push(told)

    @abstractmethod
    def push(self, told: Told) -> None:
        """Write an event; a client for whom too much waits is closed instead."""

    @abstractmethod
    def say(self, message: Mapping[str, Any]) -> None:
        """Write a message about the connection."""

    @abstractmethod
    async def drain(self) -> None:
        """Wait until the client has taken most of what waits, or is closed for taking too long."""

    @abstractmethod
    def beat(self, silent_s: float) -> None:
        """Give a sign of life, and close who gave none for so long."""

    @abstractmethod
    def end(self, code: int, reason: str) -> None:
        """Close, behind what waits."""

    @property
    @abstractmethod
    def is_over(self) -> bool:
        """Whether it is closed."""


class SocketMember(Member):
    """A WebSocket: frames go to its transport at once."""

    def __init__(self, caller: Caller, buffer_bytes: int, socket: SocketProtocol) -> None:
        super().__init__(caller, buffer_bytes)
        self._socket = socket
        self._write = socket.push

    def offer(self, told: Told) -> None:
        """See `Member`. Its few lines are the cost of an event for each of thousands."""
        number = told.id
        if number <= self.seen or self.held:
            return
        self.seen = number
        if (self.subscription is ALL or self.subscription.wants(told)) and not self._write(
            told.frame, self._buffer_bytes
        ):
            self.end(SLOW, TOO_SLOW)

    def push(self, told: Told) -> None:
        """See `Member`."""
        if not self._write(told.frame, self._buffer_bytes):
            self.end(SLOW, TOO_SLOW)

    def say(self, message: Mapping[str, Any]) -> None:
        """See `Member`."""
        if not self._write(control_frame(message), self._buffer_bytes):
            self.end(SLOW, TOO_SLOW)

    async def drain(self) -> None:
        """See `Member`."""
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._socket.writable.wait()
        except TimeoutError:
            self.end(SLOW, TOO_SLOW)

    def beat(self, silent_s: float) -> None:
        """See `Member`."""
        if self._socket.loop.time() - self._socket.heard_at > silent_s:
            self.end(SILENT, "no answer to pings")
        else:
            self._socket.ping()

    def end(self, code: int, reason: str) -> None:
        """See `Member`."""
        self._socket.end(code, reason)

    @property
    def is_over(self) -> bool:
        """See `Member`."""
        return self._socket.is_over


class StreamMember(Member):
    """A stream of server-sent events: blocks wait until its response takes them. `cut` cuts its connection."""

    def __init__(self, caller: Caller, buffer_bytes: int, cut: Callable[[], object]) -> None:
        super().__init__(caller, buffer_bytes)
        self._cut = cut
        self._blocks: deque[bytes] = deque()
        self._size = 0
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()
        self._ended = False
        self.cutting: asyncio.TimerHandle | None = None

    async def take(self) -> bytes | None:
        """What waits, as soon as something does; None after the end."""
        while not self._blocks:
            if self._ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        taken = b"".join(self._blocks)
        self._blocks.clear()
        self._size = 0
        self._taken.set()
        return taken

    def push(self, told: Told) -> None:
        """See `Member`."""
        self._write(told.block)

    def say(self, message: Mapping[str, Any]) -> None:
        """See `Member`."""
        self._write(control_block(message))

    def _write(self, block: bytes) -> None:
        if self._ended:
            return
        if self._size + len(block) > self._buffer_bytes:
            self.end(SLOW, TOO_SLOW)
            return
        self._put(block)

    def _put(self, block: bytes) -> None:
        self._blocks.append(block)
        self._size += len(block)
        self._taken.clear()
        self._changed.set()

    async def drain(self) -> None:
        """See `Member`."""
        try:
            async with asyncio.timeout(DRAIN_S):
                while self._blocks and not self._ended:
                    await self._taken.wait()
        except TimeoutError:
            self.end(SLOW, TOO_SLOW)

    def beat(self, silent_s: float) -> None:  # noqa: ARG002 - clients of streams say nothing
        """See `Member`. A comment: proxies close connections that are still."""
        self._write(b": alive\n\n")

    def end(self, code: int, reason: str) -> None:
        """See `Member`."""
        if not self._ended:
            self._put(control_block({"type": "bye", "code": code, "reason": reason}))
            self._ended = True
            self._taken.set()
            # A client that takes nothing any more would hold its response, and its seat, for good.
            self.cutting = asyncio.get_running_loop().call_later(CLOSE_S, self._cut)

    @property
    def is_over(self) -> bool:
        """See `Member`."""
        return self._ended
