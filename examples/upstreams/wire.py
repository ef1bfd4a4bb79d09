"""Faults of the wire, the same for every stand-in: what happens to an answer on its way.

Before the vendor's code runs: ``html`` (a 200 page where JSON or bytes are due; `detail` another
status), ``http_500``, ``http_404``, ``http_410``, ``http_429`` (with Retry-After when `seconds` is
set), ``redirect`` (to `detail`, else to the same address), ``redirect_loop``, ``reset``.
After it: ``slow`` (waits `seconds`), ``drip`` (the body over `seconds`), ``truncate`` (half of the
body under the whole one's Content-Length), ``wrong_type`` (Content-Type `detail`).
"""

from __future__ import annotations

import asyncio
import math
import mimetypes
import socket
import struct
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from upstreams.faults import Fault

DRIPS = 20
"""Pieces in which a dripping body comes."""

HTML = (
    "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Sorry, something went wrong.</h1>"
    "<p>We're working on getting this fixed as soon as we can.</p></body></html>"
)
_STATUSES = {
    "http_500": HTTPStatus.INTERNAL_SERVER_ERROR,
    "http_404": HTTPStatus.NOT_FOUND,
    "http_410": HTTPStatus.GONE,
    "http_429": HTTPStatus.TOO_MANY_REQUESTS,
}
WIRE_KINDS = frozenset(
    {*_STATUSES, "html", "redirect", "redirect_loop", "reset", "slow", "drip", "truncate", "wrong_type"}
)


class FileAnswer(web.FileResponse):
    """A file as an answer: sent by the kernel, with ranges, when all is well; read when a fault needs its bytes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, headers={"Content-Type": content_type_of(path)})
        self.path = path


def content_type_of(path: Path) -> str:
    """The media type that the name's ending stands for."""
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def answer_at_once(request: web.Request, fault: Fault) -> web.StreamResponse | None:
    """The answer of a fault that strikes before the vendor's own code; None for other kinds."""
    match fault.kind:
        case "html":
            return _html(int(fault.detail) if fault.detail.isdigit() else HTTPStatus.OK)
        case "redirect":
            return _redirect(fault.detail or str(request.rel_url))
        case "redirect_loop":
            return _redirect("/_loop?n=1")
        case "reset":
            return _reset(request)
        case kind if kind in _STATUSES:
            headers = {"Retry-After": str(math.ceil(fault.seconds))} if fault.seconds else {}
            return _html(_STATUSES[kind], headers)
    return None


async def degrade(request: web.Request, response: web.StreamResponse, fault: Fault) -> web.StreamResponse:
    """The vendor's own answer as the fault lets it through."""
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        return response
    body = await _body_of(request, response)
    if fault.kind == "wrong_type":
        kind = fault.detail or "text/plain"
        return web.Response(body=body, status=response.status, headers={"Content-Type": kind})
    sent = web.StreamResponse(status=response.status, headers=response.headers)
    sent.content_length = len(body)
    await sent.prepare(request)
    if fault.kind == "truncate":
        await sent.write(body[: len(body) // 2])
        if request.transport is not None:
            request.transport.close()  # sends what is written, then ends the connection
        return sent
    step = max(1, math.ceil(len(body) / DRIPS))
    for start in range(0, len(body), step):
        await sent.write(body[start : start + step])
        await asyncio.sleep(fault.seconds / DRIPS)
    return sent


async def _body_of(request: web.Request, response: web.StreamResponse) -> bytes:
    if isinstance(response, FileAnswer):
        return await asyncio.to_thread(response.path.read_bytes)
    if isinstance(response, web.Response) and isinstance(response.body, bytes | bytearray | None):
        return bytes(response.body or b"")
    raise TypeError(f"a fault needs a body in memory or a file, {request.path} answered {type(response).__name__}")


def _html(status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(text=HTML, status=status, headers=headers, content_type="text/html")


def _redirect(target: str) -> web.Response:
    return web.Response(status=HTTPStatus.FOUND, headers={"Location": target})


def _reset(request: web.Request) -> web.StreamResponse:
    """Cuts the connection with a TCP reset: no answer at all."""
    if request.transport is not None:
        raw: socket.socket | None = request.transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response(status=HTTPStatus.BAD_GATEWAY)
