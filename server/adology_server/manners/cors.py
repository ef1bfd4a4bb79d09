"""Which web pages may call the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar.config.cors import CORSConfig
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adology_server.problems import PROBLEM, Refusal
from adology_server.requests import request_id

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SENT = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "X-Request-ID",
)
READ = (
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
)


def cors(origins: Sequence[str]) -> CORSConfig | None:
    """For pages of these origins; None where there are none. Cookies are never taken."""
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=list(METHODS),  # type: ignore[arg-type]  # of literals
        allow_headers=list(SENT),
        expose_headers=list(READ),
        allow_credentials=False,
    )


class Preflights:
    """Says as a problem what a preflight is refused for: the framework says it in plain text."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "OPTIONS":
            await self._app(scope, receive, send)
            return
        refusal: Refusal | None = None

        async def answer(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and message["status"] == 400:  # noqa: PLR2004 - refused
                refusal = self._refusal(scope)
                headers = [(b"content-type", PROBLEM.encode()), (b"vary", b"Origin")]
                message = {**message, "status": int(refusal.status), "headers": headers}
            elif message["type"] == "http.response.body" and refusal is not None:
                message = {**message, "body": msgspec.json.encode(refusal.problem(request_id(scope)))}
            await send(message)

        await self._app(scope, receive, answer)

    def _refusal(self, scope: Any) -> Refusal:
        asked = {name: value.decode("latin-1")[:200] for name, value in scope["headers"]}
        if asked.get(b"origin") not in self._origins:
            return Refusal(
                "foreign-origin", "Pages of this origin may not call: `server.origins` lists those that may."
            )
        method = asked.get(b"access-control-request-method", "")
        if method not in METHODS:
            return Refusal("bad-request", f"Pages may not send {method!r}; allowed: {', '.join(METHODS)}.")
        return Refusal("bad-request", f"Pages may send these headers alone: {', '.join(SENT)}.")
