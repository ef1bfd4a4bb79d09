"""What every index of vectors promises. A module derives a class and gives the fixture `index`."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import numpy as np
import pytest

from adology_faiss import Filter, Vector, VectorIndex, VectorIndexError, VectorRefusedError
from tests.unit.faiss.brute import (
    DAY,
    DIMENSIONS,
    OWNERS,
    SPACE,
    Brute,
    is_visible,
    make_entry,
    random_entry,
    random_filter,
    unit,
    vector_of,
)

PUBLIC = Filter(owner=None)
A = Filter(owner="org-a")
QUERY = vector_of("query")


def axis(number: int, other: float = 0.0) -> Vector:
    """A vector along one axis, leaning towards the next by `other`."""
    numbers = np.zeros(DIMENSIONS)
    numbers[number], numbers[(number + 1) % DIMENSIONS] = 1.0, other
    return unit(numbers)


async def found_by(index: VectorIndex, query: Vector, k: int = 5) -> dict[str, float]:
    """Similarities by id, of what is public."""
    return dict(await index.search(query, k, PUBLIC))


class IndexConformance:
    """An empty index of the space `SPACE` is given by the fixture `index`."""

    async def test_it_says_which_space_it_is_of(self, index: VectorIndex) -> None:
        assert (index.space, index.dimensions) == (SPACE, DIMENSIONS)

    async def test_an_empty_index_gives_empty_answers(self, index: VectorIndex) -> None:
        assert await index.search(QUERY, 5, PUBLIC) == []
        assert await index.count(PUBLIC) == 0
        assert await index.facets("brand", PUBLIC) == {}
        assert await index.remove(["nobody"]) == 0
        await index.upsert([])

    async def test_the_most_alike_come_first_with_their_cosine(self, index: VectorIndex) -> None:
        await index.upsert([make_entry("far", axis(1)), make_entry("same", axis(0)), make_entry("near", axis(0, 0.5))])
        found = await index.search(axis(0), 10, PUBLIC)
        assert [match.id for match in found] == ["same", "near", "far"]
        assert [match.similarity for match in found] == pytest.approx([1.0, 1 / 1.25**0.5, 0.0], abs=1e-6)
        assert await found_by(index, -axis(0), 1) == {"far": pytest.approx(0.0, abs=1e-6)}
        assert len(await index.search(axis(0), 2, PUBLIC)) == 2

    async def test_no_similarity_is_above_one(self, index: VectorIndex) -> None:
        long = (QUERY * 1.0009).astype(np.float32)
        await index.upsert([make_entry("a", long)])
        assert await index.search(long, 1, PUBLIC) == [("a", 1.0)]

    async def test_equally_alike_ones_come_in_the_order_of_their_ids(self, index: VectorIndex) -> None:
        await index.upsert([make_entry(name, QUERY) for name in "cabd"])
        assert [match.id for match in await index.search(QUERY, 10, PUBLIC)] == list("abcd")

    async def test_an_upsert_takes_the_place_of_what_was_there(self, index: VectorIndex) -> None:
        await index.upsert([make_entry("a", axis(0), brands=frozenset({"nike"}), owner="org-a")])
        await index.upsert([make_entry("a", axis(5)), make_entry("a", axis(3), labels=frozenset({"sale"}))])
        assert await found_by(index, axis(3)) == {"a": pytest.approx(1.0)}
        assert await index.facets("brand", A) == {}
        assert await index.facets("label", A) == {"sale": 1}

    async def test_what_was_removed_is_found_no_more(self, index: VectorIndex) -> None:
        await index.upsert([make_entry(name) for name in "abc"])
        assert await index.remove(["a", "a", "nobody", "c"]) == 2
        assert [match.id for match in await index.search(QUERY, 5, PUBLIC)] == ["b"]
        assert await index.count(PUBLIC) == 1
        await index.upsert([make_entry("a")])
        assert await index.count(PUBLIC) == 2

    @pytest.mark.parametrize(
        ("vector", "problem"),
        [
            (vector_of(1, 8), r"must have 16 dimensions; seen: shape \(8,\)"),
            (vector_of(1).reshape(1, -1), r"seen: shape \(1, 16\)"),
            (np.full(DIMENSIONS, np.nan, np.float32), "not finite"),
            (np.full(DIMENSIONS, np.inf, np.float32), "not finite"),
            (np.zeros(DIMENSIONS, np.float32), "length must be 1 within 0.001; seen: 0"),
            ((QUERY * 1.01).astype(np.float32), r"length must be 1 within 0.001; seen: 1\.01"),
            (QUERY.astype(np.float64), "array of float32; seen: float64"),
            ([1.0], "array of float32; seen: list"),
        ],
    )
    async def test_a_vector_that_is_not_of_the_space_is_refused(
        self, index: VectorIndex, vector: Vector, problem: str
    ) -> None:
        with pytest.raises(VectorRefusedError, match=f"the query does not belong to the space '{SPACE}': .*{problem}"):
            await index.search(vector, 1, PUBLIC)
        with pytest.raises(VectorRefusedError, match=f"entry 'bad' does not belong .*{problem}"):
            await index.upsert([make_entry("good"), make_entry("bad", vector)])
        assert await index.count(PUBLIC) == 0, "all or none"

    @pytest.mark.parametrize("k", [0, -1, 10_001])
    async def test_k_out_of_range_is_refused(self, index: VectorIndex, k: int) -> None:
        with pytest.raises(VectorIndexError, match=f"k must be 1 to 10000; seen: {k}"):
            await index.search(QUERY, k, PUBLIC)

    async def test_vectors_need_not_lie_in_one_piece(self, index: VectorIndex) -> None:
        strided = np.repeat(QUERY, 2)[::2]
        assert not strided.flags.c_contiguous
        await index.upsert([make_entry("a", strided)])
        assert await found_by(index, strided) == {"a": pytest.approx(1.0)}

    async def test_days_are_those_of_an_overlap_both_ends_included(self, index: VectorIndex) -> None:
        await index.upsert([make_entry("a", first_seen=DAY, last_seen=DAY + timedelta(days=2))])

        async def found(start: int | None, end: int | None) -> bool:
            days = [None if each is None else DAY + timedelta(days=each) for each in (start, end)]
            return bool(await index.search(QUERY, 1, Filter(owner=None, seen_from=days[0], seen_to=days[1])))

        assert [await found(*ends) for ends in [(2, None), (None, 0), (1, 1), (-5, 9)]] == [True] * 4
        assert [await found(*ends) for ends in [(3, None), (None, -1), (3, 9), (-5, -1)]] == [False] * 4

    async def test_every_answer_agrees_with_looking_at_every_entry(self, index: VectorIndex) -> None:
        random = np.random.default_rng(7)
        brute = Brute()
        for _ in range(3):
            entries = [random_entry(random, f"e{random.integers(300)}") for _ in range(150)]
            gone = [f"e{random.integers(300)}" for _ in range(30)]
            await index.upsert(entries)
            brute.upsert(entries)
            assert await index.remove(gone) == brute.remove(gone)
            for _ in range(25):
                which, query, k = random_filter(random), unit(random.standard_normal(DIMENSIONS)), 8
                brute.check(await index.search(query, k, which), query, k, which)
                assert await index.count(which) == brute.count(which)
                for by in ("brand", "source", "label"):
                    assert await index.facets(by, which) == brute.facets(by, which)

    async def test_private_entries_leave_no_trace_in_what_others_are_told(self, index: VectorIndex) -> None:
        random = np.random.default_rng(11)
        entries = [random_entry(random, f"e{number}") for number in range(300)]
        await index.upsert(entries)
        for owner in (*OWNERS, "org-new", "org"):
            alone = Brute(entry for entry in entries if is_visible(entry, owner))
            which = Filter(owner=owner)
            assert await index.count(which) == len(alone.entries)
            for by in ("brand", "source", "label"):
                assert await index.facets(by, which) == alone.facets(by, which)
            for entry in entries[::10]:
                found = await index.search(entry.vector, 10_000, which)
                assert {match.id for match in found} == set(alone.entries)

    async def test_an_entry_that_becomes_private_is_gone_for_others_at_once(self, index: VectorIndex) -> None:
        await index.upsert([make_entry("a", labels=frozenset({"secret"}))])
        assert await index.count(PUBLIC) == 1
        await index.upsert([make_entry("a", owner="org-a", labels=frozenset({"secret"}))])
        for which in (PUBLIC, Filter(owner="org-b"), Filter(owner="org-b", labels_all=frozenset({"secret"}))):
            assert (await index.search(QUERY, 5, which), await index.count(which)) == ([], 0)
            assert await index.facets("label", which) == {}
        assert await index.count(A) == 1

    async def test_names_are_data_whatever_they_hold(self, index: VectorIndex) -> None:
        odd = "a'b\"c\\{},%s $1\n中"
        one = frozenset({odd})
        await index.upsert([make_entry(odd, owner=odd, brands=one, sources=one, labels=frozenset({odd, "null", "{}"}))])
        which = Filter(owner=odd, brands=one, sources=one, labels_any=one, labels_all=frozenset({odd, "null", "{}"}))
        assert [match.id for match in await index.search(QUERY, 5, which)] == [odd]
        assert await index.facets("label", which) == {odd: 1, "null": 1, "{}": 1}

    async def test_many_may_write_and_ask_at_once(self, index: VectorIndex) -> None:
        ids = [f"e{number}" for number in range(40)]

        async def write(shift: int) -> None:
            for start in range(0, 40, 8):
                await index.upsert([make_entry(ids[(start + shift + n) % 40]) for n in range(16)])
                await index.remove(ids[start : start + 2])
            await index.upsert([make_entry(name) for name in ids])

        async def ask() -> None:
            for _ in range(10):
                for match in await index.search(QUERY, 50, PUBLIC):
                    assert match.similarity == pytest.approx(float(vector_of(match.id) @ QUERY), abs=1e-5)

        await asyncio.gather(*(write(shift) for shift in (0, 13, 29)), ask(), ask())
        assert await index.count(PUBLIC) == 40
