"""Any sequence of writes, questions, compactions and reloads, beside an index that looks at every entry."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adology_faiss import Entry, Filter, Vector
from adology_faiss.generation import Tuning
from adology_faiss.memory import FaissIndex
from tests.unit.faiss.brute import (
    BRANDS,
    DAY,
    DIMENSIONS,
    LABELS,
    OWNERS,
    SOURCES,
    SPACE,
    Brute,
    is_visible,
    make_entry,
    vector_of,
)

IDS = st.integers(0, 40).map(lambda number: f"e{number}")
DAYS = st.integers(0, 30).map(lambda days: DAY + timedelta(days=days))
# Few different ones: entries that are exactly alike are common, as with creatives.
VECTORS = st.integers(0, 30).map(vector_of)


def some(names: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(names), max_size=2)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    first = draw(DAYS)
    return make_entry(
        draw(IDS),
        draw(VECTORS),
        owner=draw(st.sampled_from(OWNERS)),
        brands=draw(some(BRANDS)),
        sources=draw(some(SOURCES)),
        first_seen=first,
        last_seen=first + timedelta(days=draw(st.integers(0, 9))),
        labels=draw(some(LABELS)),
    )


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    first = draw(st.none() | DAYS)
    return Filter(
        owner=draw(st.sampled_from((*OWNERS, "org-new"))),
        brands=draw(some(BRANDS)),
        sources=draw(some(SOURCES)),
        labels_any=draw(some(LABELS)),
        labels_all=draw(some(LABELS)),
        seen_from=first,
        seen_to=first and draw(st.none() | st.integers(0, 30).map(lambda days: first + timedelta(days=days))),
    )


class IndexMachine(RuleBasedStateMachine):
    """Few entries, and a graph from twelve on, so that every way of searching is met."""

    tuning = Tuning(exact_rows=12, few=2, links=4, build_width=20)
    exact = True

    def __init__(self) -> None:
        super().__init__()
        self.index = FaissIndex(SPACE, DIMENSIONS, self.tuning)
        self.brute = Brute()
        self.folder = tempfile.TemporaryDirectory()

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(entries=st.lists(entries(), min_size=1, max_size=15))
    def upsert(self, entries: list[Entry]) -> None:
        self.index.upsert(entries)
        self.brute.upsert(entries)

    @rule(ids=st.lists(IDS, max_size=10))
    def remove(self, ids: list[str]) -> None:
        assert self.index.remove(ids) == self.brute.remove(ids)

    @rule(query=VECTORS, k=st.integers(1, 50), which=filters())
    def search(self, query: Vector, k: int, which: Filter) -> None:
        self.brute.check(self.index.search(query, k, which), query, k, which, exact=self.exact)

    @rule(which=filters(), by=st.sampled_from(("brand", "source", "label")))
    def count(self, which: Filter, by: str) -> None:
        assert self.index.count(which) == self.brute.count(which)
        assert self.index.facets(by, which) == self.brute.facets(by, which)  # type: ignore[arg-type]  # a Facet

    @rule()
    def compact(self) -> None:
        due = self.index.is_due
        assert self.index.compact() == due
        assert not self.index.is_due

    @rule()
    def reload(self) -> None:
        path = Path(self.folder.name) / "index"
        self.index.snapshot(path)
        self.index = FaissIndex.load(path, SPACE, DIMENSIONS, self.tuning)

    @invariant()
    def the_same_entries_are_there(self) -> None:
        assert len(self.index) == len(self.brute.entries)
        assert set(self.index.ids()) == set(self.brute.entries)


class GraphMachine(IndexMachine):
    """The graph is followed under every filter: what it gives must pass, and be as many as there are."""

    tuning = Tuning(exact_rows=12, few=2, links=4, build_width=20, scan_steps=0)
    exact = False


FEW = settings(
    max_examples=30, stateful_step_count=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
TestIndex = IndexMachine.TestCase
TestIndex.settings = FEW
TestGraph = GraphMachine.TestCase
TestGraph.settings = FEW


@given(
    found=st.lists(entries(), max_size=40),
    others=st.lists(entries(), max_size=40),
    which=filters(),
    query=VECTORS,
    k=st.integers(1, 20),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_answers_are_the_same_whether_or_not_others_have_private_entries(
    found: list[Entry], others: list[Entry], which: Filter, query: Vector, k: int
) -> None:
    """Not one answer differs between an index with and one without what the asker may not see."""
    mine = {entry.id: entry for entry in found if is_visible(entry, which.owner)}
    hidden = [entry for entry in others if not is_visible(entry, which.owner) and entry.id not in mine]
    whole, without = FaissIndex(SPACE, DIMENSIONS), FaissIndex(SPACE, DIMENSIONS)
    whole.upsert(hidden[: len(hidden) // 2])
    whole.upsert(list(mine.values()))
    whole.upsert(hidden[len(hidden) // 2 :])
    without.upsert(list(mine.values()))
    assert whole.count(which) == without.count(which)
    for by in ("brand", "source", "label"):
        assert whole.facets(by, which) == without.facets(by, which)
    ours, theirs = whole.search(query, k, which), without.search(query, k, which)
    assert np.allclose([match.similarity for match in ours], [match.similarity for match in theirs], atol=1e-6)
    assert {match.id for match in whole.search(query, 100, which)} == {
        match.id for match in without.search(query, 100, which)
    }
