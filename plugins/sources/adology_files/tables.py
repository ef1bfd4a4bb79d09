"""Rows of JSON lines and CSV files, streamed; what is broken is noted and the rest goes on."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

import msgspec

from adology_files.places import CELLS
from adology_files.problems import Problems

DELIMITERS = ",;\t|"
_SAMPLE_BYTES = 4096
_EXCERPT = 60
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

Row = dict[str, Any]


def read_rows(path: Path, problems: Problems, *, max_line: int) -> Iterator[tuple[int, int, Row]]:
    """Line number, size in characters and content of each row of a table.

    The encoding is UTF-8 or UTF-16 (with a byte order mark, or plain from its zero bytes); a line
    that is no UTF-8 is read as Windows-1252. The delimiter of a CSV is what divides its header.
    """
    try:
        with path.open("rb") as file:
            lines = Lines(file, path, problems, max_line)
            if path.suffix.lower() in CELLS:
                yield from _csv_rows(lines, path, problems, max_line)
            else:
                yield from _json_rows(lines, path, problems)
    except OSError as error:
        problems.add(path, f"cannot be read: {error.strerror}")


class Lines:
    """The lines of a file as text, line breaks kept; `number` is the line last handed out."""

    def __init__(self, file: BinaryIO, path: Path, problems: Problems, max_line: int) -> None:
        self._file = file
        self._path = path
        self._problems = problems
        self._max_line = max_line
        self._encoding, self._newline = _find_encoding(file)
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        if self._encoding == "utf-8" and self._newline:
            yield from self._read(self._file)
            return
        text = io.TextIOWrapper(self._file, encoding=self._encoding, errors="replace", newline=self._newline)
        try:
            yield from self._read(text)
        finally:
            text.detach()  # the file is closed by whoever opened it

    def _read(self, reader: IO[str] | IO[bytes]) -> Iterator[str]:
        while chunk := reader.readline(self._max_line):
            self.number += 1
            text = chunk if isinstance(chunk, str) else _decode(chunk)
            if len(chunk) >= self._max_line and not text.endswith("\n"):
                self._problems.add(self._path, f"is longer than {self._max_line} bytes", self.number)
                self._skip(reader, self._max_line)
                continue
            yield text

    @staticmethod
    def _skip(reader: IO[str] | IO[bytes], size: int) -> None:
        """Read to the end of an overlong line, a piece at a time."""
        while chunk := reader.readline(size):
            if chunk[-1:] in ("\n", b"\n"):
                return


def _find_encoding(file: BinaryIO) -> tuple[str, str | None]:
    """The encoding, by byte order mark or zero bytes, and what ends a line (None: also the old Mac's CR).

    Only LF is asked for where there is one: the other breaks that Unicode knows may stand in a text.
    """
    head = file.read(_SAMPLE_BYTES)
    newline = None if b"\r" in head and b"\n" not in head else "\n"
    mark = next((mark for mark in _BOMS if head.startswith(mark)), b"")
    file.seek(len(mark) if mark == codecs.BOM_UTF8 else 0)
    if mark:
        return _BOMS[mark], newline
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 > len(head) > 1:
        return "utf-16-le" if odd > even else "utf-16-be", newline
    return ("utf-8" if newline or _is_utf8(head) else "cp1252"), newline


def _is_utf8(head: bytes) -> bool:
    """Whether a sample, which may end within a character, is UTF-8."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _decode(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _json_rows(lines: Lines, path: Path, problems: Problems) -> Iterator[tuple[int, int, Row]]:
    for line in lines:
        text = line.strip("\ufeff \t\r\n")
        if not text:
            continue
        try:
            row = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            problems.add(path, f"is not JSON ({error}): {_excerpt(text)}", lines.number)
            continue
        if not isinstance(row, dict):
            problems.add(path, f"is a JSON {_json_name(row)}; allowed: an object: {_excerpt(text)}", lines.number)
            continue
        yield lines.number, len(text), row


def _csv_rows(lines: Lines, path: Path, problems: Problems, max_line: int) -> Iterator[tuple[int, int, Row]]:
    # The limit belongs to the process and is 128 KiB by default; it only ever grows here.
    csv.field_size_limit(max(csv.field_size_limit(), max_line))
    source = iter(lines)
    header_line = next((line for line in source if line.strip()), "")
    try:
        header = next(csv.reader([header_line], delimiter=_find_delimiter(header_line)), [])
    except csv.Error as error:
        problems.add(path, f"is no CSV header ({error}): {_excerpt(header_line)}", lines.number)
        return
    names = [name.strip("\ufeff \t\r\n") or f"column_{at}" for at, name in enumerate(header, start=1)]
    reader = csv.reader(source, delimiter=_find_delimiter(header_line), strict=True)
    while True:
        first = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.add(path, f"is no CSV row ({error})", first)
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(names) :]):
            seen = _excerpt(", ".join(cells))
            problems.add(path, f"has {len(cells)} cells, the header {len(names)}: {seen}", first)
            continue
        yield first, sum(map(len, cells)), dict(zip(names, cells, strict=False))


def _find_delimiter(header: str) -> str:
    """What divides the header outside quotes; a comma when nothing does."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _excerpt(text: str) -> str:
    return repr(text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…")


def _json_name(value: Any) -> str:
    return {list: "array", str: "string", type(None): "null", bool: "truth value"}.get(type(value), "number")
