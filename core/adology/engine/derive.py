"""Where the files go that analyzers make."""

from __future__ import annotations

from collections.abc import Sequence

from adology.abc.analyzer import Derived
from adology.engine.ports import ArchivePort


async def keep_derived(archive: ArchivePort, sha256: str, analyzer: str, derived: Sequence[Derived]) -> tuple[str, ...]:
    """Archive files that an analyzer made from an asset; their keys."""
    keys = [f"derived/{sha256[:2]}/{sha256}/{analyzer}/{file.name}" for file in derived]
    for key, file in zip(keys, derived, strict=True):
        await archive.archive(key, file.path, file.content_type)
    return tuple(keys)


async def keep_none(_analyzer: str, _derived: Sequence[Derived]) -> tuple[str, ...]:
    """For subjects that no file can be made from."""
    return ()
