"""The one interface of all indexes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from adology_faiss.model import Entry, Facet, Filter, Match, Vector

MOST_MATCHES = 10_000


class VectorIndex(Protocol):
    """The vectors of ONE embedding space, compared by cosine.

    Vectors are float32 and of length 1. What does not pass the filter has no influence on any
    answer: an organisation's entries cannot be told from outside, neither found nor counted.
    Nothing that passes gives an empty answer, and so does an index that holds nothing.
    """

    @property
    def space(self) -> str:
        """The id of the embedding space."""
        ...

    @property
    def dimensions(self) -> int:
        """Numbers of one vector."""
        ...

    async def upsert(self, entries: Sequence[Entry]) -> None:
        """Make entries findable, each in place of the one with its id; the last of one id stands.

        All of them or none: a reader sees the state before or after.

        Raises:
            VectorRefusedError: a vector is not of this space.
        """
        ...

    async def remove(self, ids: Sequence[str]) -> int:
        """Forget entries; how many there were."""
        ...

    async def search(self, vector: Vector, k: int, which: Filter) -> list[Match]:
        """The `k` entries most like `vector` among those that pass, most alike first.

        Fewer than `k` only when fewer pass. Equally alike ones come in the order of their ids;
        which of them come where there are more than fit is not said.

        Raises:
            VectorRefusedError: the vector is not of this space.
            VectorIndexError: `k` is out of range.
        """
        ...

    async def count(self, which: Filter) -> int:
        """How many entries pass."""
        ...

    async def facets(self, by: Facet, which: Filter) -> dict[str, int]:
        """How many of those that pass have each brand, source or label; none with 0."""
        ...
