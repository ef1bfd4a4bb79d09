"""Uvicorn's WebSockets with a door for those who write to thousands: no task and no queue per client."""

from __future__ import annotations

import contextlib
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.http11 import Request

KEY = "adology.socket"
"""The extension of a connection's scope that holds its `SocketProtocol`."""
CLOSE_S = 5.0
"""For the client to answer to our closing; a connection that cannot take it is cut after that."""
_SHORT, _MEDIUM = 126, 1 << 16


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection. `heard_at`: when the client last sent anything, pongs too, on the loop's clock."""

    heard_at = 0.0

    def handle_connect(self, event: Request) -> None:
        """As uvicorn does it, and let the application find us."""
        self.heard_at = self.loop.time()
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[KEY] = self

    def data_received(self, data: bytes) -> None:
        """As uvicorn does it, and note when."""
        self.heard_at = self.loop.time()
        super().data_received(data)

    async def send(self, message: ASGISendEvent) -> None:
        """As uvicorn does it. A handshake that was refused with an answer is complete: it is no fault to be logged."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    @property
    def is_over(self) -> bool:
        """Whether nothing can be written any more."""
        return self.close_sent or self.disconnected or self.transport.is_closing()

    def push(self, frame: bytes, most: int) -> bool:
        """Write a frame that `text_frame` made, unless more than `most` bytes would wait then: that is False.

        After the end nothing happens.
        """
        transport = self.transport
        if self.close_sent or self.disconnected or transport.is_closing():
            return True
        if transport.get_write_buffer_size() + len(frame) > most:
            return False
        transport.write(frame)
        return True

    def ping(self) -> None:
        """Ask the client for a sign of life."""
        if not self.is_over:
            with contextlib.suppress(InvalidState):
                self.conn.send_ping(b"")
                self.transport.write(b"".join(self.conn.data_to_send()))

    def end(self, code: int, reason: str) -> None:
        """Close the connection, behind what waits; the application receives the disconnect at once."""
        if self.is_over:
            return
        try:
            self.conn.send_close(code, reason)
        except InvalidState:
            self.transport.close()
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.writable.set()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CLOSE_S, self.transport.abort)


def text_frame(payload: bytes) -> bytes:
    """A whole, unmasked text message (RFC 6455, 5.2), the same for every client."""
    size = len(payload)
    if size < _SHORT:
        return b"\x81" + size.to_bytes(1, "big") + payload
    if size < _MEDIUM:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload
