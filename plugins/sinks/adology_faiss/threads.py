"""The index in memory for an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from adology_faiss.memory import FaissIndex
from adology_faiss.model import Entry, Facet, Filter, Match, Vector


class ThreadedIndex:
    """A `VectorIndex`: every call runs in a thread, and compactions by themselves behind the writes.

    FAISS leaves Python's lock while it works, so searches run beside each other and beside the loop.
    """

    def __init__(self, index: FaissIndex) -> None:
        self.index = index
        self._compaction: asyncio.Task[bool] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.settle()

    @property
    def space(self) -> str:
        """The id of the embedding space."""
        return self.index.space

    @property
    def dimensions(self) -> int:
        """Numbers of one vector."""
        return self.index.dimensions

    async def upsert(self, entries: Sequence[Entry]) -> None:
        """See `VectorIndex.upsert`."""
        await asyncio.to_thread(self.index.upsert, entries)
        self._compact_if_due()

    async def remove(self, ids: Sequence[str]) -> int:
        """See `VectorIndex.remove`."""
        count = await asyncio.to_thread(self.index.remove, ids)
        self._compact_if_due()
        return count

    async def search(self, vector: Vector, k: int, which: Filter) -> list[Match]:
        """See `VectorIndex.search`."""
        return await asyncio.to_thread(self.index.search, vector, k, which)

    async def count(self, which: Filter) -> int:
        """See `VectorIndex.count`."""
        return await asyncio.to_thread(self.index.count, which)

    async def facets(self, by: Facet, which: Filter) -> dict[str, int]:
        """See `VectorIndex.facets`."""
        return await asyncio.to_thread(self.index.facets, by, which)

    async def snapshot(self, path: Path) -> None:
        """See `FaissIndex.snapshot`."""
        await asyncio.to_thread(self.index.snapshot, path)

    async def settle(self) -> None:
        """Wait until no compaction is under way; its error, if it had one, is raised here."""
        while self._compaction is not None:
            done, self._compaction = self._compaction, None
            await done

    def _compact_if_due(self) -> None:
        """Start one, unless one runs. The error of the last one is raised by the write that finds it."""
        done = self._compaction
        if done is not None and not done.done():
            return
        self._compaction = asyncio.create_task(asyncio.to_thread(self.index.compact)) if self.index.is_due else None
        if done is not None:
            done.result()
