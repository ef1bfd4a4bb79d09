"""The vector indexes in this process: taken from the newest snapshot, in step with what is committed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from adology.aws import open_client
from adology.errors import AdologyError, describe
from adology.log import logger
from adology.settings.load import convert
from adology.settings.model import AdologySettings
from adology.storage import S3Store
from adology.store import Database
from adology.store.follower import Follower
from adology_faiss import Filter, UnknownSpaceError, VectorSettings, parse_id
from adology_faiss.home import Home
from adology_faiss.indexes import VectorIndexes
from adology_faiss.memory_home import MemoryHome
from adology_faiss.postgres_home import PostgresHome
from adology_faiss.shelf import Shelf

RESTART_S = 5.0
STEP_S = 0.05
LOOK_S = 30.0
"""How soon the tables of a new space are found."""
SPARE = 2
"""A subject may stand in an index twice: of public ads, and of the organisation's own."""

Vector = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


class Asked(NamedTuple):
    """A place in a space; `without` are subjects that are not their own neighbours."""

    space: str
    vector: Vector
    without: frozenset[str] = frozenset()


class Near(NamedTuple):
    """A subject of an analyzer, and how near it is."""

    analyzer: str
    space: str
    subject: str
    similarity: float


class SimilarityIndexes:
    """Reads with the engine's rights, and answers for one organisation at a time.

    What it finds is looked up once more by the caller, under row-level security: a mistake of one
    of the two shows nobody what is private.
    """

    def __init__(self, settings: AdologySettings) -> None:
        self._settings = settings
        self._own = convert(settings.sinks.get("faiss", {}), VectorSettings, where="sinks.faiss", prefix="sinks.faiss.")
        self._home: Home | None = None
        self._follower: Follower | None = None
        self._read_at: float | None = None
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep_following())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def spaces(self) -> list[str]:
        """Those that can be searched now."""
        home = self._home
        return [space for space in home.list_spaces() if home.find(space)] if home is not None else []

    async def wait_in_step(self) -> None:
        """Return once all that was committed before the first look is in: until then searches may miss it."""
        while self.behind_s is None:  # noqa: ASYNC110 - another task looks now and then
            await asyncio.sleep(STEP_S)

    @property
    def behind_s(self) -> float | None:
        """Seconds since the indexes last had all that was committed; None: they never had."""
        at = self._follower.in_step_at if self._follower is not None else self._read_at
        return None if at is None else time.monotonic() - at

    async def search(self, asked: Iterable[Asked], owner: str, brands: Sequence[str] | None, k: int) -> list[Near]:
        """The `k` nearest subjects to any of the places, for an organisation; of these brands only, if given."""
        which = Filter(owner=owner, brands=frozenset(brands or ()))
        best: dict[tuple[str, str], Near] = {}
        for one in asked:
            index = self._home.find(one.space) if self._home is not None else None
            if index is None or (brands is not None and not brands):
                continue
            with contextlib.suppress(UnknownSpaceError):
                for match in await index.search(one.vector, SPARE * k + len(one.without), which):
                    name = parse_id(match.id)
                    near = Near(name.analyzer, one.space, name.subject, match.similarity)
                    key = (name.analyzer, name.subject)
                    if name.subject not in one.without and (key not in best or best[key].similarity < near.similarity):
                        best[key] = near
        return sorted(best.values(), key=lambda near: (-near.similarity, near.subject))[:k]

    async def _keep_following(self) -> None:
        while not self._stop.is_set():
            try:
                async with contextlib.AsyncExitStack() as stack:
                    database = await stack.enter_async_context(Database(self._settings.postgres))
                    if self._own.store == "postgres":
                        await self._read_tables(database)
                    else:
                        await self._follow(stack, database)
            except AdologyError as error:
                logger.bind(error=describe(error)).warning("the vector indexes are not in step; trying again")
            except Exception:  # noqa: BLE001 - searches go on with what is there
                logger.exception("the vector indexes failed; trying again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), RESTART_S)

    async def _follow(self, stack: contextlib.AsyncExitStack, database: Database) -> None:
        """Keep indexes in this process."""
        client: Any = await stack.enter_async_context(open_client(self._settings.aws, "s3"))
        self._home = home = MemoryHome(Shelf(S3Store(client, self._settings.s3)))
        self._follower = Follower(database, VectorIndexes(database, home))
        await self._follower.run(self._stop, poll_s=self._own.poll_s)

    async def _read_tables(self, database: Database) -> None:
        """Search the tables that `adology follow` keeps, those of new spaces too; no entry is written from here."""
        while not self._stop.is_set():
            home = PostgresHome(database, hnsw_rows=self._own.hnsw_rows)
            await home.load()
            self._home = home
            self._read_at = time.monotonic()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), LOOK_S)
