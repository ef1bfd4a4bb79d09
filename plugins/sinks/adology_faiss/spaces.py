"""The indexes of several embedding spaces, each asked by the name of its own."""

from __future__ import annotations

from adology_faiss.errors import UnknownSpaceError, VectorIndexError
from adology_faiss.interface import VectorIndex


class Spaces:
    """One index per space. Vectors of two spaces never meet: there is no way to ask without naming one."""

    def __init__(self) -> None:
        self._indexes: dict[str, VectorIndex] = {}

    def add(self, index: VectorIndex) -> None:
        """Take an index in.

        Raises:
            VectorIndexError: its space has one.
        """
        if index.space in self._indexes:
            raise VectorIndexError(f"the embedding space {index.space!r} has an index already")
        self._indexes[index.space] = index

    def get_index(self, space: str) -> VectorIndex:
        """The index of a space.

        Raises:
            UnknownSpaceError: nobody added one.
        """
        try:
            return self._indexes[space]
        except KeyError:
            raise UnknownSpaceError(space, self._indexes) from None

    def list_spaces(self) -> list[str]:
        """The ids of all spaces, sorted."""
        return sorted(self._indexes)
