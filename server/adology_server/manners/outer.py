"""Around the whole application: HEAD as GET without its body, compression, and who stands around whom."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

from litestar.enums import ScopeType
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adology.settings.model import ServerSettings
from adology_server.manners.audit import Refusals
from adology_server.manners.cors import Preflights
from adology_server.manners.idempotency import Replies
from adology_server.manners.tags import Tagged
from adology_server.manners.whole import change_answer
from adology_server.requests import ASKED, RequestLog, vary
from adology_server.tenancy import Tenants

SMALLEST, LEVEL = 1000, 4
"""Bytes from which an answer is compressed, and how hard: level 9 takes three times as long for a tenth less."""
_GZIP = 31
"""zlib's name for its window with gzip's header around it."""


def around(app: ASGIApp, tenants: Tenants, routes: Iterable[Any], own: ServerSettings) -> ASGIApp:
    """The application with everything around it that every answer goes through, refusals of the framework too."""
    kept = Replies(Refusals(Preflights(app, own.origins), tenants), tenants)
    https = own.public_url.startswith("https://")
    methods = {route.path_format: set(route.route_handler_map) for route in routes if isinstance(route, HTTPRoute)}
    return Heads(RequestLog(Compressed(Tagged(kept)), https=https), methods)


class Heads:
    """Answers HEAD as GET, without the body, and says in `Allow` what an address takes.

    The framework's own answer to OPTIONS knows only the methods that were there when it was made.
    """

    def __init__(self, app: ASGIApp, methods: dict[str, set[Any]]) -> None:
        self._app = app
        self._allow = {
            path: ", ".join(sorted({*map(str, known), *(["HEAD"] if "GET" in known else [])})).encode()
            for path, known in methods.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"

        # A copy: the HTTP server below goes by the method that it was asked with.
        asked: Any = {**scope, "method": "GET", ASKED: "HEAD"} if is_head else scope

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                allow = self._allow.get(str(asked.get("path_template", "")))
                message = {**message, "headers": [_allowing(pair, allow) for pair in message["headers"]]}
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app(asked, receive, answer)


def _allowing(pair: tuple[bytes, bytes], allow: bytes | None) -> tuple[bytes, bytes]:
    """What the address takes; where it is none of ours, HEAD where GET is."""
    name, value = pair
    if name.lower() != b"allow":
        return pair
    if allow is not None:
        return name, allow
    methods = {one.strip() for one in value.split(b",")}
    return name, b", ".join(sorted(methods | ({b"HEAD"} if b"GET" in methods else set())))


class Compressed:
    """Compresses whole answers with gzip, for those who take it. Streams pass as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] != ScopeType.HTTP or not _takes_gzip(scope):
            await self._app(scope, receive, send)
            return
        await change_answer(self._app, scope, receive, send, _packed)


def _takes_gzip(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            for one in value.lower().split(b","):
                coding, _, quality = one.strip().partition(b";")
                if coding.strip() == b"gzip":
                    return quality.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False


def _packed(start: Any, message: Any) -> tuple[Any, Any]:
    body, headers = message.get("body", b""), list(start["headers"])
    names = {name.lower() for name, _ in headers}
    if message.get("more_body") or len(body) < SMALLEST or b"content-encoding" in names:
        return start, message
    packed = zlib.compress(body, LEVEL, _GZIP)
    kept = [pair for pair in headers if pair[0].lower() != b"content-length"]
    kept += [(b"content-encoding", b"gzip"), (b"content-length", str(len(packed)).encode())]
    return {**start, "headers": vary(kept, (b"Accept-Encoding",))}, {**message, "body": packed}
