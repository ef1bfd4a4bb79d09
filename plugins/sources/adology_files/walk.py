"""Finds creatives in a tree, in a stable order, one folder at a time in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from adology.fetch.sniff import SNIFF_BYTES, sniff
from adology.types import MediaKind
from adology_files.places import RefusedError, resolve_file
from adology_files.problems import Problems

TABLE_NAMES = ("ads.jsonl", "ads.csv", "metadata.jsonl", "metadata.csv")
"""Files of rows that describe the creatives of their folder and below."""
IMAGES = frozenset({".avif", ".bmp", ".gif", ".heic", ".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
VIDEOS = frozenset(
    {".3gp", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"}
)


def kind_of(name: str) -> MediaKind | None:
    """What a file name promises; None when it promises no creative."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - millions of names: a Path each costs more than the rest
    if suffix in IMAGES:
        return "image"
    return "video" if suffix in VIDEOS else None


def kind_within(path: Path) -> MediaKind | None:
    """What a file without an extension begins like; None for anything but a creative."""
    try:
        with path.open("rb") as file:
            found = sniff(file.read(SNIFF_BYTES))
    except OSError:
        return None
    return None if found is None or found.kind == "other" else found.kind


class Walk:
    """The creatives and tables under a folder. `skipped` counts files that are neither."""

    def __init__(self, top: Path, roots: tuple[Path, ...], problems: Problems) -> None:
        self._top = top
        self._roots = roots
        self._problems = problems
        self.skipped = 0

    def __iter__(self) -> Iterator[tuple[Path, MediaKind | None]]:
        """Paths below the top with their kind, None for tables.

        A folder's tables come before its files, its files before its subfolders, each in the
        order of their names. Hidden entries are passed over, as are links to folders: what they
        lead to is either found at its own place or outside.
        """
        folders = [self._top]
        while folders:
            folder = folders.pop()
            tables, files, below = self._list(folder)
            yield from ((path, None) for path in tables)
            yield from files
            folders.extend(reversed(below))

    def _list(self, folder: Path) -> tuple[list[Path], Iterator[tuple[Path, MediaKind]], list[Path]]:
        try:
            with os.scandir(folder) as found:
                entries = sorted((entry for entry in found if not entry.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            self._problems.add(folder, f"cannot be listed: {error.strerror}")
            return [], iter(()), []
        below = [folder / entry.name for entry in entries if _is_dir(entry)]
        tables = [folder / name for name in TABLE_NAMES if any(entry.name == name for entry in entries)]
        named = [entry for entry in entries if entry.name not in TABLE_NAMES and not _is_dir(entry)]
        return tables, self._files(folder, named), below

    def _files(self, folder: Path, entries: list[os.DirEntry[str]]) -> Iterator[tuple[Path, MediaKind]]:
        for entry in entries:
            path = folder / entry.name
            kind = kind_of(entry.name) or (kind_within(path) if "." not in entry.name and _is_file(entry) else None)
            if kind is None:
                self.skipped += 1
                continue
            if entry.is_symlink():
                try:
                    resolve_file(path, self._roots)
                except RefusedError as error:
                    self._problems.add(path, str(error))
                    continue
            elif not _is_file(entry):
                self.skipped += 1
                continue
            yield path, kind


def _is_dir(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _is_file(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False)
