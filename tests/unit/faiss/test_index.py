"""FAISS in memory keeps the promises of every index; so do graphs and compactions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from adology_faiss import Filter, UnknownSpaceError, Vector, VectorIndexError
from adology_faiss.generation import Tuning
from adology_faiss.graph import Found, Graph
from adology_faiss.memory import FaissIndex
from adology_faiss.spaces import Spaces
from adology_faiss.threads import ThreadedIndex
from tests.unit.faiss.brute import DIMENSIONS, SPACE, Brute, make_entry, unit, vector_of
from tests.unit.faiss.conformance import IndexConformance

PUBLIC = Filter(owner=None)
QUERY = vector_of("query")
SMALL = Tuning(exact_rows=20, few=5, links=8, build_width=40)
"""Graphs and compactions from a handful of entries on; so few pass that each is looked at."""
GRAPH = Tuning(exact_rows=200, few=50, scan_steps=0)
"""The graph is followed under every filter."""


class TestExact(IndexConformance):
    pytestmark = pytest.mark.anyio

    @pytest.fixture
    async def index(self) -> AsyncIterator[ThreadedIndex]:
        async with ThreadedIndex(FaissIndex(SPACE, DIMENSIONS)) as index:
            yield index


class TestWithGraphsAndCompactions(IndexConformance):
    pytestmark = pytest.mark.anyio

    @pytest.fixture
    async def index(self) -> AsyncIterator[ThreadedIndex]:
        async with ThreadedIndex(FaissIndex(SPACE, DIMENSIONS, SMALL)) as index:
            yield index
            assert not index.index.is_due or index._compaction is not None


def clustered(count: int, dimensions: int = 64) -> list[Vector]:
    """Vectors in groups, as embeddings are: what is random all over has no neighbours to find."""
    random = np.random.default_rng(3)
    centres = random.standard_normal((count // 20, dimensions))
    return [unit(centres[n % len(centres)] + 0.8 * random.standard_normal(dimensions)) for n in range(count)]


@pytest.fixture(scope="module")
def large() -> tuple[FaissIndex, Brute]:
    """4000 entries, all of them in a graph that must be followed; every tenth and hundredth has a label."""
    entries = [
        make_entry(
            f"e{number}",
            vector,
            labels=frozenset(name for name, step in (("10%", 10), ("1%", 100)) if number % step == 3),
            owner="org-a" if number % 50 == 7 else None,
        )
        for number, vector in enumerate(clustered(4000))
    ]
    index = FaissIndex("made-up/1/64/f32", 64, GRAPH)
    index.upsert(entries)
    assert index.compact()
    assert index._now.graph_size == 4000
    return index, Brute(entries)


@pytest.mark.parametrize("labels", [(), ("10%",), ("1%",)])
def test_a_graph_finds_the_nearest_under_any_filter(large: tuple[FaissIndex, Brute], labels: tuple[str, ...]) -> None:
    index, brute = large
    which = Filter(owner=None, labels_any=frozenset(labels))
    hits = 0
    for vector in clustered(4000)[::80]:
        found = index.search(vector, 10, which)
        brute.check(found, vector, 10, which, exact=False)
        hits += len({match.id for match in found} & {match.id for match in brute.search(vector, 10, which)})
    assert hits / 500 >= 0.99


def test_what_the_graph_does_not_come_by_is_found_by_looking(
    large: tuple[FaissIndex, Brute], monkeypatch: pytest.MonkeyPatch
) -> None:
    index, brute = large
    search, vector = Graph.search, clustered(4000)[500]

    def lost(*arguments: Any) -> Found:
        similarities, rows = search(*arguments)
        return similarities[3:], rows[3:]

    monkeypatch.setattr(Graph, "search", lost)
    for which in (PUBLIC, Filter(owner=None, labels_any=frozenset({"1%"}))):
        brute.check(index.search(vector, 10, which), vector, 10, which)


def test_what_came_after_the_graph_is_found_beside_it() -> None:
    index = FaissIndex(SPACE, DIMENSIONS, GRAPH)
    index.upsert([make_entry(f"e{number}") for number in range(300)])
    assert index.compact()
    assert not index.compact(), "nothing to do"
    index.upsert([make_entry("new", QUERY), make_entry("e5", QUERY)])
    index.remove(["e6"])
    assert [match.id for match in index.search(QUERY, 2, PUBLIC)] == ["e5", "new"]
    assert index.count(PUBLIC) == len(index) == 300
    assert "e6" not in {match.id for match in index.search(vector_of("e6"), 300, PUBLIC)}


def test_a_graph_grows_by_copies_and_is_built_anew_when_much_is_gone() -> None:
    index, brute = FaissIndex(SPACE, DIMENSIONS, GRAPH), Brute()
    sizes = []
    for start in (0, 300, 400, 500):
        entries = [make_entry(f"e{number}") for number in range(start, start + 300)]
        index.upsert(entries)
        brute.upsert(entries)
        assert index.compact()
        sizes.append(index._now.graph_size)
    # 200 of the second write and 200 of the third were replaced: holes in the graph until it is built anew.
    assert len(index) == 800
    assert sizes[0] == 300
    assert sizes[1] == 600
    gone = [f"e{number}" for number in range(0, 800, 2)]
    assert index.remove(gone) == brute.remove(gone) == 400
    assert index.compact()
    assert index._now.size == index._now.graph_size == 400
    brute.check(index.search(QUERY, 400, PUBLIC), QUERY, 400, PUBLIC)


def test_an_index_that_shrank_does_without_a_graph() -> None:
    index = FaissIndex(SPACE, DIMENSIONS, GRAPH)
    index.upsert([make_entry(f"e{number}") for number in range(300)])
    index.compact()
    index.remove([f"e{number}" for number in range(250)])
    assert index.compact()
    assert index._now.graph is None
    assert index._now.size == len(index) == len(list(index.ids())) == 50
    assert index.search(vector_of("e270"), 1, PUBLIC)[0].id == "e270"
    assert index.memory()["links"] == 0


def test_an_index_may_lose_everything_and_be_filled_again() -> None:
    index = FaissIndex(SPACE, DIMENSIONS, SMALL)
    index.upsert([make_entry(f"e{number}") for number in range(30)])
    index.compact()
    index.remove([f"e{number}" for number in range(30)])
    assert index.compact()
    assert index.search(QUERY, 3, PUBLIC) == []
    index.upsert([make_entry("a")])
    assert [match.id for match in index.search(QUERY, 3, PUBLIC)] == ["a"]


def test_vectors_are_kept_once() -> None:
    index = FaissIndex("made-up/1/64/f32", 64, GRAPH)
    index.upsert([make_entry(f"e{number}", vector) for number, vector in enumerate(clustered(1000))])
    index.compact()
    memory = index.memory()
    assert memory["vectors"] == 1000 * 64 * 4
    assert memory["links"] < 1000 * 2.5 * 32 * 4
    assert memory["columns"] < 1000 * 40


@pytest.mark.parametrize(
    ("space", "dimensions", "problem"),
    [
        ("", 4, "needs an id"),
        ("s" * 1001, 4, "seen: 1001"),
        ("s", 0, "must be 1 to 16000; seen: 0"),
        ("s", 16001, "seen: 16001"),
    ],
)
def test_a_space_that_cannot_be_is_refused(space: str, dimensions: int, problem: str) -> None:
    with pytest.raises(VectorIndexError, match=problem):
        FaissIndex(space, dimensions)


def test_tuning_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="links must be at least 2; seen: 1"):
        Tuning(links=1)
    with pytest.raises(ValueError, match="tail_share must be at least 0; seen: -1"):
        Tuning(tail_share=-1)


def test_an_index_is_asked_by_the_name_of_its_space() -> None:
    spaces = Spaces()
    with pytest.raises(UnknownSpaceError, match=r"no index of the embedding space 'x'\. Known: none"):
        spaces.get_index("x")
    index = ThreadedIndex(FaissIndex(SPACE, DIMENSIONS))
    spaces.add(index)
    assert spaces.get_index(SPACE) is index
    assert spaces.list_spaces() == [SPACE]
    with pytest.raises(UnknownSpaceError, match=f"'x'. Known: '{SPACE}'"):
        spaces.get_index("x")
    with pytest.raises(VectorIndexError, match=f"'{SPACE}' has an index already"):
        spaces.add(index)


def test_importing_the_package_loads_no_faiss() -> None:
    program = "import sys, adology_faiss; sys.exit('faiss' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
