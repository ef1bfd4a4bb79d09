"""We pack flat lists as psycopg's general dumper does."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import adapters, pq
from psycopg.adapt import PyFormat, Transformer

from adology_postgres.arrays import pack_bytes, pack_ints, pack_texts


def theirs(kind: str, values: list[Any]) -> bytes:
    transformer = Transformer()
    transformer.set_dumper_types([adapters.types[kind].array_oid], pq.Format.BINARY)
    (dumped,) = transformer.dump_sequence([values], [PyFormat.BINARY])
    assert dumped is not None
    return bytes(dumped)


@pytest.mark.parametrize("values", [[], [""], ["a"], ["shoe", "", "Ελλάδα", "🛒", "x" * 70_000]], ids=len)
def test_texts_are_packed_as_psycopg_packs_them(values: list[str]) -> None:
    assert pack_texts(values) == theirs("text", values)


@pytest.mark.parametrize("values", [[], [b""], [b"\0" * 16, b"\xff", b"plain"]], ids=len)
def test_bytes_are_packed_as_psycopg_packs_them(values: list[bytes]) -> None:
    assert pack_bytes(values) == theirs("bytea", values)


@pytest.mark.parametrize("values", [[], [0], [1, -1, 2**31 - 1, -(2**31)]], ids=len)
def test_whole_numbers_are_packed_as_psycopg_packs_them(values: list[int]) -> None:
    assert pack_ints(values) == theirs("int4", values)
