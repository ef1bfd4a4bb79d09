"""Sinks: where committed batches and archived bytes go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
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
    of other people's workers are valid. `analyses` maps analyzer name → analysis key of the asset;
    `source`, `ad_id` and `ad_analyses` belong to the ad whose copy this item carried. Of
    `analyses` and `ad_analyses` together, `analyses_run` were run for this item, the rest reused.
    `error` and `error_code` tell why a failed item failed.
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
    analyses_run: int = 0
    source: str | None = None
    ad_id: str | None = None
    ad_analyses: dict[str, str] = msgspec.field(default_factory=dict)
    error_code: str | None = None
    error: str | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class CommittedAd(Struct, frozen=True, kw_only=True):
    """One ad of the batch as the manifest holds it, with the source instance that showed it."""

    source: str
    ad: Ad
    gathered_at: datetime


class BatchCounts(Struct, frozen=True, kw_only=True):
    """What a batch amounts to; becomes the ledger's counts."""

    ads: int = 0
    urls: int = 0
    media: int = 0
    assets: int = 0
    duplicates: int = 0
    failures: int = 0
    analyses_run: int = 0
    analyses_reused: int = 0
    bytes: int = 0


class CommitBatch(Protocol):
    """A batch as sinks see it: identity, counts, and its rows as streams of any length."""

    id: str
    brand: str
    created_at: datetime
    counts: BatchCounts
    sources: dict[str, Any]
    cursors: dict[str, bytes]

    def ads(self) -> AsyncIterator[CommittedAd]:
        """The batch's ads, each once; may be called again."""
        ...

    def results(self) -> AsyncIterator[ItemResult]:
        """What became of each discovered URL, each once; may be called again."""
        ...

    def analyses(self, keys: Sequence[str]) -> Awaitable[dict[str, dict[str, Any]]]:
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

    async def follow(self, ctx: Context[S], stop: asyncio.Event) -> None:
        """Followers only: keep something in step with what is committed, until `stop` is set.

        Runs in the process of `adology follow`, on a sink that was opened like any other. The default
        has nothing to keep and returns at once.
        """

    async def put(self, key: str, path: Path, content_type: str) -> bool:
        """Archive a file under `key`. True if stored now, False if the key was there already."""
        raise NotImplementedError
