"""Holds bytes: creatives, thumbnails and key frames, under names made from their content."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import ClassVar

from adology import CommitBatch, Context, Sink
from adology.abc.sink import Role
from adology.aws import open_client
from adology.storage import S3Store


class S3Sink(Sink[None]):
    """Archives files in the engine's bucket; the same key is stored once, whoever comes first."""

    name: ClassVar[str] = "s3"
    version: ClassVar[int] = 1
    role: ClassVar[Role] = "archive"

    def __init__(self) -> None:
        self._exits = contextlib.AsyncExitStack()
        self._store: S3Store | None = None

    async def open(self, ctx: Context[None]) -> None:
        """Make the client; nothing is sent yet."""
        client = await self._exits.enter_async_context(open_client(ctx.engine.aws, "s3"))
        self._store = S3Store(client, ctx.engine.s3)

    async def close(self) -> None:
        """Close the client's connections."""
        self._store = None
        await self._exits.aclose()

    async def put(self, key: str, path: Path, content_type: str) -> bool:
        """Store the file unless `key` is there already; large files go up in parts.

        Raises:
            UnavailableError: S3 does not answer, or not as it should.
            EngineError: the bucket does not exist.
        """
        if self._store is None:
            raise RuntimeError("the s3 sink is not open")
        return await self._store.put_file(key, path, content_type=content_type)

    async def write(self, ctx: Context[None], batch: CommitBatch) -> None:
        """Nothing is left to do: every file was archived before its result counted."""
