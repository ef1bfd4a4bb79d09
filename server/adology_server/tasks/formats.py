"""Files of rows: JSON lines, CSV for spreadsheets, Parquet with types; written bit by bit."""

from __future__ import annotations

import csv
import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, NamedTuple, Protocol, get_args, get_type_hints

import msgspec

from adology_server.problems import Refusal

Format = Literal["jsonl", "csv", "parquet"]
Row = dict[str, Any]
"""Values as JSON has them, by column; times and dates as text."""
TYPES: Final[dict[str, str]] = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets would take for a formula, which an ad's text could then be."""


class Column(NamedTuple):
    """Its name, and the type that its values have if they are there."""

    name: str
    type: Any


class Writer(Protocol):
    """Writes rows to a file. Blocks; memory does not grow with the rows."""

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


def formats() -> tuple[str, ...]:
    """Those that can be written in this process."""
    there = importlib.util.find_spec("pyarrow") is not None
    return tuple(name for name in get_args(Format) if there or name != "parquet")


def check_format(name: str) -> None:
    """Refuse what this installation does not write.

    Raises:
        Refusal: 422, listing what it writes.
    """
    if name not in formats():
        written = ", ".join(formats())
        detail = f"This installation does not write {name}; it writes {written}. The extra `parquet` adds it."
        raise Refusal("invalid", detail, field="format")


def columns_of(kind: type[msgspec.Struct], names: Sequence[str]) -> list[Column]:
    """Fields of a Struct as columns."""
    hints = get_type_hints(kind)
    return [Column(name, hints[name]) for name in names]


def open_writer(name: str, path: Path, columns: Sequence[Column]) -> Writer:
    """A new file of that format.

    Raises:
        ParquetMissingError: what Parquet takes is not installed.
    """
    if name == "parquet":
        from adology_server.tasks.parquet import ParquetWriter  # noqa: PLC0415 - an extra

        return ParquetWriter(path, columns)
    return CsvWriter(path, columns) if name == "csv" else LinesWriter(path)


class LinesWriter:
    """A JSON object on each line."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")

    def write(self, rows: Sequence[Row]) -> None:
        """See `Writer`."""
        self._file.write(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))

    def close(self) -> None:
        """See `Writer`."""
        self._file.close()


class CsvWriter:
    """A line of names, then one for each row. Lists are joined by commas."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._names = [column.name for column in columns]
        self._file: BinaryIO = path.open("wb")
        self._lines([self._names])

    def write(self, rows: Sequence[Row]) -> None:
        """See `Writer`."""
        self._lines([[_cell(row[name]) for name in self._names] for row in rows])

    def close(self) -> None:
        """See `Writer`."""
        self._file.close()

    def _lines(self, rows: Sequence[Sequence[Any]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        self._file.write(text.getvalue().encode())


def _cell(value: Any) -> Any:
    return escape(", ".join(map(str, value)) if isinstance(value, list) else value)


def escape(value: Any) -> Any:
    """The cell, which no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
