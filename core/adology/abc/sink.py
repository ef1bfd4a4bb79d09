"""Sinks: where committed batches and archived bytes go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, TypeVar

import msgspec

from adology.types import Ad, Struct

if TYPE_CHECKING:
    from adology.context import Context

S = TypeVar("S")

Role = Literal["archive", "documents", "commit", "follower"]
"""archive: holds bytes · documents: written before the commit, reachable only through it ·
commit: the one that makes a batch visible, in one transaction · follower: told afterwards."""


class ItemResult(Struct, frozen=True, kw_only=True):
    """What became of one discovered URL: the record that the registry counts.

    `url`, `embedding` and `s3_path` are the contract's; the rest is optional so that results
    of other people's workers are valid. `analyses` maps analyzer name → analysis key.
    """

    url: str
    embedding: bytes | None = None
    s3_path: str | None = None
    status: Literal["ok", "failed"] = "ok"
    sha256: str | None = None
    kind: str | None = None
    content_type: str | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    thumbnail: str | None = None
    duplicate: bool = False
    fetched_bytes: int = 0
    analyses: dict[str, str] = msgspec.field(default_factory=dict)
    analysed: int = 0
    error_code: str | None = None
    error: str | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class CommittedAd(Struct, frozen=True, kw_only=True):
    """One ad of the batch with what became of its media, ready to be written."""

    source: str
    ad: Ad
    gathered_at: datetime
    items: tuple[ItemResult, ...] = ()
    analyses: dict[str, str] = msgspec.field(default_factory=dict)


class CommitBatch(Protocol):
    """A batch as sinks see it: identity, counts, and its rows as a stream."""

    id: str
    brand: str
    started_at: datetime
    expected_count: int
    sources: dict[str, str]
    cursors: dict[str, bytes]

    def ads(self) -> AsyncIterator[CommittedAd]:
        """The batch's ads, each once, from the start; may be called again."""
        ...

    def failures(self) -> AsyncIterator[ItemResult]:
        """Results of URLs that failed, each once."""
        ...

    def analyses(self, keys: list[str]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Stored analysis documents by key."""
        ...


class Sink(Generic[S]):
    """Implement `write` (and `put` for an archive)."""

    name: ClassVar[str]
    version: ClassVar[int]
    role: ClassVar[Role] = "follower"

    async def open(self, ctx: Context[S]) -> None:
        """Connect. Called once per process before anything else."""

    async def close(self) -> None:
        """Release connections. Called once, also after a failed `open`."""

    async def write(self, ctx: Context[S], batch: CommitBatch) -> None:
        """Write the batch. Return only when it is durable; the same batch id twice counts once."""
        raise NotImplementedError

    async def put(self, key: str, path: Path, content_type: str) -> bool:
        """Archive a file under `key`. True if stored now, False if the key was there already."""
        raise NotImplementedError
