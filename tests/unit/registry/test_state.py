"""What the histories of the state machine do not look at: words, ages, memory."""

from __future__ import annotations

import gc
import os
import tracemalloc

import pytest

from adology.abc.sink import ItemResult
from adology.registry_client.protocol import BrandActiveError, CommitLeaseLostError, StaleBatchError, UnknownBrandError
from adology_registry.errors import RegistryFullError
from adology_registry.state import ActiveBrands, Held


class Clock:
    def __init__(self) -> None:
        self.now = 500.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(clock: Clock) -> ActiveBrands:
    tokens = iter(f"token-{n}" for n in range(1000))
    return ActiveBrands(lease_s=60.0, max_held_bytes=100_000, clock=clock, new_token=lambda: next(tokens))


def held(url: str, **fields: object) -> Held:
    return Held.of(ItemResult(url=url, **fields))  # type: ignore[arg-type]  # fields of ItemResult, as they come


def test_the_first_starts_count_stays_in_force(registry: ActiveBrands) -> None:
    registry.start("nike", 2, "b")
    assert registry.start("nike", 5, "b").expected_count == 2


def test_ages_are_those_of_the_injected_clock(registry: ActiveBrands, clock: Clock) -> None:
    registry.start("nike", 2, "b")
    clock.now += 5
    registry.submit("nike", [held("a")])
    clock.now += 3
    # Asking again is not progress: whoever looks for stalled batches must still find this one.
    registry.start("nike", 2, "b")
    progress = registry.progress("nike")
    assert (progress.age_s, progress.idle_s) == (8.0, 3.0)


def test_a_lease_lives_as_long_as_it_is_renewed(registry: ActiveBrands, clock: Clock) -> None:
    token = registry.start("nike", 0, "b").lease_token
    for _ in range(5):
        clock.now += 59
        registry.renew("nike", token)
        assert not registry.start("nike", 0, "b").should_commit
    clock.now += 60
    assert registry.start("nike", 0, "b").should_commit
    assert registry.totals.expired == 1
    assert registry.totals.granted == 2


def test_a_committer_whose_lease_ran_out_may_still_report_while_nobody_else_has_won(
    registry: ActiveBrands, clock: Clock
) -> None:
    token = registry.start("nike", 0, "b").lease_token
    clock.now += 1000
    assert registry.complete("nike", "b", token)


def test_a_committer_that_was_replaced_may_not_report(registry: ActiveBrands, clock: Clock) -> None:
    token = registry.start("nike", 0, "b").lease_token
    clock.now += 60
    registry.start("nike", 0, "b")
    with pytest.raises(CommitLeaseLostError, match=r"'nike', batch b.*a live one has 60\.0 s left.*without committing"):
        registry.complete("nike", "b", token)


def test_an_empty_token_releases_nothing(registry: ActiveBrands) -> None:
    registry.start("nike", 1, "b")
    with pytest.raises(CommitLeaseLostError, match="none is live"):
        registry.release("nike", "")


def test_refusals_say_what_was_seen_and_what_to_do(registry: ActiveBrands) -> None:
    with pytest.raises(UnknownBrandError, match=r"'nike' has no active batch: .*POST /start"):
        registry.submit("nike", [])
    registry.start("nike", 3, "b1")
    with pytest.raises(BrandActiveError, match=r"batch b1 of 3 URLs \(0 received\); batch b2 cannot start\..*complete"):
        registry.start("nike", 3, "b2")
    with pytest.raises(BrandActiveError, match="a batch of 4 URLs cannot start"):
        registry.start("nike", 4)
    with pytest.raises(StaleBatchError, match="with batch b1, not with batch b0"):
        registry.results("nike", "b0")


def test_what_does_not_fit_is_refused_whole_and_what_was_counted_stays(registry: ActiveBrands) -> None:
    registry.start("nike", 9, "b")
    registry.submit("nike", [held("a", metadata={"x": "1" * 1000})])
    before = registry.held_bytes
    with pytest.raises(RegistryFullError, match=r"registry\.max_held_bytes = 100000.*nothing was lost"):
        registry.submit("nike", [held("b"), held("a", metadata={"x": "2" * 100_000})])
    assert registry.held_bytes == before
    assert [one.url for one in registry.results("nike")] == ["a"]
    assert b"1111" in registry.results("nike")[0].data


def test_a_smaller_replacement_is_taken_even_when_the_memory_is_full(registry: ActiveBrands) -> None:
    registry.start("nike", 9, "b")
    registry.submit("nike", [held("a", metadata={"x": "1" * 90_000})])
    registry.max_held_bytes = registry.held_bytes - 1
    registry.submit("nike", [held("a")])
    assert registry.held_bytes < 10_000


def test_pages_follow_each_other_without_gap_or_overlap(registry: ActiveBrands) -> None:
    names = sorted(f"brand-{n}" for n in range(23))
    for name in names:
        registry.start(name, 1, "b")
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page, after = registry.page(after, 5)
        seen += [one.brand for one in page]
    assert seen == names


def test_held_bytes_is_what_the_memory_really_takes() -> None:
    registry = ActiveBrands(lease_s=60.0, max_held_bytes=2**30)
    embedding = os.urandom(512 * 4)
    registry.start("nike", 10**6, "b")
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for n in range(4000):
            registry.submit("nike", [held(f"https://cdn.example/{n:08}.jpg", embedding=embedding, s3_path="s3://b/k")])
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert registry.held_bytes == pytest.approx(after - before, rel=0.1)
