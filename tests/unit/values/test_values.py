"""Loose values as plain data and as the fields of an ad."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adology import values

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=10,
)


@given(ANYTHING)
def test_whatever_a_row_holds_can_be_stored(value: Any) -> None:
    plain = values.plain(value)
    assert msgspec.json.decode(msgspec.json.encode(plain)) == plain
    assert "\x00" not in str(plain)
    values.text(value), values.day(value), values.number(value), list(values.texts(value, ","))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("0.10"), "0.10"),
        (2**70, str(2**70)),
        (float("inf"), "inf"),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        (time(3, 4), "03:04:00"),
        (timedelta(minutes=1), 60.0),
        (b"\x01\xff", "01ff"),
        (b"x" * 1000, "1000 bytes"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("a\x00b", "ab"),
        ("a\ud800b", "a?b"),
        ({"a": {Decimal(1)}}, {"a": ["1"]}),
    ],
)
def test_values_become_plain_without_loss(value: Any, expected: Any) -> None:
    assert values.plain(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["a", None, "b"], ["a", "b"]),
        ('["a", "b"]', ["a", "b"]),
        ("a, b,,", ["a", "b"]),
        ("[a, b]", ["[a", "b]"]),
        ("", []),
        (None, []),
        (7, ["7"]),
    ],
)
def test_lists_come_as_arrays_json_or_text(value: Any, expected: list[str]) -> None:
    assert list(values.texts(value, ",")) == expected


def test_copy_is_never_split() -> None:
    assert list(values.texts("Fast, light, yours")) == ["Fast, light, yours"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (date(2026, 1, 2), date(2026, 1, 2)),
        (datetime(2026, 1, 2, 1, tzinfo=timezone(timedelta(hours=2))), date(2026, 1, 1)),
        ("2026-01-02", date(2026, 1, 2)),
        ("20260102", date(2026, 1, 2)),
        (" 2026-01-02T23:30:00-02:00 ", date(2026, 1, 3)),
        (1767312000, date(2026, 1, 2)),
        ("1767312000", date(2026, 1, 2)),
        (1767312000000, date(2026, 1, 2)),
        (Decimal(1767312000), date(2026, 1, 2)),
        (7, None),
        (True, None),
        ("02/01/2026", None),
        ("", None),
        (1e300, None),
    ],
)
def test_days_are_read_where_they_are_certain(value: Any, expected: date | None) -> None:
    assert values.day(value) == expected


def test_what_is_nested_without_end_is_cut_off() -> None:
    value: Any = "deep"
    for _ in range(900):
        value = [value]
    assert values.plain(value)[0] != "…"
    assert "…" in values.text(value)
    assert list(values.texts("[" * 100_000)) == ["[" * 100_000]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((value, "active") for value in ("Active ", True, 1, "y")),
        *((value, "stopped") for value in ("PAUSED", False, 0, "n")),
        *((value, "unknown") for value in ("later", None, "")),
    ],
)
def test_a_status_is_read_from_words_and_truth_values(value: Any, expected: str) -> None:
    assert values.status(value) == expected


def test_a_records_own_text_is_its_text() -> None:
    assert list(values.texts([{"text": " Big sale "}, {"body": "x"}])) == ["Big sale", '{"body":"x"}']
