"""Answers that are one piece, changed before they are sent; streams pass in their pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send

Change = Callable[[Any, Any], tuple[Any, Any]]
"""From the start of an answer and its first piece (`more_body`: others follow) to what is sent in their place."""


async def change_answer(app: ASGIApp, scope: Scope, receive: Receive, send: Send, change: Change) -> None:
    """Let `app` answer, and change its answer: the start waits until the first piece is there."""
    start: Message | None = None

    async def answer(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
            return
        if start is not None and message["type"] == "http.response.body":
            first, start = start, None
            first, message = change(first, message)
            await send(first)
        await send(message)

    await app(scope, receive, answer)
