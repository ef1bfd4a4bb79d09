"""The two places where a connection gets its address; both let through vetted ones only.

Why DNS rebinding cannot happen: the check and the connection use one and the same answer.
`GuardedResolver` is the connector's only resolver; it vets *every* address of an answer and
hands on just that answer, which aiohttp connects to without asking again. Host literals never
reach a resolver and were vetted by `check_target`. A kept-alive connection is an established
socket to an address vetted when it was opened. And `GuardedConnector` looks once more at the
final socket address, so a path that we did not think of fails closed.
"""

from __future__ import annotations

import socket
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from adology.errors import FetchRefusedError
from adology.fetch.addresses import find_refusal, is_loopback, parse_address
from adology.fetch.targets import is_stand_in, origin_of
from adology.settings.model import FetchSettings

DNS_CACHE_S = 30
MAX_CONNECTIONS = 256


class GuardedResolver(AbstractResolver):
    """Answers of `inner`, when all of their addresses may be contacted."""

    def __init__(self, inner: AbstractResolver, settings: FetchSettings) -> None:
        self._inner = inner
        self._settings = settings

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The vetted answer.

        Raises:
            FetchRefusedError: one of the addresses may not be contacted. The others are not used
                either: who mixes public and private answers is up to something.
        """
        answers = await self._inner.resolve(host, port, family)
        loopback_allowed = is_stand_in(host, port, self._settings)
        for answer in answers:
            _check(answer["host"], origin_of(host, port), loopback_allowed=loopback_allowed)
        return answers

    async def close(self) -> None:
        """Close the inner resolver."""
        await self._inner.close()


def guarded_connector(resolver: AbstractResolver, settings: FetchSettings) -> aiohttp.TCPConnector:
    """A connection pool that reaches vetted addresses only. Proxies are never used: they would resolve."""
    ports = {int(origin.rpartition(":")[2]) for origin in settings.stand_ins if origin.rpartition(":")[2].isdigit()}

    def open_socket(info: Any) -> socket.socket:
        family, kind, protocol, _, (host, port, *_rest) = info
        _check(host, origin_of(host, port), loopback_allowed=port in ports)
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(
        resolver=GuardedResolver(resolver, settings),
        family=socket.AF_UNSPEC,
        ttl_dns_cache=DNS_CACHE_S,
        limit=MAX_CONNECTIONS,
        socket_factory=open_socket,
    )


def _check(address: str, origin: str, *, loopback_allowed: bool) -> None:
    why = find_refusal(address)
    if why is None:
        return
    parsed = parse_address(address)
    if loopback_allowed and parsed is not None and is_loopback(parsed):
        return
    raise FetchRefusedError(
        f"refused to connect to {origin}: its address {address} is {why}.",
        hint="Only public addresses may be contacted; see the setting fetch.stand_ins for tests.",
    )
