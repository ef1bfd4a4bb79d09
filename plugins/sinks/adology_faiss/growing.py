"""Arrays that one thread appends to while others read what was there."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

N = TypeVar("N", np.int32, np.float32)
GROWTH = 1.5
LEAST = 4


class Growing(Generic[N]):
    """Rows of one array. Only one thread may append.

    A row never changes and never moves under a reader: when the room is used up the rows are
    copied, and a view of the old ones stays what it was.
    """

    def __init__(self, rows: NDArray[N]) -> None:
        self._buffer: NDArray[N] = rows
        self._size = len(rows)

    def append(self, rows: NDArray[N]) -> None:
        """Add rows at the end."""
        size = self._size + len(rows)
        if size > len(self._buffer):
            room: NDArray[N] = np.empty((max(LEAST, size, int(self._size * GROWTH)), *rows.shape[1:]), rows.dtype)
            room[: self._size] = self._buffer[: self._size]
            self._buffer = room
        self._buffer[self._size : size] = rows
        self._size = size

    def view(self, size: int | None = None) -> NDArray[N]:
        """The first `size` rows, by default all that there are now."""
        # The size first: a buffer that is newer holds these rows as well.
        size = self._size if size is None else size
        rows: NDArray[N] = self._buffer[:size]
        return rows

    @property
    def room_bytes(self) -> int:
        """Bytes taken, unused room included."""
        return int(self._buffer.nbytes)
