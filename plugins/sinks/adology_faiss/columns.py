"""The attributes of all rows, laid out so that a filter becomes a mask without looking at each entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from adology_faiss.growing import Growing
from adology_faiss.model import Entry, Facet, Filter

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
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

    def passing(self, which: Filter, alive: Mask) -> Rows:
        """Which of the rows that are alive pass, ascending.

        What holds of few rows (brands, labels) comes first: of the others nothing is looked at.
        """
        size = len(alive)
        rows = self._candidates(which, size)
        if rows is None:
            rows = np.flatnonzero(alive & self._visible(self.owners.view(size), which.owner))
        else:
            rows = rows[alive[rows] & self._visible(self.owners.view(size)[rows], which.owner)]
        if which.sources:
            rows = rows[self._having_any([("source", name) for name in which.sources], size)[rows]]
        if which.seen_from is not None:
            rows = rows[self.last.view(size)[rows] >= which.seen_from.toordinal()]
        if which.seen_to is not None:
            rows = rows[self.first.view(size)[rows] <= which.seen_to.toordinal()]
        return rows

    def _visible(self, owners: NDArray[np.int32], owner: str | None) -> Mask:
        mask: Mask = owners == PUBLIC
        if owner is not None and owner in self.owner_codes:
            mask |= owners == self.owner_codes[owner]
        return mask

    def _candidates(self, which: Filter, size: int) -> Rows | None:
        """Rows with the brands and labels that are wanted, ascending; None: none are."""
        wanted: list[list[Key]] = [[("label", name)] for name in which.labels_all]
        if which.labels_any:
            wanted.append([("label", name) for name in which.labels_any])
        if which.brands:
            wanted.append([("brand", name) for name in which.brands])
        found: Rows | None = None
        for keys in wanted:
            held = [self._holding(key, size) for key in keys]
            rows = np.unique(np.concatenate(held)).astype(np.int64)
            found = rows if found is None else np.intersect1d(found, rows, assume_unique=True)
        return found

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
