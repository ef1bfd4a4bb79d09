"""`Idempotency-Key`: a request that comes again is answered again and not carried out again."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any

import msgspec
from litestar import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adology.log import logger
from adology_server.callers import Caller
from adology_server.manners.deeds import CURRENT, Deed, Reservation, deed_of
from adology_server.problems import Refusal
from adology_server.tenancy import Tenants

HEADER = "idempotency-key"
KEPT_S = 24 * 3600.0
LARGEST = 256 * 1024
"""Bytes of a reply that are kept."""
REPLAYED = "idempotent-replayed"
RETRY_S = 1
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_SECRET = re.compile(rb"ado_(?:at|rt|key|inv|wst)_[A-Za-z0-9_-]{20}")
_MEANT = frozenset((b"content-type", b"location", b"etag"))
"""Headers of a reply that belong to what it says."""
_PASSING = frozenset((401, 413, 415, 429))
"""Answers that say nothing of the request itself: it may come again."""


class Replay(Exception):  # noqa: N818 - no error: an answer that is known
    """The request was carried out before; this is its reply."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = {**headers, REPLAYED: "true"}
        self.body = body


async def reserve(
    tenants: Tenants, request: Request[Any, Any, Any], caller: Caller, deed: Deed, lease_s: float
) -> None:
    """Hold the key that a POST names, so that nobody else carries the same request out.

    Raises:
        Refusal: the key is malformed, in use this moment, or was used for another request.
        Replay: it was carried out before.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST" or caller.org_id is None:
        return
    if not _KEY.fullmatch(key):
        raise Refusal("invalid", "Idempotency-Key has 1 to 200 visible ASCII characters.", field="Idempotency-Key")
    asked = _digest(request, await request.body())
    owner = uuid.uuid4()
    values = [caller.actor, key, asked, owner, lease_s, KEPT_S]
    (found,) = await tenants.rows(caller.org_id, "select * from idempotency_reserve(%s, %s, %s, %s, %s, %s)", values)
    match found["outcome"]:
        case "mine":
            deed.reservation = Reservation(caller.actor, key, owner)
        case "other":
            raise Refusal("key-reused", "The Idempotency-Key was used for another request.", field="Idempotency-Key")
        case "running":
            detail = "The same request is being carried out: ask again in a moment."
            raise Refusal("in-progress", detail, headers={"retry-after": str(RETRY_S)})
        case _:
            raise _again(found)


def _again(found: dict[str, Any]) -> Exception:
    if found["body"] is None:
        detail = (
            "The request was carried out before, and its reply is not kept: it held a secret that is shown once,"
            " was too large, or was lost with the server. See what it made."
        )
        return Refusal("done-before", detail)
    return Replay(found["status"], found["headers"], bytes(found["body"]))


def _digest(request: Request[Any, Any, Any], body: bytes) -> bytes:
    """Of the whole request: address, parameters, type and body."""
    fields = [request.url.path.encode(), request.scope.get("query_string", b""), body]
    if not request.headers.get("content-type", "").startswith("multipart/"):  # whose boundary is in the body
        fields.append(request.headers.get("content-type", "").encode())
    hashed = hashlib.sha256()
    for field in fields:
        hashed.update(len(field).to_bytes(8, "big") + field)
    return hashed.digest()


class Replies:
    """Keeps the replies to requests that hold a key, before they are sent."""

    def __init__(self, app: ASGIApp, tenants: Tenants) -> None:
        self._app = app
        self._tenants = tenants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        waiting: list[Message] = []

        async def answer(message: Message) -> None:
            deed = deed_of(scope)
            if deed is None or deed.reservation is None:
                await send(message)
                return
            waiting.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                await self._settle(deed, waiting)
                for one in waiting:
                    await send(one)
                waiting.clear()

        try:
            await self._app(scope, receive, answer)
        finally:
            deed = deed_of(scope)
            if deed is not None and deed.reservation is not None:
                await self._release(deed)

    async def _settle(self, deed: Deed, messages: list[Message]) -> None:
        """Keep the reply, or let go of the key where the answer says nothing of the request."""
        start: Any = messages[0]
        status = start["status"]
        if status >= 500 or status in _PASSING:  # noqa: PLR2004 - ours, not the request's
            await self._release(deed)
            return
        body: bytes | None = b"".join(one["body"] for one in messages if one["type"] == "http.response.body")
        if body is None or len(body) > LARGEST or _SECRET.search(body):
            body = None
        headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"] if name in _MEANT}
        held, deed.reservation = deed.reservation, None
        if held is None:
            return
        await self._write(
            deed,
            "update idempotency_keys set state = 'done', status = %s, headers = %s::jsonb, body = %s"
            " where org_id = %s and caller = %s and key = %s and owner = %s returning key",
            [status, msgspec.json.encode(headers).decode(), body, deed.org_id, held.caller, held.key, held.owner],
        )

    async def _release(self, deed: Deed) -> None:
        """Nothing was done: the key is free. Where something was, it stays, and nothing is done again."""
        held, deed.reservation = deed.reservation, None
        if held is None:
            return
        await self._write(
            deed,
            "with freed as (delete from idempotency_keys where state = 'running' and org_id = %(org)s"
            " and caller = %(caller)s and key = %(key)s and owner = %(owner)s)"
            " update idempotency_keys set lease_until = now() where state = 'committed' and org_id = %(org)s"
            " and caller = %(caller)s and key = %(key)s and owner = %(owner)s returning key",
            {"org": deed.org_id, "caller": held.caller, "key": held.key, "owner": held.owner},
        )

    async def _write(self, deed: Deed, statement: Any, values: Any) -> None:
        CURRENT.set(None)  # to write this is no change of the caller's
        try:
            await self._tenants.rows(deed.org_id, statement, values)
        except Exception as error:  # noqa: BLE001 - the answer stands; the lease ends by itself
            logger.bind(error=str(error)).warning("the reply to an idempotent request was not kept")
