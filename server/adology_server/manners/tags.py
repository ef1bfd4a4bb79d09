"""ETags, and 304 for who has the answer already: in one place, over bodies as they were encoded anyway."""

from __future__ import annotations

import hashlib
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from adology_server.manners.whole import change_answer
from adology_server.requests import vary

_DIGITS = 24
"""Of SHA-256 in hex: 96 bits, far beyond what two states of one address could share by chance."""
_VARY = (b"Authorization", b"Accept-Encoding")
_DROPPED = frozenset((b"content-type", b"content-length", b"etag", b"cache-control"))


class Tagged:
    """Tags whole JSON answers to known callers, and leaves out the body of those that have not changed.

    The tag is of the whole body, signed addresses too: they are signed for a window of time (`files`), so
    that a tag lasts as long as its addresses are good to be given out, and no longer. A client that is
    told 304 never keeps addresses that have ended.

    Tags of reads are weak: the same tag goes with the answer compressed or not. A route that gave a
    version (`versions.with_tag`) gets ``"<organisation>.<version>.<digest>"``: If-Match goes by the version,
    If-None-Match by all of it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        await change_answer(self._app, scope, receive, send, lambda start, message: _tagged(scope, start, message))


def _tagged(scope: Any, start: Any, message: Any) -> tuple[Any, Any]:
    headers = list(start["headers"])
    given = {name.lower(): value for name, value in headers if name.lower() in (b"etag", b"content-type")}
    is_read = scope["method"] == "GET" and start["status"] == 200  # noqa: PLR2004 - OK
    if (
        message.get("more_body")
        or scope.get("user") is None
        or given.get(b"content-type", b"").partition(b";")[0] != b"application/json"
        or not (is_read or b"etag" in given)
    ):
        return start, message
    tag = _tag(message.get("body", b""), given.get(b"etag"))
    own = [(b"etag", tag), (b"cache-control", b"private, no-cache")]
    if is_read and _has(scope, tag):
        kept = [pair for pair in headers if pair[0].lower() not in _DROPPED]
        return {**start, "status": 304, "headers": vary([*kept, *own], _VARY)}, {**message, "body": b""}
    kept = [pair for pair in headers if pair[0].lower() not in (b"etag", b"cache-control")]
    return {**start, "headers": vary([*kept, *own], _VARY)}, message


def _tag(body: bytes, version: bytes | None) -> bytes:
    digest = hashlib.sha256(body).hexdigest()[:_DIGITS].encode()
    return b'W/"%b"' % digest if version is None else b'"%b.%b"' % (version.strip(b'"'), digest)


def _has(scope: Any, tag: bytes) -> bool:
    """Whether the client says that it has this answer; by RFC 9110 it makes no difference here which tags are weak."""
    plain = tag.removeprefix(b"W/")
    asked = b",".join(value for name, value in scope["headers"] if name == b"if-none-match")
    return any(one.strip().removeprefix(b"W/") in (plain, b"*") for one in asked.split(b","))
