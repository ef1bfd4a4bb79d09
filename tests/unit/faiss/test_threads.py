"""Readers wait for nobody and see whole states; writers go on while a graph is made."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from adology_faiss import Filter
from adology_faiss.generation import Tuning
from adology_faiss.graph import Graph
from adology_faiss.memory import FaissIndex
from adology_faiss.threads import ThreadedIndex
from tests.unit.faiss.brute import DIMENSIONS, SPACE, Brute, make_entry, vector_of

PUBLIC = Filter(owner=None)
QUERY = vector_of("query")
SMALL = Tuning(exact_rows=60, few=10, links=8, build_width=20)
WAIT_S = 20.0


def in_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` gives in another thread, which must not wait for this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work, *arguments).result(timeout=WAIT_S)


def filled(count: int = 100, tuning: Tuning = SMALL) -> FaissIndex:
    index = FaissIndex(SPACE, DIMENSIONS, tuning)
    index.upsert([make_entry(f"e{number}") for number in range(count)])
    return index


class Held:
    """A build of a graph that stops in the middle until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()


@contextmanager
def held_build(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held, build = Held(), Graph.build

    def slow(*arguments: Any, **named: Any) -> Graph:
        graph = build(*arguments, **named)
        held.begun.set()
        assert held.go_on.wait(WAIT_S)
        return graph

    monkeypatch.setattr(Graph, "build", slow)
    try:
        yield held
    finally:
        held.go_on.set()


def test_a_reader_does_not_wait_for_a_writer() -> None:
    index = filled()
    with index._writing, index._compacting:
        assert len(in_thread(index.search, QUERY, 5, PUBLIC)) == 5
        assert in_thread(index.count, PUBLIC) == 100
        assert in_thread(index.facets, "source", PUBLIC) == {"files": 100}


def test_what_a_reader_holds_does_not_change_under_it() -> None:
    index = filled()
    held = index._now
    index.remove([f"e{number}" for number in range(50)])
    index.upsert([make_entry(f"e{number}", sources=frozenset({"moved"})) for number in range(40, 200)])
    index.compact()
    assert held.passing(PUBLIC).count == 100
    assert held.passing(Filter(owner=None, sources=frozenset({"files"}))).count == 100
    assert held.passing(Filter(owner=None, sources=frozenset({"moved"}))).count == 0
    assert index.count(Filter(owner=None, sources=frozenset({"moved"}))) == 160


def test_writes_go_on_while_a_graph_is_made_and_are_in_it_or_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    index, brute = filled(), Brute(make_entry(f"e{number}") for number in range(100))
    with held_build(monkeypatch) as held, ThreadPoolExecutor(1) as pool:
        compaction = pool.submit(index.compact)
        assert held.begun.wait(WAIT_S)
        for turn in range(3):
            new = [make_entry(f"e{number}", vector_of(1000 + number)) for number in range(40 + turn, 140, 7)]
            gone = [f"e{number}" for number in range(turn, 140, 11)]
            index.upsert(new)
            brute.upsert(new)
            assert index.remove(gone) == brute.remove(gone)
            brute.check(index.search(QUERY, 200, PUBLIC), QUERY, 200, PUBLIC)
        held.go_on.set()
        assert compaction.result(WAIT_S)
    assert index._now.graph_size == 100
    assert set(index.ids()) == set(brute.entries)
    brute.check(index.search(QUERY, 200, PUBLIC), QUERY, 200, PUBLIC)
    assert index.remove(list(brute.entries)) == len(brute.entries), "ids lead to their rows in the new state"
    assert index.search(QUERY, 5, PUBLIC) == []


def test_a_build_that_fails_leaves_the_index_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    index = filled()

    def fail(*_: Any, **__: Any) -> Graph:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(Graph, "build", fail)
        with pytest.raises(MemoryError):
            index.compact()
    assert len(index.search(QUERY, 200, PUBLIC)) == 100
    assert index.compact()


def test_readers_see_each_write_whole_or_not_at_all() -> None:
    """Every write moves all entries of a group to one new source, and a reader may find one source alone."""
    index = FaissIndex(SPACE, DIMENSIONS, SMALL)
    group = [f"g{number}" for number in range(70)]
    index.upsert([make_entry(name, sources=frozenset({"s0"})) for name in group])
    index.upsert(
        [make_entry(f"secret{number}", QUERY, owner="org-b", sources=frozenset({"secret"})) for number in range(30)]
    )
    ended, which = threading.Event(), Filter(owner="org-a")

    def write() -> int:
        turns, deadline = 0, time.monotonic() + 1.0
        while time.monotonic() < deadline:
            turns += 1
            index.upsert([make_entry(name, sources=frozenset({f"s{turns}"})) for name in group])
            index.upsert([make_entry(f"secret{turns}", QUERY, owner="org-b")])
            index.remove([f"secret{turns}"])
        ended.set()
        return turns

    def compact() -> int:
        return sum(index.compact() for _ in iter(ended.is_set, True))

    def read() -> int:
        asked = 0
        while not ended.is_set():
            asked += 1
            (source, count), *rest = index.facets("source", which).items()
            assert (source[0], count, rest) == ("s", 70, [])
            found = index.search(QUERY, 100, which)
            assert {match.id for match in found} == set(group)
            for match in found[::10]:
                assert match.similarity == pytest.approx(float(vector_of(match.id) @ QUERY), abs=1e-5)
        return asked

    with ThreadPoolExecutor(4) as pool:
        works = [pool.submit(work) for work in (write, compact, read, read)]
        turns, compactions, *asked = [work.result(WAIT_S) for work in works]
    assert turns > 5
    assert compactions > 1
    assert min(asked) > 5


@pytest.mark.anyio
async def test_a_compaction_runs_behind_the_writes_and_its_error_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ThreadedIndex(FaissIndex(SPACE, DIMENSIONS, SMALL)) as index:
        with held_build(monkeypatch) as held:
            await index.upsert([make_entry(f"e{number}") for number in range(100)])
            assert await asyncio.to_thread(held.begun.wait, WAIT_S)
            await index.upsert([make_entry("new", QUERY)])
            assert (await index.search(QUERY, 1, PUBLIC))[0].id == "new"
        await index.settle()
        assert index.index._now.graph_size == 100
    index = ThreadedIndex(FaissIndex(SPACE, DIMENSIONS, SMALL))

    def fail(*_: Any, **__: Any) -> Graph:
        raise MemoryError("no room for the graph")

    with monkeypatch.context() as patched:
        patched.setattr(Graph, "build", fail)
        await index.upsert([make_entry(f"e{number}") for number in range(100)])
        with pytest.raises(MemoryError, match="no room for the graph"):
            await index.settle()
    await index.upsert([make_entry("new")])
    await index.settle()
    assert index.index._now.graph_size == 101
