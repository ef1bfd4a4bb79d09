"""Waiting for a port, and a plain HTTP call, without a client library."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Mapping

from adology.embedded.ports import HOST

_POLL_S = 0.03


async def wait_listening(port: int) -> None:
    """Return once something accepts connections on the loopback `port`."""
    while True:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            await asyncio.sleep(_POLL_S)
            continue
        writer.close()
        return


async def fetch_status(
    port: int,
    path: str,
    *,
    method: str = "GET",
    body: str = "",
    headers: Mapping[str, str] | None = None,
    timeout: float = 3.0,
) -> int:
    """The HTTP status that the loopback `port` answers with."""
    return await asyncio.to_thread(_fetch, port, path, method, body, dict(headers or {}), timeout)


def _fetch(port: int, path: str, method: str, body: str, headers: dict[str, str], timeout: float) -> int:
    link = http.client.HTTPConnection(HOST, port, timeout=timeout)
    try:
        link.request(method, path, body or None, headers)
        answer = link.getresponse()
        answer.read()
        return answer.status
    finally:
        link.close()
