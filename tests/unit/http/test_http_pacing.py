"""Pacing on a virtual clock: intervals, bursts, pauses, and giving up early."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from adology.errors import RetryLater
from adology.http import Pacer, Pacers
from tests.simulation.loop import run_virtual

T = TypeVar("T")


def now() -> float:
    return asyncio.get_running_loop().time()


def make(interval_s: float = 0.0, *, burst: int = 1, max_wait_s: float = 15.0) -> Pacer:
    pacer = Pacer(interval_s, max_wait_s=max_wait_s, clock=now, sleep=asyncio.sleep)
    pacer.burst = burst
    return pacer


async def turns(pacer: Pacer, count: int) -> list[float]:
    """When each of `count` callers that come at once got its turn; refused ones are left out."""
    went: list[float] = []

    async def call() -> None:
        await pacer.wait()
        went.append(now())

    results = await asyncio.gather(*(call() for _ in range(count)), return_exceptions=True)
    assert all(r is None or isinstance(r, RetryLater) for r in results)
    return went


def run(main: Coroutine[Any, Any, T]) -> T:
    return run_virtual(main)


def test_without_an_interval_nobody_waits() -> None:
    async def live() -> list[float]:
        return await turns(make(), 50)

    assert run(live()) == [0.0] * 50


def test_callers_are_spaced_by_the_interval_however_they_come() -> None:
    async def live() -> tuple[list[float], list[float]]:
        pacer = make(2.0)
        first = await turns(pacer, 3)
        await asyncio.sleep(0.5)
        return first, await turns(pacer, 2)

    assert run(live()) == ([0.0, 2.0, 4.0], [6.0, 8.0])


def test_a_burst_goes_out_at_once_and_the_long_run_rate_stays() -> None:
    async def live() -> tuple[list[float], list[float]]:
        pacer = make(1.0, burst=4)
        first = await turns(pacer, 7)
        await asyncio.sleep(100)
        return first, [at - now() for at in await turns(pacer, 4)]

    first, after_quiet = run(live())
    assert first == [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0]
    assert after_quiet == [0.0] * 4


def test_a_turn_too_far_away_is_refused_with_its_distance() -> None:
    async def live() -> tuple[list[float], RetryLater]:
        pacer = make(10.0)
        went = await turns(pacer, 2)
        await turns(pacer, 1)
        with pytest.raises(RetryLater, match="this credential's calls are spaced out") as caught:
            await asyncio.gather(*(pacer.wait() for _ in range(3)))
        return went, caught.value

    went, refused = run(live())
    assert went == [0.0, 10.0]
    assert refused.seconds == 20.0


def test_refused_callers_reserve_nothing() -> None:
    async def live() -> float:
        pacer = make(10.0)
        await turns(pacer, 2)
        for _ in range(20):
            await asyncio.gather(pacer.wait(), pacer.wait(), return_exceptions=True)
        started = now()
        await asyncio.sleep(5)
        with pytest.raises(RetryLater):
            await asyncio.gather(*(pacer.wait() for _ in range(3)))
        return now() - started

    assert run(live()) < 40


def test_a_pause_holds_everybody_and_the_longest_one_counts() -> None:
    async def live() -> tuple[list[float], float]:
        pacer = make(1.0)
        pacer.pause(8.0, "429")
        pacer.pause(3.0, "shorter")
        left = pacer.paused_s
        return await turns(pacer, 2), left

    assert run(live()) == ([8.0, 9.0], 8.0)


def test_a_long_pause_is_refused_with_the_reason() -> None:
    async def live() -> None:
        pacer = make()
        pacer.pause(600.0, "the vendor answered 429")
        await pacer.wait()

    with pytest.raises(RetryLater, match="the vendor answered 429") as caught:
        run(live())
    assert caught.value.seconds == 600.0


def test_those_who_sleep_when_a_pause_comes_are_spaced_again_after_it() -> None:
    """GIVEN callers that wait for their turns WHEN a pause comes up THEN they do not all go when it ends."""

    async def live() -> list[float]:
        pacer = make(1.0)
        waiting = asyncio.create_task(turns(pacer, 5))
        await asyncio.sleep(0.5)
        pacer.pause(6.0, "429")
        return await waiting

    went = run(live())
    assert went[0] == 0.0
    assert all(at >= 6.5 for at in went[1:])
    assert [round(b - a, 6) for a, b in itertools.pairwise(went[1:])] == [1.0, 1.0, 1.0]


def test_those_who_sleep_are_sent_away_when_the_pause_is_long() -> None:
    async def live() -> list[float]:
        pacer = make(1.0)
        waiting = asyncio.create_task(turns(pacer, 5))
        await asyncio.sleep(0.5)
        pacer.pause(600.0, "429")
        went = await waiting
        assert now() < 10
        return went

    assert run(live()) == [0.0]


def test_the_reason_of_a_pause_that_is_over_is_not_given_again() -> None:
    async def live() -> None:
        pacer = make(10.0)
        pacer.pause(1.0, "429")
        await pacer.wait()
        await asyncio.gather(*(pacer.wait() for _ in range(3)))

    with pytest.raises(RetryLater, match="spaced out"):
        run(live())


def test_credentials_do_not_share_their_pacing() -> None:
    async def live() -> tuple[float, float]:
        pacers = Pacers(now)
        pacers.get("a", interval_s=5.0, burst=2).pause(10.0, "429")
        assert pacers.get("a") is pacers.get("a", burst=1)
        assert (pacers.get("a").interval_s, pacers.get("a").burst) == (5.0, 1)
        await pacers.get("b").wait()
        first = now()
        await pacers.get("a").wait()
        return first, now()

    assert run(live()) == (0.0, 10.0)
