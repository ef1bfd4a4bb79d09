"""Parquet files by pyarrow, which the extra `parquet` brings."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin

from adology.errors import EngineError
from adology_server.tasks.formats import Column, Row

GROUP = 5000
"""Rows of a row group, which is what is held in memory: some 20 MB of ads."""


class ParquetMissingError(EngineError):
    """A Parquet file was asked for where pyarrow is not installed."""

    code = "ADO-5905"


class ParquetWriter:
    """Times are UTC with microseconds, lists are lists; what may be absent is null. Compressed with zstd."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        pyarrow, parquet = _load()
        self._pyarrow = pyarrow
        self._convert = {column.name: _READ.get(_bare(column.type)) for column in columns}
        self._schema = pyarrow.schema([(column.name, _arrow_type(pyarrow, _bare(column.type))) for column in columns])
        self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._waiting: list[Row] = []

    def write(self, rows: Sequence[Row]) -> None:
        """See `Writer`."""
        self._waiting += rows
        while len(self._waiting) >= GROUP:
            self._flush(self._waiting[:GROUP])
            del self._waiting[:GROUP]

    def close(self) -> None:
        """See `Writer`."""
        if self._waiting:
            self._flush(self._waiting)
            self._waiting = []
        self._writer.close()

    def _flush(self, rows: Sequence[Row]) -> None:
        arrays = [
            self._pyarrow.array([_value(row[field.name], self._convert[field.name]) for row in rows], field.type)
            for field in self._schema
        ]
        self._writer.write_batch(self._pyarrow.RecordBatch.from_arrays(arrays, schema=self._schema))


def _load() -> tuple[Any, Any]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above
    except ImportError as error:
        raise ParquetMissingError(
            f"a Parquet file was asked for, and pyarrow cannot be imported here: {error}",
            hint="Install the extra where `adology tasks` runs (`pip install 'adology[parquet]'`); csv and jsonl work.",
        ) from error
    return pa, pq


_READ: Final[dict[Any, Callable[[str], Any]]] = {datetime: datetime.fromisoformat, date: date.fromisoformat}


def _value(value: Any, convert: Callable[[str], Any] | None) -> Any:
    return value if value is None or convert is None else convert(value)


def _bare(hint: Any) -> Any:
    """The type of a value that is there."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    return hint


def _arrow_type(pyarrow: Any, hint: Any) -> Any:
    if get_origin(hint) is tuple:
        return pyarrow.list_(_arrow_type(pyarrow, get_args(hint)[0]))
    if get_origin(hint) is Literal:
        return pyarrow.string()
    plain = {
        bool: pyarrow.bool_(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        date: pyarrow.date32(),
        datetime: pyarrow.timestamp("us", "UTC"),
    }
    return plain.get(hint, pyarrow.string())
