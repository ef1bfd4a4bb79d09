"""One state of an index. Readers take it once and keep it for the whole question."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from adology import Settings
from adology_faiss.columns import Columns, Mask
from adology_faiss.graph import BLOCK, WIDTH, Bits, Found, Graph, Rows, Vectors, as_bits, scan
from adology_faiss.model import Filter, Vector

KEPT_FILTERS = 16


class Tuning(Settings, frozen=True, kw_only=True):
    """When an index looks at each vector and when it follows a graph.

    Up to `exact_rows` entries there is no graph. Above, one is made with `links` links per vector,
    `build_width` candidates while building and `search_width` while searching (HNSW's M,
    efConstruction and efSearch); it is renewed when more than `tail_share` of the entries came
    after it, or more than `dead_share` of the rows are gone, but not for up to `few` of them.

    Under a filter each vector that passes is looked at where that costs no more than `scan_steps`
    of them per step along the graph. One step costs as much as 17 (measured at 384 dimensions);
    the default allows more than twice that, since looking is always right.
    """

    exact_rows: int = 20_000
    links: int = 32
    build_width: int = 80
    search_width: int = WIDTH
    tail_share: float = 0.05
    dead_share: float = 0.25
    few: int = 1000
    scan_steps: int = 40

    def __post_init__(self) -> None:
        least = {"links": 2, "build_width": 1, "search_width": 1}
        for name in self.__struct_fields__:
            bound = least.get(name, 0)
            if not getattr(self, name) >= bound:
                raise ValueError(f"{name} must be at least {bound}; seen: {getattr(self, name)}")


OVERFETCH = 0.5
"""Under a very selective filter this share more candidates pass than without one: they lie further apart."""


class Passing:
    """What a filter lets through, of one generation."""

    def __init__(self, rows: Rows, size: int, graph_size: int) -> None:
        self.rows = rows
        """Their numbers, ascending."""
        self.count = len(rows)
        self.in_graph = int(np.searchsorted(rows, graph_size))
        self._size = size
        self._graph_size = graph_size

    @cached_property
    def mask(self) -> Mask:
        """The same as a flag for each row."""
        mask = np.zeros(self._size, np.bool_)
        mask[self.rows] = True
        return mask

    @property
    def tail_rows(self) -> Rows:
        """Those that came after the graph."""
        return self.rows[self.in_graph :]

    @cached_property
    def graph_bits(self) -> Bits | None:
        """For the graph; None where all of it passes."""
        return None if self.in_graph == self._graph_size else as_bits(self.mask[: self._graph_size])


class Generation:
    """Rows 0 to `size`, some of them alive. Rows of the graph come first, then the tail."""

    def __init__(self, columns: Columns, graph: Graph | None, tail: Vectors, alive: Mask) -> None:
        self.columns = columns
        self.graph = graph
        self.tail = tail
        self.alive = alive
        self.size = len(alive)
        self.live = int(np.count_nonzero(alive))
        self.graph_size = graph.size if graph else 0
        self._passing: dict[Filter, Passing] = {}

    def passing(self, which: Filter) -> Passing:
        """What passes; the last few filters are remembered."""
        found = self._passing.get(which)
        if found is None:
            found = Passing(self.columns.passing(which, self.alive), self.size, self.graph_size)
            if len(self._passing) >= KEPT_FILTERS:
                self._passing = {}
            self._passing[which] = found
        return found

    def best(self, query: Vector, k: int, passing: Passing, tuning: Tuning) -> Found:
        """The `k` best of those that pass."""
        if self.graph is None or self._is_scan_cheaper(passing, tuning):
            return self._scan(query, k, passing.rows)
        share = passing.in_graph / self.graph_size
        width = int(tuning.search_width / share * (1 + OVERFETCH * (1 - share)))
        found = self.graph.search(query, k, width, passing.graph_bits)
        if len(found[1]) < min(k, passing.in_graph):
            # What passes lies where the graph did not come by.
            return self._scan(query, k, passing.rows)
        if passing.in_graph == passing.count:
            return found
        return _merge(found, self._scan(query, k, passing.tail_rows), k)

    def _is_scan_cheaper(self, passing: Passing, tuning: Tuning) -> bool:
        """The graph needs search_width / share steps, looking needs one per row that passes."""
        share = passing.in_graph / self.graph_size
        return passing.in_graph * share <= tuning.scan_steps * tuning.search_width

    def _scan(self, query: Vector, k: int, rows: Rows) -> Found:
        if self.graph is None:
            return scan(self.tail, rows, query, k)
        cut = int(np.searchsorted(rows, self.graph_size))
        similarities, found = scan(self.tail, rows[cut:] - self.graph_size, query, k)
        return _merge(scan(self.graph.vectors, rows[:cut], query, k), (similarities, found + self.graph_size), k)

    def vector_blocks(self, rows: Rows) -> Iterator[Vectors]:
        """The vectors of rows (ascending), some thousand at a time."""
        for start in range(0, len(rows), BLOCK):
            part = rows[start : start + BLOCK]
            cut = int(np.searchsorted(part, self.graph_size))
            if self.graph is not None and cut:
                yield self.graph.vectors[part[:cut]]
            if cut < len(part):
                yield self.tail[part[cut:] - self.graph_size]


def _merge(one: Found, other: Found, k: int) -> Found:
    if not len(other[1]):
        return one
    similarities, rows = np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])
    order = np.argsort(-similarities, kind="stable")[:k]
    return similarities[order], rows[order]
