"""The same by looking at every entry: what an index must agree with, and entries to put into it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from adology_faiss import Entry, Facet, Filter, Match, Vector

SPACE = "made-up/1/16/f32"
DIMENSIONS = 16
DAY = date(2026, 11, 1)
OWNERS = (None, "org-a", "org-b")
BRANDS = ("nike", "adidas", "Ünïted 中")
SOURCES = ("files", "facebook")
LABELS = ("sale", "shoes", "it's 50%")


def unit(numbers: Any) -> Vector:
    """The direction of some numbers."""
    exact = np.asarray(numbers, np.float64)
    return (exact / np.linalg.norm(exact)).astype(np.float32)


def vector_of(seed: int | str, dimensions: int = DIMENSIONS) -> Vector:
    """Always the same for the same seed."""
    number = seed if isinstance(seed, int) else int.from_bytes(seed.encode())
    return unit(np.random.default_rng(number).standard_normal(dimensions))


def make_entry(name: str, vector: Vector | None = None, **changes: Any) -> Entry:
    """A public entry of no brand."""
    fields = {
        "owner": None,
        "sources": frozenset({"files"}),
        "first_seen": DAY,
        "last_seen": DAY + timedelta(days=10),
        **changes,
    }
    return Entry(id=name, vector=vector_of(name) if vector is None else vector, **fields)


def random_entry(random: np.random.Generator, name: str) -> Entry:
    """Anything."""
    first = DAY + timedelta(days=int(random.integers(40)))
    return make_entry(
        name,
        unit(random.standard_normal(DIMENSIONS)),
        owner=OWNERS[random.integers(3)],
        brands=_some(random, BRANDS),
        sources=_some(random, SOURCES),
        first_seen=first,
        last_seen=first + timedelta(days=int(random.integers(20))),
        labels=_some(random, LABELS),
    )


def random_filter(random: np.random.Generator) -> Filter:
    """Anything, most conditions left out."""
    first = DAY + timedelta(days=int(random.integers(50)))
    fields: dict[str, Any] = {
        "brands": _some(random, BRANDS),
        "sources": _some(random, SOURCES),
        "labels_any": _some(random, LABELS),
        "labels_all": _some(random, LABELS),
        "seen_from": first,
        "seen_to": first + timedelta(days=int(random.integers(20))),
    }
    asked = {name: value for name, value in fields.items() if random.random() < 0.3}
    return Filter(owner=(*OWNERS, "org-new")[random.integers(4)], **asked)


def _some(random: np.random.Generator, names: Sequence[str]) -> frozenset[str]:
    return frozenset(name for name in names if random.random() < 0.4)


def is_visible(entry: Entry, owner: str | None) -> bool:
    """The rule that nothing may break."""
    return entry.owner is None or entry.owner == owner


class Brute:
    """An index without any cleverness."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries: dict[str, Entry] = {}
        self.upsert(entries)

    def upsert(self, entries: Iterable[Entry]) -> None:
        self.entries.update((entry.id, entry) for entry in entries)

    def remove(self, ids: Iterable[str]) -> int:
        return sum(self.entries.pop(name, None) is not None for name in ids)

    def passing(self, which: Filter) -> list[Entry]:
        return [entry for entry in self.entries.values() if _passes(entry, which)]

    def similarity(self, name: str, query: Vector) -> float:
        return float(np.dot(self.entries[name].vector.astype(np.float64), query.astype(np.float64)))

    def search(self, query: Vector, k: int, which: Filter) -> list[Match]:
        found = [Match(entry.id, self.similarity(entry.id, query)) for entry in self.passing(which)]
        return sorted(found, key=lambda match: (-match.similarity, match.id))[:k]

    def count(self, which: Filter) -> int:
        return len(self.passing(which))

    def facets(self, by: Facet, which: Filter) -> dict[str, int]:
        return dict(Counter(name for entry in self.passing(which) for name in _names(entry, by)))

    def check(self, found: Sequence[Match], query: Vector, k: int, which: Filter, *, exact: bool = True) -> None:
        """That an index's answer is right: the best ones if `exact`, else any that pass."""
        best = self.search(query, k, which)
        assert len(found) == len(best)
        assert len({match.id for match in found}) == len(found)
        assert {match.id for match in found} <= {entry.id for entry in self.passing(which)}
        assert list(found) == sorted(found, key=lambda match: (-match.similarity, match.id))
        for match, expected in zip(found, best, strict=True):
            assert abs(match.similarity - self.similarity(match.id, query)) < 1e-5
            if exact:
                # Ids may differ where two are equally alike but for rounding.
                assert abs(match.similarity - expected.similarity) < 1e-5


def _names(entry: Entry, by: Facet) -> Iterable[str]:
    return {"brand": entry.brands, "label": entry.labels, "source": entry.sources}[by]


def _passes(entry: Entry, which: Filter) -> bool:
    return (
        is_visible(entry, which.owner)
        and (not which.brands or bool(which.brands & entry.brands))
        and (not which.sources or not which.sources.isdisjoint(entry.sources))
        and (not which.labels_any or bool(which.labels_any & entry.labels))
        and which.labels_all <= entry.labels
        and (which.seen_from is None or entry.last_seen >= which.seen_from)
        and (which.seen_to is None or entry.first_seen <= which.seen_to)
    )
