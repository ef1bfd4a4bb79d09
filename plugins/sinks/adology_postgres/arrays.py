"""Flat lists as Postgres takes them in a binary COPY.

psycopg's own dumper serves any nesting of any type and costs more than all other columns of a row
together; ours are flat and hold no nulls.
"""

from __future__ import annotations

import struct
from typing import Any

from psycopg import AsyncCursor, adapters, pq
from psycopg.abc import Buffer
from psycopg.adapt import Dumper

_EMPTY = struct.Struct(">iiI").pack
_HEAD = struct.Struct(">iiIii").pack
_LENGTH = struct.Struct(">i").pack
_INT = struct.Struct(">ii").pack
# An array's bytes (array_send of Postgres): dimensions, whether there are nulls, type of the elements;
# for the one dimension its length and first index; then each element behind its length.


class TextArrayDumper(Dumper):
    """A list of str as text[]."""

    format = pq.Format.BINARY
    oid = adapters.types["text"].array_oid
    _element = adapters.types["text"].oid
    _empty = _EMPTY(0, 0, _element)

    def dump(self, obj: list[str]) -> Buffer:
        """The array's bytes."""
        return _pack(self._element, [text.encode() for text in obj]) if obj else self._empty


class BytesArrayDumper(Dumper):
    """A list of bytes as bytea[]."""

    format = pq.Format.BINARY
    oid = adapters.types["bytea"].array_oid
    _element = adapters.types["bytea"].oid
    _empty = _EMPTY(0, 0, _element)

    def dump(self, obj: list[bytes]) -> Buffer:
        """The array's bytes."""
        return _pack(self._element, obj) if obj else self._empty


class IntArrayDumper(Dumper):
    """A list of int as int4[]."""

    format = pq.Format.BINARY
    oid = adapters.types["int4"].array_oid
    _element = adapters.types["int4"].oid
    _empty = _EMPTY(0, 0, _element)

    def dump(self, obj: list[int]) -> Buffer:
        """The array's bytes."""
        if not obj:
            return self._empty
        return b"".join([_HEAD(1, 0, self._element, len(obj), 1), *[_INT(4, number) for number in obj]])


def dump_flat_lists(cursor: AsyncCursor[Any]) -> None:
    """Have the cursor's COPY write lists of these three types without psycopg's general dumper."""
    for dumper in (TextArrayDumper, BytesArrayDumper, IntArrayDumper):
        cursor.adapters.register_dumper(list, dumper)


def _pack(element: int, values: list[bytes]) -> bytes:
    parts = [_HEAD(1, 0, element, len(values), 1)]
    for value in values:
        parts.append(_LENGTH(len(value)))
        parts.append(value)
    return b"".join(parts)
