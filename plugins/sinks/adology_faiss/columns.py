"""The attributes of all rows, laid out so that a filter becomes a mask without looking at each entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from adology_faiss.growing import Growing
from adology_faiss.model import Entry, Facet, Filter

Mask = NDArray[np.bool_]
Key = tuple[Facet, str]
PUBLIC = 0


class Columns:
    """Ids, owners, days, and for every brand, source and label the rows that have it, ascending.

    Only one thread may append. Readers name how many rows they know of and see only those.
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.owner_codes: dict[str, int] = {}
        self.owners = Growing(np.empty(0, np.int32))
        self.first = Growing(np.empty(0, np.int32))
        self.last = Growing(np.empty(0, np.int32))
        self.rows_with: dict[Key, Growing[np.int32]] = {}

    def append(self, entries: Sequence[Entry]) -> None:
        """One row per entry, in their order."""
        start = len(self.ids)
        having: defaultdict[Key, list[int]] = defaultdict(list)
        for row, entry in enumerate(entries, start):
            for key in _keys(entry):
                having[key].append(row)
        for key, rows in having.items():
            added = np.array(rows, np.int32)
            if key in self.rows_with:
                self.rows_with[key].append(added)
            else:
                self.rows_with[key] = Growing(added)
        self.owners.append(np.array([self._owner_code(entry.owner) for entry in entries], np.int32))
        self.first.append(np.array([entry.first_seen.toordinal() for entry in entries], np.int32))
        self.last.append(np.array([entry.last_seen.toordinal() for entry in entries], np.int32))
        self.ids.extend(entry.id for entry in entries)

    def _owner_code(self, owner: str | None) -> int:
        if owner is None:
            return PUBLIC
        if owner not in self.owner_codes:
            # Never a number that was in use: those of owners without entries are left out of snapshots.
            self.owner_codes[owner] = max(self.owner_codes.values(), default=PUBLIC) + 1
        return self.owner_codes[owner]

    def kept(self, rows: NDArray[np.int64], size: int) -> Columns:
        """The same for some of the first `size` rows (ascending), numbered anew."""
        new = Columns()
        new.ids = [self.ids[row] for row in rows.tolist()]
        new.owner_codes = self.owner_codes
        for name in ("owners", "first", "last"):
            setattr(new, name, Growing(getattr(self, name).view(size)[rows]))
        renumbered = np.full(size, -1, np.int32)
        renumbered[rows] = np.arange(len(rows), dtype=np.int32)
        for key, held in self.holders(size):
            moved = renumbered[held]
            moved = moved[moved >= 0]
            if len(moved):
                new.rows_with[key] = Growing(moved)
        return new

    def holders(self, size: int, by: Facet | None = None) -> Iterator[tuple[Key, NDArray[np.int32]]]:
        """Every brand, source and label (or those of one kind) with the rows that have it."""
        for key in list(self.rows_with):
            if by is None or key[0] == by:
                yield key, self._holding(key, size)

    def _holding(self, key: Key, size: int) -> NDArray[np.int32]:
        found = self.rows_with.get(key)
        if found is None:
            return np.empty(0, np.int32)
        rows = found.view()
        return rows if not len(rows) or rows[-1] < size else rows[: int(np.searchsorted(rows, size))]

    def passing(self, which: Filter, alive: Mask) -> Mask:
        """Which of the rows that are alive pass."""
        size = len(alive)
        owners = self.owners.view(size)
        mask: Mask = alive & (owners == PUBLIC)
        if which.owner is not None and which.owner in self.owner_codes:
            mask |= alive & (owners == self.owner_codes[which.owner])
        for by, wanted in (("brand", which.brands), ("source", which.sources), ("label", which.labels_any)):
            if wanted:
                mask &= self._having_any(((by, name) for name in wanted), size)  # type: ignore[misc]  # by is a Facet
        for label in which.labels_all:
            mask &= self._having_any([("label", label)], size)
        if which.seen_from is not None:
            mask &= self.last.view(size) >= which.seen_from.toordinal()
        if which.seen_to is not None:
            mask &= self.first.view(size) <= which.seen_to.toordinal()
        return mask

    def _having_any(self, keys: Iterable[Key], size: int) -> Mask:
        mask = np.zeros(size, np.bool_)
        for key in keys:
            mask[self._holding(key, size)] = True
        return mask

    @property
    def room_bytes(self) -> int:
        """Bytes of the arrays; ids and names are Python's own."""
        parts = [self.owners, self.first, self.last, *list(self.rows_with.values())]
        return sum(part.room_bytes for part in parts)


def _keys(entry: Entry) -> Iterator[Key]:
    for source in entry.sources:
        yield "source", source
    for brand in entry.brands:
        yield "brand", brand
    for label in entry.labels:
        yield "label", label
