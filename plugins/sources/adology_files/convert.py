"""Ads of a place: one per row of its tables, one per creative that no row speaks of."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from adology import Ad, Media
from adology.types import MediaKind, MediaRole
from adology.values import items, plain
from adology_files.fields import NAMES, Fields
from adology_files.places import Place, RefusedError, digest, is_table, resolve_file
from adology_files.problems import Problems
from adology_files.tables import Row, read_rows
from adology_files.walk import Walk, kind_of

MAX_ID = 200
_MEDIA: tuple[tuple[str, MediaKind, MediaRole], ...] = (
    ("images", "image", "creative"),
    ("videos", "video", "creative"),
    ("media", "unknown", "creative"),
    ("previews", "image", "preview"),
)
_SEVERAL = (re.compile(r"[;|\n]"), re.compile(r"[;|\n,]"))
_NAMES_SHOWN = 20
_FILE_BYTES = 500
"""What an ad of a bare file weighs on a page."""


class PlaceReader:
    """Reads one place. `skipped` counts files that are neither creative nor table."""

    def __init__(self, place: Place, brand: str, problems: Problems, *, today: date, max_line: int) -> None:
        self._place = place
        self._brand = brand
        self._problems = problems
        self._today = today
        self._max_line = max_line
        self._spoken_for: set[str] = set()
        self.skipped = 0

    def ads(self) -> Iterator[tuple[Ad, int]]:
        """Every ad with its weight in characters."""
        place = self._place
        for table in place.tables:
            yield from self._table(table)
        if not place.is_folder:
            yield from self._table(place.path)
            return
        walk = Walk(place.path, place.roots, self._problems)
        for path, kind in walk:
            if path in place.tables:
                continue
            if kind is None:
                yield from self._table(path)
            elif _key(path) not in self._spoken_for:
                yield self._file_ad(path, kind), _FILE_BYTES
        self.skipped = walk.skipped

    def _table(self, path: Path) -> Iterator[tuple[Ad, int]]:
        if path.is_symlink():
            try:
                resolve_file(path, self._place.roots)
            except RefusedError as error:
                self._problems.add(path, str(error))
                return
        for line, size, row in read_rows(path, self._problems, max_line=self._max_line):
            fields = Fields(row)
            if fields.says_something:
                yield self._row_ad(path, line, row, fields), size
            else:
                self._problems.add(path, _nothing_known(row), line)

    def _row_ad(self, table: Path, line: int, row: Row, fields: Fields) -> Ad:
        media, lost = self._media(fields, table, line)
        raw = plain(row)
        stopped = fields.day("stopped_on")
        named = fields.text("id")
        return Ad(
            id=self._id(named or f"row-{digest(msgspec.json.encode(raw, order='sorted'))}"),
            advertiser=fields.text("advertiser"),
            advertiser_id=fields.text("advertiser_id"),
            bodies=fields.copy("bodies"),
            titles=fields.copy("titles"),
            captions=fields.copy("captions"),
            descriptions=fields.copy("descriptions"),
            cta=fields.text("cta"),
            landing_url=_landing_url(fields, media),
            link=fields.text("link"),
            format=fields.text("format"),
            platforms=fields.tags("platforms"),
            languages=fields.tags("languages"),
            countries=fields.tags("countries"),
            status=fields.status(stopped, self._today),
            started_on=fields.day("started_on"),
            stopped_on=stopped,
            seen_at=fields.moment("seen_at"),
            reach=fields.count("reach"),
            impressions=fields.amount("impressions"),
            spend=fields.amount("spend"),
            media=media,
            media_outcome="unavailable" if lost and not media else None,
            raw=raw,
        )

    def _file_ad(self, path: Path, kind: MediaKind) -> Ad:
        relative = path.relative_to(self._place.path)
        try:
            size = path.stat().st_size
        except OSError:
            size = None  # gone since it was listed: acquisition will say so
        return Ad(
            id=self._id(f"{self._place.name}/{relative.as_posix()}", path),
            format=kind,
            media=(Media(url=path.as_uri(), kind=kind),),
            raw=plain({"path": relative.as_posix(), "size_bytes": size}),
        )

    def _id(self, name: str, path: Path | None = None) -> str:
        """Ids are told apart by brand: two brands may both have an ad called 1."""
        try:
            name.encode()
        except UnicodeEncodeError:
            name = f"path-{digest(os.fsencode(path or name))}"
        found = f"{self._brand}/{name}"
        return found if len(found) <= MAX_ID else f"{self._brand}/id-{digest(name.encode())}"

    def _media(self, fields: Fields, table: Path, line: int) -> tuple[tuple[Media, ...], bool]:
        """The row's media in order, and whether some of it cannot be had."""
        found: dict[str, Media] = {}
        lost = False
        for field, kind, role in _MEDIA:
            for entry in self._entries(fields.get(field), table):
                try:
                    url, named = self._address(entry, table)
                except RefusedError as error:
                    self._problems.add(table, f"refers to {entry!r}, which {error}", line)
                    lost = True
                    continue
                sure = kind if kind != "unknown" else kind_of(named) or "unknown"
                found.setdefault(url, Media(url=url, kind=sure, role=role, position=len(found)))
        if not found and not lost:
            found = _media_in_url(fields)
        return tuple(found.values()), lost

    def _entries(self, value: Any, table: Path) -> Iterator[str]:
        """Addresses in a cell: a list, one address, or several that are divided by ``; | ,`` or line breaks."""
        for item in items(value):
            entry = (
                next((item[k] for k in ("url", "file", "path") if item.get(k)), "") if isinstance(item, dict) else item
            )
            text = entry.strip() if isinstance(entry, str) else ""
            if not text:
                continue
            parts = [text] if item is not value or self._is_there(text, table) else _split(text)
            yield from parts

    def _address(self, entry: str, table: Path) -> tuple[str, str]:
        """The URL of an address and the name that tells its kind.

        Raises:
            RefusedError: it is malformed, of another scheme, not there, or leads out of the permitted folders.
        """
        try:
            parts = urlsplit(entry)
        except ValueError:  # "https://[CDN]/a.jpg": a template that nobody filled in
            raise RefusedError("is malformed") from None
        if parts.scheme.lower() in {"http", "https"}:
            return entry, parts.path
        if parts.scheme.lower() == "file":
            if parts.netloc not in {"", "localhost"}:
                raise RefusedError("names another machine")
            path = Path(unquote(parts.path))
        elif "://" in entry:
            raise RefusedError("is neither http(s) nor a file")
        else:
            path = self._find(entry, table)
        real = resolve_file(path, self._place.roots)
        if is_table(real):
            raise RefusedError("is a table, not a creative")
        self._spoken_for.add(_key(path))
        self._spoken_for.add(_key(real))
        return real.as_uri(), real.name

    def _find(self, entry: str, table: Path) -> Path:
        """A relative path beside the table, else in the place's folder. Backslashes come from Windows."""
        names = dict.fromkeys((entry, entry.replace("\\", "/")))
        folders = dict.fromkeys((table.parent, self._place.folder))
        paths = [Path(os.path.normpath(folder / name)) for folder in folders for name in names]
        return next((path for path in paths if _exists(path)), paths[0])

    def _is_there(self, entry: str, table: Path) -> bool:
        return "://" not in entry and _exists(self._find(entry, table))


def _split(text: str) -> list[str]:
    """Several addresses in one cell. A comma divides only where a new address clearly begins."""
    parts = [part.strip() for part in _SEVERAL[0].split(text)]
    if "://" in text:
        return [piece for part in parts for piece in re.split(r",\s*(?=[a-z]+://)", part) if piece]
    if len(parts) == 1 and all(kind_of(piece.strip()) for piece in _SEVERAL[1].split(text)):
        parts = [piece.strip() for piece in _SEVERAL[1].split(text)]
    return [part for part in parts if part]


def _nothing_known(row: Row) -> str:
    names = ", ".join(list(row)[:_NAMES_SHOWN]) or "none"
    return f"no known column is filled (columns: {names}); known are {', '.join(NAMES)} and other names for them"


def _landing_url(fields: Fields, media: tuple[Media, ...]) -> str:
    found = fields.text("landing_url")
    return "" if any(found == item.url for item in media) else found


def _media_in_url(fields: Fields) -> dict[str, Media]:
    """A column called url may be the creative's own address: its ending tells."""
    url = fields.text("landing_url")
    try:
        kind = kind_of(urlsplit(url).path) if url.startswith(("http://", "https://")) else None
    except ValueError:
        return {}
    return {url: Media(url=url, kind=kind)} if kind else {}


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a name, or a zero byte
        return False


def _key(path: Path) -> str:
    return os.fspath(path)
