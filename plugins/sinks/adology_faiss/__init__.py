"""What resembles what: one index per embedding space, in memory or in PostgreSQL.

`FaissIndex` (module `memory`) is callable without any server; `ThreadedIndex` gives it to an event
loop. `PgvectorIndex` (module `postgres`) keeps the same promises where one machine's memory is
outgrown. They are imported from their modules, so that importing this package loads no FAISS.
"""

from __future__ import annotations

from adology_faiss.errors import (
    SnapshotDamagedError,
    SnapshotSpaceError,
    UnknownSpaceError,
    VectorIndexError,
    VectorRefusedError,
)
from adology_faiss.interface import VectorIndex
from adology_faiss.model import Entry, Facet, Filter, Match, Vector

__all__ = [
    "Entry",
    "Facet",
    "Filter",
    "Match",
    "SnapshotDamagedError",
    "SnapshotSpaceError",
    "UnknownSpaceError",
    "Vector",
    "VectorIndex",
    "VectorIndexError",
    "VectorRefusedError",
]
