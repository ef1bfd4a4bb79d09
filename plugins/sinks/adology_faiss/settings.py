"""Settings of the vector indexes."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from adology import Settings


class VectorSettings(Settings, frozen=True, kw_only=True):
    """Where the indexes are, and how closely they follow."""

    store: Annotated[
        Literal["memory", "postgres"],
        Meta(description="`memory`: FAISS, with snapshots in the archive's bucket; `postgres`: pgvector."),
    ] = "memory"
    poll_s: Annotated[float, Meta(description="Seconds between looks at what was committed.", gt=0, le=60)] = 0.5
    snapshot_every_s: Annotated[
        float, Meta(description="Seconds between snapshots of an index that has changed.", ge=1, le=86_400)
    ] = 60.0
    snapshots_kept: Annotated[int, Meta(description="Newest snapshots kept per space.", ge=1, le=100)] = 3
    hnsw_rows: Annotated[
        int, Meta(description="In PostgreSQL: entries of a space from which an HNSW index is made.", ge=1)
    ] = 50_000
