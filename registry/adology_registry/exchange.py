"""One POST call over ASGI: bounded reading, the two encodings, the answer, its count.

Submits are most of the traffic. As ASGI handlers they cost about half the CPU time that request
objects and responses of the framework cost (measured), and the body is bounded while it is read.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import NamedTuple, cast

from litestar.handlers import ASGIRouteHandler, asgi
from litestar.types import HTTPScope, Receive, Scope, Send

from adology.errors import AdologyError, describe
from adology.log import logger
from adology_registry.calls import Call
from adology_registry.errors import HttpError, problem_of
from adology_registry.metrics import RequestCounts
from adology_registry.state import ActiveBrands
from adology_registry.wire import JSON, MSGPACK, encode_json, encode_msgpack

EPOCH_HEADER = "X-Adology-Epoch"
PROBLEM = "application/problem+json"


class Service:
    """What every handler needs: the state, its limits, the counts."""

    def __init__(self, registry: ActiveBrands, max_body_bytes: int) -> None:
        self.registry = registry
        self.max_body_bytes = max_body_bytes
        self.requests = RequestCounts()

    def refuse(self, error: BaseException, operation: str) -> tuple[int, bytes]:
        """Status and problem JSON for `error`; what nobody foresaw is logged whole and shown as a 500."""
        if not isinstance(error, AdologyError):
            logger.opt(exception=error).bind(operation=operation).error("request failed")
            error = AdologyError("the registry failed on this request; its log says why.")
        told = problem_of(error, self.registry.epoch)
        level = "WARNING" if told.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "DEBUG"
        logger.bind(operation=operation, status=told.status, code=told.code, reason=describe(error)).log(
            level, "refused"
        )
        return told.status, encode_json(told)


class Head(NamedTuple):
    """The request headers that matter."""

    length: int | None
    packed: bool
    wants_packed: bool


class _GoneError(Exception):
    """The client went away before its body was whole."""


def is_msgpack(content_type: str) -> bool:
    """Whether a Content-Type or Accept value names MessagePack, in any of its spellings."""
    return "msgpack" in content_type.lower()


def wants_msgpack(accept: str, *, packed: bool) -> bool:
    """Which encoding the answer gets: what Accept names, else that of the request."""
    if is_msgpack(accept):
        return True
    return packed and "json" not in accept.lower()


def post_route(service: Service, call: Call) -> ASGIRouteHandler:
    """The route of one call."""
    operation = call.path[1:]

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        content_type = JSON
        try:
            head = _read_head(cast("HTTPScope", scope), call.path)
            body = await _read_body(receive, head.length, service.max_body_bytes)
            started = time.perf_counter()
            answer = call.act(service.registry, call.reader.read(body, msgpack=head.packed))
            if head.wants_packed:
                status, content, content_type = 200, encode_msgpack(answer), MSGPACK
            else:
                status, content = 200, encode_json(answer)
        except _GoneError:
            return
        except Exception as error:  # noqa: BLE001 - every fault becomes an answer; unforeseen ones are logged
            content_type = PROBLEM
            status, content = service.refuse(error, operation)
        service.requests.add(operation, status, time.perf_counter() - started)
        await _send(send, status, content, content_type, service.registry.epoch)

    return asgi(call.path, name=operation, copy_scope=False)(handle)


def _read_head(scope: HTTPScope, path: str) -> Head:
    if scope["method"] != "POST":
        raise HttpError(405, f"{scope['method']} {path}: only POST is allowed")
    length, packed, accept = None, False, ""
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = int(value)
        elif name == b"content-type":
            packed = is_msgpack(value.decode("latin-1"))
        elif name == b"accept":
            accept = value.decode("latin-1")
    return Head(length, packed, wants_msgpack(accept, packed=packed))


async def _read_body(receive: Receive, announced: int | None, most: int) -> bytes:
    """The whole body, refused before or while it is read when it is too large."""
    if announced is not None and announced > most:
        raise _too_large(f"{announced} bytes", most)
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise _GoneError
        part = cast("bytes", event.get("body", b""))
        size += len(part)
        if size > most:
            raise _too_large("more", most)
        parts.append(part)
        if not event.get("more_body", False):
            return b"".join(parts)


def _too_large(seen: str, most: int) -> HttpError:
    return HttpError(
        413,
        f"the body has {seen}; registry.max_body_bytes = {most} are allowed.",
        hint="Send fewer results per call, or raise the setting.",
    )


async def _send(send: Send, status: int, content: bytes, content_type: str, epoch: str) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"x-adology-epoch", epoch.encode()),
    ]
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
