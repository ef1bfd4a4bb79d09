"""Indexes in this process, with snapshots in the bucket for those that come after it."""

from __future__ import annotations

import time
from collections.abc import Callable

from adology.log import logger
from adology.store.changes import Position
from adology_faiss.interface import VectorIndex
from adology_faiss.memory import FaissIndex
from adology_faiss.naming import parse_id
from adology_faiss.shelf import Note, Shelf, Stored
from adology_faiss.spaces import Spaces
from adology_faiss.threads import ThreadedIndex


class MemoryHome:
    """A `Home`. Without `snapshots_kept` it takes snapshots up and writes none; without a shelf neither.

    `spaces` is what searches ask: after a build it is put in place as a whole.
    """

    def __init__(
        self,
        shelf: Shelf | None,
        *,
        snapshot_every_s: float = 60.0,
        snapshots_kept: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.spaces = Spaces()
        self._building: Spaces | None = None
        self._shelf = shelf
        self._every_s = snapshot_every_s
        self._kept = snapshots_kept
        self._clock = clock
        self._next = clock() + snapshot_every_s
        self._position: Position | None = None
        self._written: dict[str, tuple[int, Stored]] = {}
        """By space, which of its states was stored, and where."""

    @property
    def _own(self) -> Spaces:
        return self._building or self.spaces

    async def load(self) -> Position | None:
        """See `Home.load`."""
        found = await self._shelf.load() if self._shelf is not None else None
        if found is None:
            return None
        note, indexes = found
        for index, stored in zip(indexes, note.indexes, strict=True):
            self.spaces.add(ThreadedIndex(index))
            self._written[index.space] = (index.writes, stored)
            logger.bind(space=index.space, entries=len(index), at=str(note.position.at)).info("snapshot loaded")
        return note.position

    async def begin(self) -> None:
        """See `Home.begin`."""
        self._building = Spaces()
        self._written.clear()

    async def publish(self) -> None:
        """See `Home.publish`."""
        if self._building is not None:
            self.spaces, self._building = self._building, None
        self._next = self._clock()

    async def open(self, space: str, dimensions: int) -> VectorIndex:
        """See `Home.open`."""
        found = self.get(space)
        if found is None:
            found = ThreadedIndex(FaissIndex(space, dimensions))
            self._own.add(found)
        return found

    def get(self, space: str) -> VectorIndex | None:
        """See `Home.get`."""
        return self._own.get_index(space) if space in self._own.list_spaces() else None

    def find(self, space: str) -> VectorIndex | None:
        """See `Home.find`."""
        return self.spaces.get_index(space) if space in self.spaces.list_spaces() else None

    def list_spaces(self) -> list[str]:
        """See `Home.list_spaces`."""
        return self._own.list_spaces()

    async def analyzers(self, space: str) -> set[str]:
        """See `Home.analyzers`."""
        return {parse_id(one).analyzer for one in self._index(space).ids()}

    async def keep(self, position: Position) -> None:
        """See `Home.keep`: snapshots of what has changed, every so often."""
        self._position = position
        if self._clock() >= self._next:
            await self._snapshot()

    async def close(self) -> None:
        """See `Home.close`."""
        await self._snapshot()

    async def _snapshot(self) -> None:
        """A note also where nothing has changed: the next one to start need not read the feed from far back."""
        if not self._kept or self._shelf is None or self._position is None or self._building is not None:
            return  # what is half built is nobody's to take up
        position = self._position
        self._next = self._clock() + self._every_s
        for space in self.list_spaces():
            index = self._index(space)
            writes = index.writes
            if space not in self._written or self._written[space][0] != writes:
                self._written[space] = (writes, await self._shelf.put_index(index))
        indexes = tuple(self._written[space][1] for space in self.list_spaces())
        await self._shelf.put_note(Note(position=position, indexes=indexes))
        await self._shelf.clear(keep=self._kept)
        logger.bind(spaces=len(indexes), entries=sum(one.entries for one in indexes)).info("snapshots written")

    def _index(self, space: str) -> FaissIndex:
        index = self._own.get_index(space)
        assert isinstance(index, ThreadedIndex)  # noqa: S101 - `open` and `load` add no other
        return index.index
