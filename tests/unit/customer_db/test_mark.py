"""Cursor values: stored, ordered, lowered and capped."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adology_customer_db.mark import Mark, mark_of

local = datetime.fromisoformat
"""A time without zone, as many databases hold it."""
COLUMNS = [
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(),
    st.dates(),
    st.text(st.characters(codec="utf-8")),
    st.binary(),
]


def known(mark: Mark | None) -> Mark:
    assert mark is not None
    return mark


@given(st.one_of([st.tuples(column, column) for column in COLUMNS]))
def test_marks_compare_as_their_values_and_survive_the_wire(pair: tuple[Any, Any]) -> None:
    low, high = sorted(pair)
    marks = known(mark_of(low)), known(mark_of(high))
    assert marks[0] <= marks[1]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(marks[0]), type=Mark) == marks[0]


@given(st.one_of(COLUMNS))
def test_a_mark_is_never_above_its_value(value: Any) -> None:
    assert known(mark_of(value)).value <= value


@given(st.datetimes(min_value=local("1000-01-01")), st.integers(0, 10**6), st.sampled_from(["T", " "]))
def test_text_that_is_a_time_is_lowered_below_everything_within_the_lag(moment: datetime, lag_s: int, sep: str) -> None:
    text = moment.isoformat(sep)
    low = Mark("text", text=text).lowered(lag_s, 0)
    for within in (0, lag_s // 2, lag_s):
        assert low.value <= (moment - timedelta(seconds=within)).isoformat(sep)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 5, 1, 12, tzinfo=UTC), datetime(2026, 5, 1, 11, tzinfo=UTC)),
        (local("2026-05-01T12:00"), local("2026-05-01T11:00")),
        (date(2026, 5, 1), date(2026, 4, 30)),
        (100, 90),
        ("2026-05-01T12:00:00.250Z", "2026-05-01T11:00:00"),
        ("2026-05-01T12:00:00+02:00", "2026-05-01T11:00:00"),
        ("2026-05-01", "2026-04-30"),
        ("banana", "banana"),
        (b"\x01", b"\x01"),
    ],
)
def test_the_lag_lowers_what_has_a_distance(value: Any, expected: Any) -> None:
    assert known(mark_of(value)).lowered(3600, 10).value == expected


@pytest.mark.parametrize(
    "value", [datetime.min.replace(tzinfo=UTC), local("0001-01-01"), date.min, "0001-01-01 00:00:00", "0001-01-01"]
)
def test_lowering_stops_at_the_beginning_of_time(value: Any) -> None:
    assert known(mark_of(value)).lowered(1e9, 0).value <= value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2099, 1, 1, tzinfo=timezone(timedelta(hours=2))), datetime(2026, 6, 1, 12, tzinfo=UTC)),
        (local("2099-01-01"), local("2026-06-01T12:00")),
        (date(2099, 1, 1), date(2026, 6, 1)),
        ("2099-01-01 00:00:00", "2026-06-01 12:00:00"),
        ("2099-01-01T00:00:00+02:00", "2026-06-01T14:00:00"),
        ("9banana", "9banana"),
        (10**12, 10**12),
    ],
)
def test_a_mark_is_never_later_than_now(value: Any, expected: Any) -> None:
    assert known(mark_of(value)).capped(datetime(2026, 6, 1, 12, tzinfo=UTC)).value == expected


@pytest.mark.parametrize("value", [True, {"a": 1}, [1], object()])
def test_values_without_an_order_are_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        mark_of(value)


@pytest.mark.parametrize("value", [None, float("nan"), Decimal("nan")])
def test_values_that_say_nothing_make_no_mark(value: Any) -> None:
    assert mark_of(value) is None
