"""The embedding analyzers in this process: for what somebody types or uploads to search with."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer
from adology.engine.invoke import Invoker
from adology.engine.offline import Said, analyze, place, read_media
from adology.errors import Deferred, EngineError, Retry
from adology.isolation import IsolatedPool
from adology.money import PriceTable
from adology.settings.model import AdologySettings
from adology.store import Database
from adology.store.similar import unpack
from adology.store.spending import Spending
from adology_server.analyzers import Analyzers
from adology_server.problems import Refusal
from adology_server.similar.index import Asked

AT_ONCE = 2
"""Files in work; others wait their turn."""


class Embedding:
    """Prepared when it is first asked: models take seconds to load, and many servers are never asked."""

    def __init__(self, settings: AdologySettings, analyzers: Analyzers) -> None:
        self._settings = settings
        self._analyzers = analyzers
        self._stack = contextlib.AsyncExitStack()
        self._opening = asyncio.Lock()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._ready: tuple[AnalyzerSet, tuple[ReadyAnalyzer, ...], Invoker] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def of_text(self, text: str) -> list[Asked]:
        """Where a typed text stands.

        Raises:
            Refusal: 503 while no model can say.
        """
        _, chosen, invoker = await self._open()
        with tempfile.TemporaryDirectory(prefix="adology-") as scratch:
            return _places(await place(invoker, chosen, text, Path(scratch)))

    async def of_file(self, path: Path) -> list[Asked]:
        """Where an image or a video stands.

        Raises:
            Refusal: 422 for what is neither, or cannot be read; 503 while no model can say.
        """
        analyzers, chosen, invoker = await self._open()
        try:
            item = await asyncio.to_thread(read_media, path)
        except EngineError:
            raise Refusal("invalid", "The file is no image and no video that can be read.", field="file") from None
        names = [one.name for one in chosen]
        async with self._turns:
            with tempfile.TemporaryDirectory(prefix="adology-") as scratch:
                said = await analyze(invoker, analyzers.only(names), item, Path(scratch))
        return _places([one for one in said if one.analyzer in names], field="file")

    async def _open(self) -> tuple[AnalyzerSet, tuple[ReadyAnalyzer, ...], Invoker]:
        async with self._opening:
            if self._ready is None:
                analyzers, chosen = await self._analyzers.load()
                database = await self._stack.enter_async_context(Database(self._settings.postgres))
                memory = self._settings.worker.isolation_memory_bytes
                pool = await self._stack.enter_async_context(IsolatedPool(1, memory_bytes=memory))
                money = self._settings.money
                purse = Spending(database, PriceTable(money.prices), money.budgets)
                self._ready = analyzers, chosen, Invoker(pool, purse)
            return self._ready


def _places(said: Sequence[Said], field: str = "text") -> list[Asked]:
    found = [
        Asked(one.result["space"], vector)
        for one in said
        if one.error is None and one.result and (vector := unpack(one.result["vector"])) is not None
    ]
    if found or not said:
        return found
    first = next(one for one in said if one.error is not None)
    if first.skipped or not _passes(first):
        raise Refusal("invalid", f"It cannot be searched with: {first.error}", field=field)
    raise Refusal("unavailable", "The model that would read it is away; try again.", headers={"retry-after": "30"})


def _passes(said: Said) -> bool:
    """Whether the fault may be gone at another time."""
    return said.error_code in {Retry.code, Deferred.code} or (said.error_code or "").startswith("ADO-32")
