"""Asks sources which advertisers a brand may be: in bounded time, each call in the ledger of paid calls."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Literal, Self

from adology.errors import ConfigError, Deferred, Retry, RetryLater, Skip, Terminal, describe
from adology.http import HttpClient
from adology.log import logger
from adology.money import PriceTable
from adology.money.calls import Payer
from adology.plugins import load_plugins
from adology.runtime.sources import ReadySource, prepare_sources
from adology.settings.model import AdologySettings
from adology.store import Catalogue, Database, Spending
from adology.types import Advertiser, Struct

AT_ONCE = 8
"""Sources that are asked at the same time by this process; others wait, and their time runs."""
LONGEST_REASON = 500

Outcome = Literal["found", "none", "unsupported", "not_configured", "later", "failed"]


class Asked(Struct, frozen=True, kw_only=True):
    """What one source answered; `detail` is for people, and says nothing of our inside."""

    source: str
    outcome: Outcome
    detail: str = ""
    retry_after_s: int | None = None
    candidates: tuple[Advertiser, ...] = ()
    paid_calls: int = 0
    cost_usd: float | None = None


class _Ready:
    """What is opened when somebody asks for the first time: many servers are never asked."""

    def __init__(self, sources: dict[str, ReadySource], purse: Spending, catalogue: Catalogue) -> None:
        self.sources = sources
        self.purse = purse
        self.catalogue = catalogue


class Finder:
    """The sources in this process, with the engine's rights in the database: for ledger and pauses."""

    def __init__(self, settings: AdologySettings) -> None:
        self._settings = settings
        self._stack = contextlib.AsyncExitStack()
        self._opening = asyncio.Lock()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._ready: _Ready | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def find(self, source: str, name: str, domain: str, payer: Payer) -> Asked:
        """Ask one source; whatever goes wrong there is part of the answer.

        Raises:
            UnavailableError: the database does not answer.
            ConfigError: the server has no address of the database for the engine.
        """
        ready = await self._open()
        instance = ready.sources.get(source)
        if instance is None:
            return Asked(source=source, outcome="unsupported", detail="Its plugin is not installed on this server.")
        context = instance.context(purse=ready.purse, payer=payer)
        credential = context.credential_id()
        paused_s = await ready.catalogue.paused_s(credential)
        if paused_s > 0:
            return _later(source, paused_s)
        try:
            async with asyncio.timeout(self._settings.server.lookup_s), self._turns:
                found = await instance.source.find_handles(context, name, domain)
            asked = _told(source, found)
        except RetryLater as error:
            await ready.catalogue.pause_credential(credential, error.seconds, describe(error)[:LONGEST_REASON])
            asked = _later(source, error.seconds)
        except Exception as error:  # noqa: BLE001 - a plugin's fault is no fault of the request
            asked = self._failed(source, error)
        costs = [float(call.cost_usd) for call in context.calls]
        known = [call.has_price for call in context.calls]
        return Asked(
            source=asked.source,
            outcome=asked.outcome,
            detail=asked.detail,
            retry_after_s=asked.retry_after_s,
            candidates=asked.candidates,
            paid_calls=len(costs),
            cost_usd=round(sum(costs), 6) if all(known) else None,
        )

    def _failed(self, source: str, error: Exception) -> Asked:
        logger.bind(source=source, error=describe(error)).warning("a source could not look for advertisers")
        match error:
            case ConfigError():
                detail = "It is not set up on this server, or its key is refused: whoever runs it finds why in the log."
                return Asked(source=source, outcome="not_configured", detail=detail)
            case Deferred():
                detail = "The day's budget for paid calls is used up."
                return Asked(source=source, outcome="later", detail=detail, retry_after_s=int(error.after) + 1)
            case TimeoutError():
                detail = f"It did not answer within {self._settings.server.lookup_s:g} s."
                return Asked(source=source, outcome="later", detail=detail, retry_after_s=60)
            case Retry():
                after = int(error.after or 60) + 1
                return Asked(source=source, outcome="later", detail="It does not answer now.", retry_after_s=after)
            case Terminal() | Skip():
                return Asked(source=source, outcome="failed", detail="It refuses to look for this.")
        return Asked(source=source, outcome="failed", detail="Its plugin failed; our log has the cause.")

    async def _open(self) -> _Ready:
        async with self._opening:
            if self._ready is None:
                own, money = self._settings.plugins, self._settings.money
                plugins = await asyncio.to_thread(load_plugins, only=own.only, without=own.without, strict=own.strict)
                database = await self._stack.enter_async_context(Database(self._settings.postgres))
                http = await self._stack.enter_async_context(HttpClient(timeout_s=self._settings.server.lookup_s))
                self._ready = _Ready(
                    prepare_sources(plugins, self._settings, http),
                    Spending(database, PriceTable(money.prices), money.budgets),
                    Catalogue(database),
                )
            return self._ready


def _told(source: str, found: tuple[Advertiser, ...] | None) -> Asked:
    if found is None:
        detail = "This source cannot look for advertisers: its handles are set by whoever knows them."
        return Asked(source=source, outcome="unsupported", detail=detail)
    if not found:
        detail = "It found no ads of that name or domain. That does not mean that there are none."
        return Asked(source=source, outcome="none", detail=detail)
    return Asked(source=source, outcome="found", candidates=found)


def _later(source: str, seconds: float) -> Asked:
    detail = "The vendor asked for a pause."
    return Asked(source=source, outcome="later", detail=detail, retry_after_s=int(seconds) + 1)
