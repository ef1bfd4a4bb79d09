"""The GET calls: results, progress, health, metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeAlias
from urllib.parse import unquote

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.response import Stream

from adology.registry_client.protocol import Progress
from adology_registry.errors import BadRequestError, HttpError
from adology_registry.exchange import EPOCH_HEADER, PROBLEM, Service, wants_msgpack
from adology_registry.metrics import CONTENT_TYPE, render
from adology_registry.wire import (
    JSON,
    MSGPACK,
    HealthAnswer,
    PageAnswer,
    ProgressAnswer,
    check_brand,
    encode_json,
    encode_msgpack,
    iter_results,
)

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000

Incoming: TypeAlias = Request[Any, Any, State]


@get("/results/{brand:path}", name="results", sync_to_thread=False)
def get_results(request: Incoming) -> Stream:
    """The list of results, streamed."""
    service = _service(request)
    packed = _wants_msgpack(request)
    held = service.registry.results(_brand(request, "/results/"), request.query_params.get("batch_id"))
    service.requests.add("results", 200, 0.0)
    return Stream(
        _politely(iter_results(held, msgpack=packed)), media_type=MSGPACK if packed else JSON, headers=_epoch(service)
    )


@get("/brands", name="brands", sync_to_thread=False)
def get_brands(request: Incoming) -> Response[bytes]:
    """One page of active brands."""
    service = _service(request)
    page, following = service.registry.page(request.query_params.get("after", ""), _limit(request))
    brands = [_show(progress) for progress in page]
    return _reply(request, PageAnswer(brands=brands, next=following, epoch=service.registry.epoch), "brands")


@get("/brands/{brand:path}", name="brand", sync_to_thread=False)
def get_brand(request: Incoming) -> Response[bytes]:
    """How far one brand is."""
    return _reply(request, _show(_service(request).registry.progress(_brand(request, "/brands/"))), "brand")


@get("/healthz", name="healthz", sync_to_thread=False)
def get_health(request: Incoming) -> Response[bytes]:
    """That the registry lives, and which life it is."""
    registry = _service(request).registry
    answer = HealthAnswer(
        status="ok",
        epoch=registry.epoch,
        active_brands=registry.active,
        held_bytes=registry.held_bytes,
        uptime_s=round(registry.uptime_s, 3),
    )
    return _reply(request, answer, "healthz")


@get("/metrics", name="metrics", sync_to_thread=False)
def get_metrics(request: Incoming) -> Response[bytes]:
    """Prometheus text."""
    service = _service(request)
    service.requests.add("metrics", 200, 0.0)
    text = render(service.registry, service.requests)
    return Response(text.encode(), media_type=CONTENT_TYPE, headers=_epoch(service))


READS = (get_results, get_brands, get_brand, get_health, get_metrics)


def on_error(request: Incoming, error: Exception) -> Response[bytes]:
    """The problem JSON of whatever a GET call, or the search for a route, ended in."""
    service = _service(request)
    handler = request.scope.get("route_handler")
    operation = (handler.name if handler is not None else None) or "unknown"
    headers = _epoch(service)
    shown: Exception = error
    if isinstance(error, HTTPException):
        shown = HttpError(error.status_code, f"{request.method} {request.url.path}: {error.detail.lower()}")
        headers |= {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    status, content = service.refuse(shown, operation)
    service.requests.add(operation, status, 0.0)
    return Response(content, status_code=status, media_type=PROBLEM, headers=headers)


async def _politely(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Other callers get their turn between two pieces of a long list."""
    for piece in pieces:
        yield piece
        await asyncio.sleep(0)


def _service(request: Incoming) -> Service:
    service: Service = request.app.state.service
    return service


def _brand(request: Incoming, prefix: str) -> str:
    """The brand in the address, taken undecoded: an escaped slash belongs to the name."""
    raw: bytes = request.scope["raw_path"]
    brand = unquote(raw.decode("latin-1").partition(prefix)[2])
    try:
        check_brand(brand)
    except ValueError as error:
        raise BadRequestError(f"the address names no brand: {error}.", field="brand") from None
    return brand


def _limit(request: Incoming) -> int:
    text = request.query_params.get("limit", str(DEFAULT_PAGE))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:10]) <= LARGEST_PAGE:
        raise BadRequestError(f"`limit` is {text[:40]!r}; 1 to {LARGEST_PAGE} are allowed.", field="limit")
    return int(text)


def _wants_msgpack(request: Incoming) -> bool:
    return wants_msgpack(request.headers.get("accept", ""), packed=False)


def _reply(request: Incoming, answer: msgspec.Struct, operation: str) -> Response[bytes]:
    service = _service(request)
    started = time.perf_counter()
    packed = _wants_msgpack(request)
    content = encode_msgpack(answer) if packed else encode_json(answer)
    service.requests.add(operation, 200, time.perf_counter() - started)
    return Response(content, media_type=MSGPACK if packed else JSON, headers=_epoch(service))


def _epoch(service: Service) -> dict[str, str]:
    return {EPOCH_HEADER: service.registry.epoch}


def _show(progress: Progress) -> ProgressAnswer:
    return ProgressAnswer(**msgspec.structs.asdict(progress))
