"""Flat lists as Postgres takes them in a binary COPY.

psycopg's own dumper serves any nesting of any type and costs more than all other columns of a row
together; ours are flat and hold no nulls. The bytes are those of Postgres' ``array_send``:
dimensions, whether there are nulls, type of the elements; for the one dimension its length and
first index; then each element behind its length.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from psycopg import adapters

_HEAD = struct.Struct(">iiIii").pack
_LENGTH = struct.Struct(">i").pack
_INT = struct.Struct(">ii").pack
_TEXT, _BYTEA, _INT4 = (adapters.types[name].oid for name in ("text", "bytea", "int4"))
_ONE_TEXT, _ONE_BYTEA, _ONE_INT4 = (_HEAD(1, 0, element, 1, 1) for element in (_TEXT, _BYTEA, _INT4))
NO_TEXTS, NO_BYTES, NO_INTS = (struct.pack(">iiI", 0, 0, element) for element in (_TEXT, _BYTEA, _INT4))


def pack_texts(texts: Sequence[str]) -> bytes:
    """The binary form of a ``text[]``."""
    if not texts:
        return NO_TEXTS
    if len(texts) == 1:
        data = texts[0].encode()
        return _ONE_TEXT + _LENGTH(len(data)) + data
    return _pack(_TEXT, [text.encode() for text in texts])


def pack_bytes(values: Sequence[bytes]) -> bytes:
    """The binary form of a ``bytea[]``."""
    if not values:
        return NO_BYTES
    if len(values) == 1:
        return _ONE_BYTEA + _LENGTH(len(values[0])) + values[0]
    return _pack(_BYTEA, values)


def pack_ints(numbers: Sequence[int]) -> bytes:
    """The binary form of an ``int4[]``."""
    if not numbers:
        return NO_INTS
    if len(numbers) == 1:
        return _ONE_INT4 + _INT(4, numbers[0])
    return b"".join([_HEAD(1, 0, _INT4, len(numbers), 1), *[_INT(4, number) for number in numbers]])


def _pack(element: int, values: Sequence[bytes]) -> bytes:
    parts = [_HEAD(1, 0, element, len(values), 1)]
    for value in values:
        parts.append(_LENGTH(len(value)))
        parts.append(value)
    return b"".join(parts)
