"""A file being received: hashed and counted on the way, gone when anything goes wrong."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

from adology.errors import FetchRefusedError, MediaUnusableError, Retry
from adology.fetch.sniff import SNIFF_BYTES, Sniffed, sniff
from adology.types import Struct

FLUSH_BYTES = 1024 * 1024
"""Held in memory per transfer, then written in one go by a thread: most creatives need one."""


class Received(Struct, frozen=True, kw_only=True):
    """A whole file with what was learned about it."""

    path: Path
    sha256: str
    size_bytes: int
    sniffed: Sniffed


class Scratch:
    """A file in `folder` that grows chunk by chunk. `where` names its origin in messages.

    Its methods may be called from any thread, one at a time by the lock: a transfer that is
    cancelled while a thread writes can be discarded at once, without the thread then writing to
    a file number that somebody else has got meanwhile.
    """

    def __init__(self, folder: Path, *, max_bytes: int, where: str) -> None:
        self.size_bytes = 0
        self._folder = folder
        self._max_bytes = max_bytes
        self._where = where
        self._hash = hashlib.sha256()
        self._sniffed: Sniffed | None = None
        self._file: Any = None
        self._path: Path | None = None
        self._ended = False
        self._lock = threading.Lock()

    def append(self, data: bytes) -> None:
        """Write `data`. The first call must bring the first SNIFF_BYTES, or the whole file.

        Raises:
            MediaUnusableError: the bytes are of a type that is no creative.
            FetchRefusedError: the file grows beyond `max_bytes`.
            Retry: the scratch folder cannot be written.
        """
        with self._lock:
            if self._ended:
                raise RuntimeError("the transfer was given up")
            if self._sniffed is None:
                self._sniffed = require_media(data[:SNIFF_BYTES], self._where)
            self.size_bytes += len(data)
            check_size(self.size_bytes, self._max_bytes, self._where)
            self._hash.update(data)
            try:
                self._opened().write(data)
            except OSError as error:
                raise self._unwritable(error) from error

    def finish(self) -> Received:
        """Close the file under its final name.

        Raises:
            MediaUnusableError: nothing was appended.
            Retry: the scratch folder cannot be written.
        """
        with self._lock:
            if self._sniffed is None or self._path is None:
                raise MediaUnusableError(f"{self._where} is empty: no bytes came.")
            final = self._path.with_suffix(f".{self._sniffed.extension}")
            try:
                self._file.close()
                self._path.rename(final)
            except OSError as error:
                raise self._unwritable(error) from error
            self._path = final
            return Received(
                path=final, sha256=self._hash.hexdigest(), size_bytes=self.size_bytes, sniffed=self._sniffed
            )

    def discard(self) -> None:
        """Remove what was written. Later appends fail. May be called twice."""
        with self._lock:
            self._ended = True
            if self._file is not None:
                self._file.close()
            if self._path is not None:
                self._path.unlink(missing_ok=True)

    def _opened(self) -> Any:
        if self._file is None:
            number, name = tempfile.mkstemp(prefix="media-", suffix=".part", dir=self._folder)
            self._path = Path(name)
            self._file = os.fdopen(number, "wb", buffering=0)
        return self._file

    def _unwritable(self, error: OSError) -> Retry:
        return Retry(
            f"the scratch folder {self._folder} cannot be written: {error.strerror or error}.",
            hint="Free some space there, or set worker.scratch to another folder.",
            code="ADO-5105",
        )


class Incoming:
    """Chunks from the network on their way into a `Scratch`; memory stays at FLUSH_BYTES."""

    def __init__(self, scratch: Scratch, *, max_bytes: int, where: str) -> None:
        self._scratch = scratch
        self._max_bytes = max_bytes
        self._where = where
        self._held = bytearray()
        self._size_bytes = 0
        self._looked = False

    async def add(self, chunk: bytes) -> None:
        """Take one chunk; the type is judged as soon as enough bytes are there.

        Raises:
            MediaUnusableError, FetchRefusedError, Retry: as `Scratch.append`.
        """
        self._size_bytes += len(chunk)
        check_size(self._size_bytes, self._max_bytes, self._where)
        self._held += chunk
        if not self._looked and len(self._held) >= SNIFF_BYTES:
            # Before the rest is downloaded: an error page or a zip of half a gigabyte ends here.
            require_media(bytes(self._held[:SNIFF_BYTES]), self._where)
            self._looked = True
        if len(self._held) >= FLUSH_BYTES:
            data, self._held = bytes(self._held), bytearray()
            await asyncio.to_thread(self._scratch.append, data)

    async def finish(self) -> Received:
        """Write the rest and return the whole file."""
        return await asyncio.to_thread(self._finish)

    def _finish(self) -> Received:
        if self._held:
            self._scratch.append(bytes(self._held))
        return self._scratch.finish()


def check_size(size_bytes: int, max_bytes: int, where: str) -> None:
    """Refuse a file that is, or says it is, too large."""
    if size_bytes > max_bytes:
        raise FetchRefusedError(
            f"refused to fetch {where}: it has {size_bytes} bytes or more; allowed are {max_bytes}.",
            hint="See the setting fetch.max_bytes.",
        )


def require_media(head: bytes, where: str) -> Sniffed:
    """The image or video format of a file beginning with `head`.

    Raises:
        MediaUnusableError: it is something else; the message says what.
    """
    found = sniff(head)
    if found is None:
        raise MediaUnusableError(f"{where} is of no known image or video format; it begins with {head[:16].hex(' ')}.")
    if found.kind == "other":
        raise MediaUnusableError(f"{where} is {found.content_type}, not an image or a video.")
    return found
