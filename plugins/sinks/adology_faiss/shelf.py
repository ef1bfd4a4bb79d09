"""Snapshots of all indexes in the archive's bucket, and notes that say which belong together.

``indexes/notes/<time and position>.json`` names, for every space, a file ``indexes/files/<sha256>.vectors``. The
note is written last: files without one do not exist. Nothing is overwritten, so readers and
writers need no agreement.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from adology import Struct
from adology.log import logger
from adology.storage import S3Store
from adology.store.changes import Position
from adology_faiss.errors import VectorIndexError
from adology_faiss.memory import FaissIndex

NOTES, FILES = "indexes/notes/", "indexes/files/"


class Stored(Struct, frozen=True, kw_only=True):
    """One index as it lies in the bucket."""

    space: str
    dimensions: int
    entries: int
    sha256: str
    size_bytes: int

    @property
    def key(self) -> str:
        """Where its bytes are."""
        return f"{FILES}{self.sha256}.vectors"


class Note(Struct, frozen=True, kw_only=True):
    """All indexes as they are at one position."""

    position: Position
    indexes: tuple[Stored, ...]

    @property
    def key(self) -> str:
        """Its place among the notes: by the server's time, since a restored server counts from before."""
        return f"{NOTES}{int(self.position.at.timestamp() * 1000):015}-{self.position.horizon:020}.json"


class Shelf:
    """Puts snapshots there, finds the newest good ones, clears old ones away."""

    def __init__(self, objects: S3Store) -> None:
        self._objects = objects

    async def put_index(self, index: FaissIndex) -> Stored:
        """Store one index as it is now."""
        with tempfile.TemporaryDirectory(prefix="adology-") as folder:
            path = Path(folder, "snapshot")
            entries = len(index)
            await asyncio.to_thread(index.snapshot, path)
            stored = Stored(
                space=index.space,
                dimensions=index.dimensions,
                entries=entries,
                sha256=await asyncio.to_thread(_hash, path),
                size_bytes=path.stat().st_size,  # noqa: ASYNC240 - just written: in the page cache
            )
            await self._objects.put_file(stored.key, path, content_type="application/octet-stream")
        return stored

    async def put_note(self, note: Note) -> None:
        """Make the indexes that it names what others will load."""
        await self._objects.put_bytes(note.key, msgspec.json.encode(note), content_type="application/json")

    async def load(self) -> tuple[Note, list[FaissIndex]] | None:
        """What the newest good note names; None when there is none.

        A note is good when every file that it names is there and undamaged.
        """
        for key in reversed(await self._notes()):
            data = await self._objects.get_bytes(key)
            if data is None:
                continue
            try:
                note = msgspec.json.decode(data, type=Note)
                return note, [await self._load_index(stored) for stored in note.indexes]
            except (VectorIndexError, msgspec.DecodeError) as error:
                logger.bind(note=key, error=str(error)).error("snapshots cannot be used; taking those before")
        return None

    async def clear(self, *, keep: int) -> int:
        """Remove all but the newest `keep` notes, and the files that none of these names; how many files went."""
        notes = await self._notes()
        named = {stored.key for key in notes[-keep:] for stored in await self._named(key)}
        # The files before the notes: what is cut off on the way is done the next time.
        gone = {stored.key for key in notes[:-keep] for stored in await self._named(key)} - named
        for key in (*sorted(gone), *notes[:-keep]):
            await self._objects.delete(key)
        return len(gone)

    async def _notes(self) -> list[str]:
        return [key async for key in self._objects.list_keys(NOTES)]

    async def _named(self, key: str) -> Sequence[Stored]:
        data = await self._objects.get_bytes(key)
        try:
            return msgspec.json.decode(data, type=Note).indexes if data is not None else ()
        except msgspec.DecodeError:
            return ()

    async def _load_index(self, stored: Stored) -> FaissIndex:
        with tempfile.TemporaryDirectory(prefix="adology-") as folder:
            path = Path(folder, "snapshot")
            if not await self._objects.get_file(stored.key, path):
                raise VectorIndexError(f"{stored.key} is gone")
            if await asyncio.to_thread(_hash, path) != stored.sha256:
                raise VectorIndexError(f"{stored.key} is not what was written")
            return await asyncio.to_thread(FaissIndex.load, path, stored.space, stored.dimensions)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
