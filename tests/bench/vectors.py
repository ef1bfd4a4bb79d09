"""Queries per second of the indexes of vectors beside bare FAISS, and how many of the nearest they find.

Bare FAISS gets the same vectors, in an index with the same settings, and no filter to mind: what an
index of ours does for one question beyond that (the filter, ids, checks) is what the ratio shows.
Vectors come in groups, as embeddings do, and every one asked for lies near one that is there.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import faiss as untyped_faiss
import msgspec
import numpy as np
from numpy.typing import NDArray

from adology.store import Database
from adology_faiss import Entry, Filter, Match, Vector
from adology_faiss.generation import Tuning
from adology_faiss.memory import FaissIndex
from adology_faiss.postgres import PgvectorIndex
from adology_faiss.tables import create_tables
from adology_faiss.threads import ThreadedIndex
from tests.bench.lab import BenchError, Lab
from tests.bench.model import Goal, Line, Size, ratios

faiss: Any = untyped_faiss
"""Its stubs lack half of what is used here."""

GROUP = "vectors"
SPACE, DIMENSIONS = "made-up/1/384/f32", 384
PER_AD = 10
K = 10
QUERIES, FEW_QUERIES = 200, 40
FEW = 10_000
"""Up to so many entries it is only to see that it runs."""
BLOCK = 20
DAY = date(2026, 11, 1)
PUBLIC = Filter(owner=None)
SHARES = {"1%": 100, "10%": 10, "50%": 2}
FILTERS = {name: Filter(owner=None, labels_any=frozenset({name})) for name in SHARES}
FAST = Goal(sense="at least", limit=0.9)
RIGHT = Goal(sense="at least", limit=0.99)

Vectors = NDArray[np.float32]
Ask = Callable[[Vector], Any]
Rates = dict[str, list[float]]


class Data(msgspec.Struct, frozen=True):
    """Entries, their vectors, and what is asked for."""

    entries: list[Entry]
    vectors: Vectors
    queries: Vectors

    @classmethod
    def make(cls, count: int) -> Data:
        """`count` entries."""
        random = np.random.default_rng(1)
        centres = random.standard_normal((max(1, count // 50), DIMENSIONS))
        vectors = centres[random.integers(len(centres), size=count)] + 0.8 * random.standard_normal((count, DIMENSIONS))
        near = vectors[random.integers(count, size=FEW_QUERIES if count < FEW else QUERIES)]
        queries = near + 0.4 * random.standard_normal(near.shape)
        units = _units(vectors)
        return cls([_entry(number, units[number]) for number in range(count)], units, _units(queries))

    def nearest(self, step: int = 1) -> list[set[str]]:
        """For each query the ids of the nearest among every `step`-th."""
        _, found = faiss.knn(self.queries, self.vectors[::step], K, metric=faiss.METRIC_INNER_PRODUCT)
        return [{str(row * step) for row in rows} for rows in found.tolist()]


async def measure_vectors(lab: Lab, size: Size) -> list[Line]:
    """Lines of this group."""
    data = Data.make(size.ads * PER_AD)
    few = Data.make(min(len(data.entries), Tuning().exact_rows))
    return [
        *_exact(few, size.reps),
        *await _graph(lab, data, size.reps),
        *await _pgvector(lab, data),
    ]


def _exact(data: Data, reps: int) -> list[Line]:
    index = FaissIndex(SPACE, DIMENSIONS, Tuning(exact_rows=len(data.entries)))
    index.upsert(data.entries)
    bare = faiss.IndexFlatIP(DIMENSIONS)
    bare.add(data.vectors)
    asks: dict[str, Ask] = {
        "bare": lambda query: bare.search(query[np.newaxis], K),
        "ours": lambda query: index.search(query, K, PUBLIC),
    }
    rates = _rates(asks, data, reps)
    if _recall([index.search(query, K, PUBLIC) for query in data.queries], data.nearest()) < RIGHT.limit:
        raise BenchError("exact search does not find the nearest")
    what = f"{len(data.entries):,} entries, exact"
    return _compared(what, "IndexFlatIP", rates)


async def _graph(lab: Lab, data: Data, reps: int) -> list[Line]:
    tuning = Tuning(exact_rows=0)
    index = FaissIndex(SPACE, DIMENSIONS, tuning)
    index.upsert(data.entries)
    began = time.monotonic()
    index.compact()
    built_s = time.monotonic() - began
    bare = faiss.IndexHNSWFlat(DIMENSIONS, tuning.links, faiss.METRIC_INNER_PRODUCT)
    bare.hnsw.efConstruction, bare.hnsw.efSearch = tuning.build_width, tuning.search_width
    bare.add(data.vectors)
    asks: dict[str, Ask] = {
        "bare": lambda query: bare.search(query[np.newaxis], K),
        "ours": lambda query: index.search(query, K, PUBLIC),
        **{name: _asking(index, which) for name, which in FILTERS.items()},
    }
    rates = _rates(asks, data, reps, rounds=5)
    count = len(data.entries)
    what = f"{count:,} entries, graph"
    bare_found = [[str(row) for row in bare.search(query[np.newaxis], K)[1][0]] for query in data.queries]
    lines = [
        *_compared(what, "IndexHNSWFlat", rates),
        _line(f"{what}: recall@{K} of bare FAISS", "", _share(bare_found, data.nearest())),
        _line(f"{what}: recall@{K}", "", _recall([asks["ours"](query) for query in data.queries], data.nearest())),
    ]
    for name, step in SHARES.items():
        found = [asks[name](query) for query in data.queries]
        plain = _selected(bare, data, step, tuning.search_width)
        lines += [
            Line(group=GROUP, what=f"{what}, filter {name}", unit="queries/s", samples=tuple(rates[name])),
            _line(f"{what}, filter {name}: recall@{K}", "", _recall(found, data.nearest(step)), goal=RIGHT,
                  note=f"bare HNSW with a selector {_share(plain, data.nearest(step)):.2f}"),
        ]  # fmt: skip
    lines += [
        _line(f"{what}: a filter that is new to it", "ms", _filter_ms(index)),
        _line(f"{what}: building it", "s", built_s),
    ]
    async with ThreadedIndex(index) as threaded:
        lines += await _live("in memory", threaded, data)
    return [*lines, *await _memory(lab, index, count)]


async def _memory(lab: Lab, index: FaissIndex, count: int) -> list[Line]:
    """Of a process that loads the snapshot."""
    path = lab.new_folder("vectors") / "snapshot"
    began = time.monotonic()
    index.snapshot(path)
    written_s = time.monotonic() - began
    arguments = [str(path), SPACE, str(DIMENSIONS)]
    async with lab.module("tests.bench.vector_memory", arguments, "loaded") as (_, line):
        held, rss, seconds = json.loads(line.removeprefix("loaded "))
    if held != len(index):
        raise BenchError(f"{held} of {len(index)} entries came back from the snapshot")
    counted = sum(index.memory().values()) / count
    note = f"the numbers {DIMENSIONS * 4}, its links and attributes {counted - DIMENSIONS * 4:.0f}; the rest texts"
    return [
        _line("memory per entry, of a process that loads it", "bytes", rss / count, note=note),
        _line("snapshot: writing it", "s", written_s, note=f"{path.stat().st_size / 2**20:.0f} MiB"),
        _line("snapshot: loading it", "s", seconds),
    ]


async def _pgvector(lab: Lab, data: Data) -> list[Line]:
    """Once: the server's cache is warm after the first query of each kind."""
    async with _table(lab) as index:
        began = time.monotonic()
        for start in range(0, len(data.entries), 5000):
            await index.upsert(data.entries[start : start + 5000])
        filled_s = time.monotonic() - began
        began = time.monotonic()
        await index.create_hnsw()
        lines = [
            _line("pgvector: rows written", "rows/s", len(data.entries) / filled_s),
            _line("pgvector: building HNSW", "s", time.monotonic() - began),
        ]
        for name, which in {"no filter": PUBLIC, **FILTERS}.items():
            await index.search(data.queries[0], K, which)
            began = time.monotonic()
            found = [await index.search(query, K, which) for query in data.queries]
            rate = len(data.queries) / (time.monotonic() - began)
            right = _recall(found, data.nearest(SHARES.get(name, 1)))
            lines.append(_line(f"pgvector: {name}", "queries/s", rate, note=f"recall@{K} {right:.3f}"))
        return [*lines, *await _live("pgvector", index, data)]


@asynccontextmanager
async def _table(lab: Lab) -> AsyncIterator[PgvectorIndex]:
    with lab.database() as settings:
        async with Database(settings.postgres) as database:
            async with database.connection("create tables") as connection:
                await create_tables(connection)
            yield await PgvectorIndex.create(database, SPACE, DIMENSIONS)


async def _live(name: str, index: ThreadedIndex | PgvectorIndex, data: Data) -> list[Line]:
    """How long until what is written can be found, asked by the event loop."""
    samples = []
    for number, query in enumerate(data.queries[:20]):
        began = time.monotonic()
        await index.upsert([_entry(-1 - number, query)])
        found = await index.search(query, 1, PUBLIC)
        samples.append((time.monotonic() - began) * 1000)
        if found[0].id != str(-1 - number):
            raise BenchError(f"{name}: an entry that was written is not found")
    await index.remove([str(-1 - number) for number in range(20)])
    return [Line(group=GROUP, what=f"{name}: from write to found", unit="ms", samples=tuple(samples))]


def _rates(asks: dict[str, Ask], data: Data, reps: int, *, rounds: int = 1) -> Rates:
    """Queries per second, the sides in turn every few queries: what disturbs one disturbs all."""
    rates: Rates = {name: [] for name in asks}
    for rep in range(reps):
        used = dict.fromkeys(asks, 0.0)
        for start in list(range(0, len(data.queries), BLOCK)) * rounds:
            block = data.queries[start : start + BLOCK]
            for name in list(asks) if rep % 2 == 0 else reversed(asks):
                ask = asks[name]
                began = time.perf_counter()
                for query in block:
                    ask(query)
                used[name] += time.perf_counter() - began
        for name, seconds in used.items():
            rates[name].append(len(data.queries) * rounds / seconds)
    return rates


def _asking(index: FaissIndex, which: Filter) -> Ask:
    return lambda query: index.search(query, K, which)


def _filter_ms(index: FaissIndex) -> float:
    """To find out what passes; that is remembered for a few filters until the next write."""
    filters = [Filter(owner="org", brands=frozenset({f"brand-{number}"}), seen_from=DAY) for number in range(20)]
    began = time.perf_counter()
    for which in filters:
        index.count(which)
    return (time.perf_counter() - began) * 1000 / len(filters)


def _compared(what: str, bare: str, rates: Rates) -> list[Line]:
    ours, base = tuple(rates["ours"]), tuple(rates["bare"])
    return [
        Line(group=GROUP, what=f"{what}: bare {bare}", unit="queries/s", samples=base),
        Line(group=GROUP, what=f"{what}: adology_faiss", unit="queries/s", samples=ours),
        Line(group=GROUP, what=f"{what}: ours / bare", unit="of its rate", samples=ratios(ours, base), goal=FAST),
    ]


def _selected(bare: Any, data: Data, step: int, width: int) -> list[list[str]]:
    """What bare HNSW finds when it may only give every `step`-th."""
    mask = np.zeros(len(data.vectors), np.bool_)
    mask[::step] = True
    bits = np.packbits(mask, bitorder="little")
    selector = faiss.IDSelectorBitmap(len(mask), faiss.swig_ptr(bits))
    parameters = faiss.SearchParametersHNSW(efSearch=width, sel=selector)
    found = (bare.search(query[np.newaxis], K, params=parameters)[1][0] for query in data.queries)
    return [[str(row) for row in rows] for rows in found]


def _recall(found: list[list[Match]], nearest: list[set[str]]) -> float:
    return _share([[match.id for match in matches] for matches in found], nearest)


def _share(found: list[list[str]], nearest: list[set[str]]) -> float:
    hits = sum(len(set(ids) & best) for ids, best in zip(found, nearest, strict=True))
    return hits / sum(map(len, nearest))


def _line(what: str, unit: str, value: float, *, goal: Goal | None = None, note: str = "") -> Line:
    return Line(group=GROUP, what=what, unit=unit, samples=(value,), goal=goal, note=note)


def _entry(number: int, vector: Vector) -> Entry:
    labels = frozenset(name for name, step in SHARES.items() if number % step == 0)
    return Entry(
        id=str(number), vector=vector, owner=None, brands=frozenset({f"brand-{number % 50}"}),
        sources=frozenset({"files"}), first_seen=DAY, last_seen=DAY, labels=labels,
    )  # fmt: skip


def _units(vectors: NDArray[np.float64]) -> Vectors:
    units: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return units
