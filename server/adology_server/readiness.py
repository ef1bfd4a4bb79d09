"""Asks what the roles of this process need whether it is there: in parallel, for a bounded time, not too often."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, Self

from adology.aws import open_client
from adology.errors import describe
from adology.log import logger
from adology.queues.admin import queue_names
from adology.settings.model import AdologySettings
from adology.types import Struct
from adology_server.ads.detail import Payloads
from adology_server.live.watch import Watch
from adology_server.similar.index import SimilarityIndexes
from adology_server.tenancy import Tenants

WAIT_S = 5.0
"""A part that does not answer for so long is away."""
KEPT_S = 1.0
"""What was found is told again for so long: probes cannot wear out what they ask."""
BEHIND_S = 30.0
"""Searches may lack what was committed in so many seconds before it counts as a fault."""
_MIGRATED: Final = (  # by the newest migration that the server needs
    "select to_regclass('public.brands_added') is not null as migrated"
)


class Part(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Something that the server works with; `needed`: without it nothing can be served."""

    name: str
    ok: bool
    needed: bool
    error: str = ""


class _Fault(Exception):  # noqa: N818 - becomes the part's `error`
    """What is wrong, in words that anybody may read."""


class _Probe(NamedTuple):
    name: str
    needed: bool
    ask: Callable[[], Awaitable[None]]


class Probes:
    """Those of the roles of this process. Errors are told without addresses: the log has the rest."""

    def __init__(
        self, settings: AdologySettings, tenants: Tenants, payloads: Payloads, indexes: SimilarityIndexes, watch: Watch
    ) -> None:
        self._settings = settings
        self._tenants = tenants
        self._payloads = payloads
        self._indexes = indexes
        self._watch = watch
        self._clients = contextlib.AsyncExitStack()
        self._opened: dict[str, Any] = {}
        self._lock = asyncio.Lock()
        self._found: tuple[Part, ...] = ()
        self._good_until = 0.0
        self._probes = [_Probe("postgres", True, self._postgres), _Probe("notices", False, self._notices)]
        if "api" in settings.server.roles:
            self._probes += [_Probe("mongo", False, payloads.ping)] if settings.mongo.url else []
            self._probes += [
                _Probe("bucket", False, self._bucket),
                _Probe("queues", False, self._queues),
                _Probe("similarity", False, self._similarity),
            ]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._clients.aclose()

    async def look(self) -> tuple[Part, ...]:
        """What answers. Of many who ask at the same moment one looks, and all are told what it finds."""
        async with self._lock:
            if time.monotonic() >= self._good_until:
                await self._open()
                self._found = tuple(await asyncio.gather(*map(_ask, self._probes)))
                self._good_until = time.monotonic() + KEPT_S
            return self._found

    async def _postgres(self) -> None:
        (row,) = await self._tenants.rows(None, _MIGRATED)
        if not row["migrated"]:
            raise _Fault("the database is older than this server: run `adology migrate`")

    async def _notices(self) -> None:
        if not self._watch.is_listening:
            raise _Fault("notices of the database are not heard: events and revocations come late")

    async def _bucket(self) -> None:
        await self._opened["s3"].head_bucket(Bucket=self._settings.s3.bucket)

    async def _queues(self) -> None:
        client, names = self._opened["sqs"], queue_names(self._settings.queues)
        await asyncio.gather(*(client.get_queue_url(QueueName=names[role]) for role in ("task", "gather")))

    async def _similarity(self) -> None:
        behind = self._indexes.behind_s
        if behind is None:
            raise _Fault("the indexes are not made yet: searches find nothing or little")
        if behind > BEHIND_S:
            raise _Fault(f"the indexes were last in step {behind:.0f} s ago: searches lack what is new")

    async def _open(self) -> None:
        """Make the clients of AWS when somebody asks for the first time: that asks nobody, and takes a while.

        Not while parts are asked: it holds up this process, and they would seem not to answer.
        """
        for service in ("s3", "sqs") if "api" in self._settings.server.roles else ():
            if service not in self._opened:
                client = await self._clients.enter_async_context(open_client(self._settings.aws, service))
                self._opened[service] = client


async def _ask(probe: _Probe) -> Part:
    try:
        async with asyncio.timeout(WAIT_S):
            await probe.ask()
    except _Fault as fault:
        return Part(name=probe.name, ok=False, needed=probe.needed, error=str(fault))
    except TimeoutError:
        return Part(name=probe.name, ok=False, needed=probe.needed, error=f"does not answer within {WAIT_S:g} s")
    except Exception as error:  # noqa: BLE001 - whatever it is, the part cannot be used
        logger.bind(part=probe.name, error=describe(error)).warning("readyz: a part does not answer")
        return Part(name=probe.name, ok=False, needed=probe.needed, error="does not answer; the server's log says more")
    return Part(name=probe.name, ok=True, needed=probe.needed)
