"""Our dumpers of flat lists write what psycopg's general one writes."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import adapters, pq
from psycopg.adapt import PyFormat, Transformer

from adology_postgres.arrays import BytesArrayDumper, IntArrayDumper, TextArrayDumper


def theirs(kind: str, values: list[Any]) -> bytes:
    transformer = Transformer()
    transformer.set_dumper_types([adapters.types[kind].array_oid], pq.Format.BINARY)
    (dumped,) = transformer.dump_sequence([values], [PyFormat.BINARY])
    assert dumped is not None
    return bytes(dumped)


@pytest.mark.parametrize("values", [[], [""], ["a"], ["shoe", "", "Ελλάδα", "🛒", "x" * 70_000]], ids=len)
def test_texts_are_written_as_psycopg_writes_them(values: list[str]) -> None:
    assert TextArrayDumper(list).dump(values) == theirs("text", values)


@pytest.mark.parametrize("values", [[], [b""], [b"\0" * 16, b"\xff", b"plain"]], ids=len)
def test_bytes_are_written_as_psycopg_writes_them(values: list[bytes]) -> None:
    assert BytesArrayDumper(list).dump(values) == theirs("bytea", values)


@pytest.mark.parametrize("values", [[], [0], [1, -1, 2**31 - 1, -(2**31)]], ids=len)
def test_whole_numbers_are_written_as_psycopg_writes_them(values: list[int]) -> None:
    assert IntArrayDumper(list).dump(values) == theirs("int4", values)
