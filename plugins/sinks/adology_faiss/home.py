"""Where the indexes of all spaces are kept between one change and the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from adology.store.changes import Position
from adology_faiss.interface import VectorIndex


class Home(Protocol):
    """Indexes by space, and how far in the feed of changes they are."""

    async def load(self) -> Position | None:
        """Take up what was kept; None when there is nothing, and all is to be built."""
        ...

    async def begin(self) -> None:
        """All is built anew from here on, until `publish`."""
        ...

    async def publish(self) -> None:
        """What was built takes the place of what there was."""
        ...

    async def open(self, space: str, dimensions: int) -> VectorIndex:
        """The index of a space; an empty one when there was none."""
        ...

    def get(self, space: str) -> VectorIndex | None:
        """The index of a space as it is being built, if it has one."""
        ...

    def find(self, space: str) -> VectorIndex | None:
        """The index of a space for searches: one in memory that is half built is not there yet."""
        ...

    def list_spaces(self) -> Sequence[str]:
        """The spaces that have an index."""
        ...

    async def analyzers(self, space: str) -> set[str]:
        """Whose entries are in a space."""
        ...

    async def keep(self, position: Position) -> None:
        """All changes up to `position` are in: remember that, now or in a while."""
        ...

    async def close(self) -> None:
        """Keep what is not kept yet."""
        ...
