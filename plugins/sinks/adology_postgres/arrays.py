"""Lists of texts and bytes as Postgres takes them in a binary COPY.

psycopg's own dumper serves any nesting of any type and costs as much as all other columns of a
row together; ours are flat and without nulls.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from psycopg import adapters, pq
from psycopg.abc import Buffer
from psycopg.adapt import Dumper

TEXT_OID = adapters.types["text"].oid
BYTEA_OID = adapters.types["bytea"].oid
_HEAD = struct.Struct(">iiIii")
_EMPTY = struct.Struct(">iiI")
_LENGTH = struct.Struct(">i").pack
# The form of a value: dimensions, whether there are nulls, type of the elements, then for the one
# dimension its length and first index, then each element behind its length. See array_send() of Postgres.


class TextArrayDumper(Dumper):
    """A list of str as text[]."""

    format = pq.Format.BINARY
    oid = adapters.types["text"].array_oid

    def dump(self, obj: list[str]) -> Buffer:
        """The array's bytes."""
        return pack(TEXT_OID, [text.encode() for text in obj])


class BytesArrayDumper(Dumper):
    """A list of bytes as bytea[]."""

    format = pq.Format.BINARY
    oid = adapters.types["bytea"].array_oid

    def dump(self, obj: list[bytes]) -> Buffer:
        """The array's bytes."""
        return pack(BYTEA_OID, obj)


def pack(element_oid: int, elements: Sequence[bytes]) -> bytes:
    """One array of one dimension; an empty one has none."""
    if not elements:
        return _EMPTY.pack(0, 0, element_oid)
    parts = [_HEAD.pack(1, 0, element_oid, len(elements), 1)]
    for element in elements:
        parts += (_LENGTH(len(element)), element)
    return b"".join(parts)
