"""Handles as places on disk, and which paths may be read."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import msgspec

from adology_files.settings import FilesSettings

_TABLE = "::"
LINES = frozenset({".jsonl", ".ndjson"})
CELLS = frozenset({".csv", ".tsv"})


class RefusedError(Exception):
    """This path may not be read, or is not there; the text says why."""


class Place(msgspec.Struct, frozen=True):
    """What a handle means: a folder or a table, and the folders whose files may be referred to.

    `name` tells the brand's places apart in the ids of ads.
    """

    path: Path
    name: str
    roots: tuple[Path, ...]
    tables: tuple[Path, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether creatives are looked for."""
        return self.path.is_dir()

    @property
    def folder(self) -> Path:
        """What relative paths are relative to."""
        return self.path if self.is_folder else self.path.parent


def make_handle(path: Path, table: Path | None = None) -> str:
    """The handle of a folder, a JSON lines file or a CSV; `table` describes the folder's files from elsewhere."""
    return str(path) if table is None else f"{path}{_TABLE}{table}"


def open_place(handle: str, settings: FilesSettings, taken: frozenset[str]) -> Place:
    """The place of a handle.

    Args:
        handle: as `make_handle` wrote it.
        settings: what may be read.
        taken: names of the brand's other places.

    Raises:
        RefusedError: it is not absolute, not there, of another kind, or not permitted.
    """
    text, _, table_text = handle.partition(_TABLE)
    if os.path.lexists(handle):  # a name may hold the divider itself
        text, table_text = handle, ""
    roots = tuple(Path(os.path.realpath(root)) for root in settings.roots)
    path = _permit(text, settings, roots)
    tables = (_permit(table_text, settings, roots),) if table_text else ()
    for found in (*tables, *(() if path.is_dir() else (path,))):
        if not is_table(found):
            allowed = ", ".join(sorted(LINES | CELLS))
            raise RefusedError(f"is neither a folder nor a table; allowed: a folder or {allowed}")
    if settings.allow_handles:
        roots = (path if path.is_dir() else path.parent, *roots)
    name = path.name if path.is_dir() else path.stem
    if name in taken:
        name = f"{name}-{digest(os.fsencode(path))[:8]}"
    return Place(path, name, roots, tables)


def is_table(path: Path) -> bool:
    """Whether the path is named like a file of rows."""
    return path.suffix.lower() in LINES | CELLS


def resolve_file(path: Path, roots: tuple[Path, ...]) -> Path:
    """The real path of a regular file within `roots`.

    Raises:
        RefusedError: it is not there, no regular file, or leads out of the permitted folders.
    """
    try:
        real = Path(os.path.realpath(path, strict=True))
        mode = real.stat().st_mode
    except (OSError, ValueError) as error:
        raise RefusedError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not any(real.is_relative_to(root) for root in roots):
        raise RefusedError(f"leads to {real}, outside the permitted folders")
    if not stat.S_ISREG(mode):
        raise RefusedError("is no regular file")
    return real


def digest(data: bytes) -> str:
    """A short stable name for bytes."""
    return hashlib.sha256(data).hexdigest()[:32]


def _permit(text: str, settings: FilesSettings, roots: tuple[Path, ...]) -> Path:
    if not text or "\x00" in text or not Path(text).is_absolute():
        raise RefusedError("is not an absolute path")
    try:
        path = Path(os.path.realpath(text, strict=True))
    except OSError as error:
        raise RefusedError(f"cannot be read: {error.strerror}") from None
    if settings.allow_handles or any(path.is_relative_to(root) for root in roots):
        return path
    allowed = ", ".join(map(str, roots)) or "none"
    raise RefusedError(f"is outside the permitted folders (setting roots: {allowed})")
