"""What an index refuses.

::

    VectorIndexError                a ValueError
    ├── VectorRefusedError          a vector that is not of the space: size, numbers, length
    ├── UnknownSpaceError           nobody made an index for this space
    ├── SnapshotDamagedError        the file is not what was written: rebuild the index
    └── SnapshotSpaceError          a good file, of another space
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class VectorIndexError(ValueError):
    """Base: what was asked cannot be answered; nothing was changed."""


class VectorRefusedError(VectorIndexError):
    """A vector that does not belong to the space. `whose` is an entry's id, or the query."""

    def __init__(self, space: str, whose: str, problem: str) -> None:
        super().__init__(space, whose, problem)
        self.space = space
        self.whose = whose
        self.problem = problem

    def __str__(self) -> str:
        return f"the vector of {self.whose} does not belong to the space {self.space!r}: {self.problem}"


class UnknownSpaceError(VectorIndexError):
    """There is no index of this embedding space."""

    def __init__(self, space: str, known: Iterable[str]) -> None:
        self.space = space
        self.known = tuple(sorted(known))
        super().__init__(space, self.known)

    def __str__(self) -> str:
        known = ", ".join(map(repr, self.known)) or "none"
        return f"there is no index of the embedding space {self.space!r}. Known: {known}"


class SnapshotDamagedError(VectorIndexError):
    """A snapshot cannot be trusted."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"the snapshot {self.path} cannot be loaded: {self.problem}. Rebuild the index and write it anew."


class SnapshotSpaceError(VectorIndexError):
    """A snapshot of another embedding space, or of other dimensions."""

    def __init__(self, path: Path, found: str, wanted: str) -> None:
        super().__init__(path, found, wanted)
        self.path = path
        self.found = found
        self.wanted = wanted

    def __str__(self) -> str:
        return (
            f"the snapshot {self.path} holds {self.found}; wanted: {self.wanted}. "
            f"Vectors of two spaces cannot be compared: name the file of the right space."
        )
