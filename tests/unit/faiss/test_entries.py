"""Entries and filters that mean nothing are refused when they are made."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import Any

import pytest

from adology_faiss import (
    Filter,
    SnapshotDamagedError,
    SnapshotSpaceError,
    UnknownSpaceError,
    VectorIndexError,
    VectorRefusedError,
)
from tests.unit.faiss.brute import DAY, make_entry


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"owner": ""}, "owner: a text has 1 to 1000 characters; seen: 0"),
        ({"sources": frozenset({""})}, "sources: a text has 1 to 1000 characters"),
        ({"brands": frozenset({"x" * 1001})}, "brands: .* seen: 1001"),
        ({"labels": frozenset({"a\0"})}, "labels: .* NUL"),
        ({"labels": frozenset({"\ud800"})}, "labels: .* surrogate"),
        ({"first_seen": DAY + timedelta(days=11)}, "first_seen 2026-11-12 is after last_seen 2026-11-11"),
    ],
)
def test_an_entry_that_no_store_keeps_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        make_entry("a", **fields)


def test_an_id_is_not_empty() -> None:
    with pytest.raises(ValueError, match="id: a text has 1 to 1000 characters; seen: 0"):
        make_entry("", make_entry("a").vector)


def test_a_filter_must_say_who_asks() -> None:
    with pytest.raises(TypeError, match="owner"):
        Filter()  # type: ignore[call-arg]  # the point of it
    with pytest.raises(ValueError, match="owner: a text has 1 to 1000"):
        Filter(owner="")


def test_a_filter_that_nothing_can_pass_by_its_days_is_refused() -> None:
    with pytest.raises(ValueError, match="seen_from 2026-11-02 is after seen_to 2026-11-01"):
        Filter(owner=None, seen_from=DAY + timedelta(days=1), seen_to=DAY)


def test_a_text_is_no_set_of_texts() -> None:
    with pytest.raises(TypeError, match="brands: a set of texts is wanted; seen: the text 'nike'"):
        Filter(owner=None, brands="nike")  # type: ignore[arg-type]  # the mistake


@pytest.mark.parametrize(
    "error",
    [
        VectorRefusedError("s", "the query", "too short"),
        UnknownSpaceError("s", ["b", "a"]),
        SnapshotDamagedError("p", "gone"),  # type: ignore[arg-type]  # any path
        SnapshotSpaceError("p", "a", "b"),  # type: ignore[arg-type]  # any path
    ],
)
def test_errors_travel_between_processes(error: VectorIndexError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), str(again)) == (type(error), str(error))
