"""Around every request: an id that joins answer and log, a line in the log, headers that every answer has."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adology.log import bound, logger

HEADER = "x-request-id"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_KEY = "adology.request_id"
RATE = "adology.rate"
"""Key of the scope: headers that tell how many requests may follow."""
ASKED = "adology.method"
"""Key of the scope: the method of the client, where the application is asked with another one."""
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-site"),
)
"""On every answer; a page of ours sets its own content-security-policy."""
HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
"""Where clients come by https: from then on they come by nothing else."""


def vary(headers: list[tuple[bytes, bytes]], names: tuple[bytes, ...]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer that depends on these headers of the request as well."""
    said = [one.strip() for name, value in headers if name.lower() == b"vary" for one in value.split(b",")]
    if not said:
        return [*headers, (b"vary", b", ".join(names))]
    known = {one.lower() for one in said}
    said += [name for name in names if name.lower() not in known]
    return [*(pair for pair in headers if pair[0].lower() != b"vary"), (b"vary", b", ".join(said))]


def request_id(scope: Any) -> str:
    """The id of the request that is being answered."""
    return str(scope.get(_KEY, ""))


class RequestLog:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, *, https: bool = False) -> None:
        self._app = app
        self._always = (*SECURITY, HSTS) if https else SECURITY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == HEADER.encode()), b"").decode("latin-1")
        own = given if _ID.fullmatch(given) else uuid.uuid4().hex
        scope[_KEY] = own  # type: ignore[literal-required]  # a key of ours
        status, sent, began = 0, 0, time.perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message["headers"])
                names = {name.lower() for name, _ in headers}
                told: Any = scope.get(RATE, ())
                headers += [pair for pair in (*self._always, *told) if pair[0] not in names]
                if b"cache-control" not in names:
                    headers.append((b"cache-control", b"private, no-store"))
                headers.append((HEADER.encode(), own.encode()))
                message = {**message, "headers": headers}
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        with bound(request=own):
            try:
                await self._app(scope, receive, answer)
            finally:
                user = scope.get("user")
                logger.bind(
                    method=scope.get(ASKED) or scope.get("method", scope["type"]),
                    path=scope["path"],
                    status=status or None,
                    bytes=sent,
                    duration_ms=round((time.perf_counter() - began) * 1000, 2),
                    actor=getattr(user, "actor", None),
                    org=getattr(user, "org_id", None),
                ).info("request")
