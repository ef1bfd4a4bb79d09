"""Time that work spends waiting its turn is not counted."""

from __future__ import annotations

import asyncio

import pytest

from adology.aio import Limit
from tests.simulation.loop import run_virtual


def test_work_ends_after_its_time() -> None:
    limit = Limit(10)

    async def work() -> None:
        async with limit:
            await asyncio.sleep(4)
            assert limit.left() == pytest.approx(6)
            await asyncio.sleep(7)

    with pytest.raises(TimeoutError):
        run_virtual(work())
    assert limit.expired


def test_the_clock_stands_still_in_a_pause_and_until_it_is_ended() -> None:
    async def story() -> None:
        async with Limit(10) as limit:
            with limit.pause():
                await asyncio.sleep(1000)
                assert limit.left() == pytest.approx(10)
            await asyncio.sleep(3)
            with limit.pause() as end:
                await asyncio.sleep(1000)
                end()
                await asyncio.sleep(3)
                assert limit.left() == pytest.approx(4)
            assert limit.left() == pytest.approx(4)
            with limit.pause(), limit.pause() as end:
                end()
                await asyncio.sleep(1000)
            assert limit.left() == pytest.approx(4)

    run_virtual(story())


def test_after_a_pause_the_rest_of_the_time_counts() -> None:
    limit = Limit(2)

    async def work() -> None:
        async with limit:
            with limit.pause() as end:
                end()
                await asyncio.sleep(3)

    with pytest.raises(TimeoutError):
        run_virtual(work())
    assert limit.expired


def test_somebody_elses_timeout_is_not_taken_for_its_own() -> None:
    limit = Limit(10)

    async def work() -> None:
        async with limit:
            raise TimeoutError("of the vendor")

    with pytest.raises(TimeoutError, match="of the vendor"):
        run_virtual(work())
    assert not limit.expired
