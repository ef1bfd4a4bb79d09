"""What resembles what: one index per embedding space, in memory or in PostgreSQL.

`FaissIndex` (module `memory`) is callable without any server; `ThreadedIndex` gives it to an event
loop. `PgvectorIndex` (module `postgres`) keeps the same promises where one machine's memory is
outgrown. They are imported from their modules, so that importing this package loads no FAISS.
`VectorIndexes` (module `indexes`) keeps either as the committed catalogue is; the sink runs it.
"""

from __future__ import annotations

from adology import Sink, hookimpl
from adology_faiss.errors import (
    SnapshotDamagedError,
    SnapshotSpaceError,
    UnknownSpaceError,
    VectorIndexError,
    VectorRefusedError,
)
from adology_faiss.interface import VectorIndex
from adology_faiss.model import Entry, Facet, Filter, Match, Vector
from adology_faiss.naming import Name, parse_id
from adology_faiss.settings import VectorSettings
from adology_faiss.sink import VectorsSink

__all__ = [
    "Entry",
    "Facet",
    "Filter",
    "Match",
    "Name",
    "SnapshotDamagedError",
    "SnapshotSpaceError",
    "UnknownSpaceError",
    "Vector",
    "VectorIndex",
    "VectorIndexError",
    "VectorRefusedError",
    "VectorSettings",
    "VectorsSink",
    "adology_sinks",
    "parse_id",
]


@hookimpl
def adology_sinks() -> list[type[Sink[VectorSettings]]]:
    """The sink that keeps the vector indexes."""
    return [VectorsSink]
