"""`every`: an action beside a block, whose failure ends the block, and no other cancellation is eaten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from adology.aio import every
from tests.simulation.loop import run_virtual


class Ticks:
    def __init__(self, fail_at: int = 0, takes_s: float = 0.0) -> None:
        self.times: list[float] = []
        self._fail_at = fail_at
        self._takes_s = takes_s

    async def __call__(self) -> None:
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._takes_s)
        if len(self.times) == self._fail_at:
            raise ConnectionError("the lease is lost")


def now() -> float:
    return asyncio.get_running_loop().time()


def test_the_action_runs_at_its_pace_and_ends_with_the_block() -> None:
    ticks = Ticks()

    async def live() -> None:
        async with every(10, ticks):
            await asyncio.sleep(35)
        await asyncio.sleep(100)

    run_virtual(live())
    assert ticks.times == [10, 20, 30]


def test_a_failure_of_the_action_ends_the_block_at_once_and_is_what_the_owner_sees() -> None:
    async def live() -> float:
        with pytest.raises(ConnectionError, match="the lease is lost"):
            async with every(10, Ticks(fail_at=2)):
                await asyncio.sleep(1000)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(1)
        return now()

    assert run_virtual(live()) == 21


def test_a_failure_is_not_lost_when_the_block_swallows_the_cancellation() -> None:
    """GIVEN a block that survives the cancellation THEN its owner still learns that the lease is lost."""

    async def live() -> None:
        async with every(10, Ticks(fail_at=1)):
            with pytest.raises(asyncio.CancelledError):
                await asyncio.sleep(1000)

    with pytest.raises(ConnectionError):
        run_virtual(live())


def test_a_block_that_fails_because_of_the_cancellation_leaves_none_behind() -> None:
    """GIVEN a block that turns the cancellation into its own error THEN that error, and no stray cancellation."""

    async def fail() -> None:
        async with every(10, Ticks(fail_at=1)):
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                raise KeyError("mine") from None

    async def live() -> int:
        with pytest.raises(KeyError, match="mine"):
            await fail()
        task = asyncio.current_task()
        assert task is not None
        await asyncio.sleep(1)
        return task.cancelling()

    assert run_virtual(live()) == 0


def test_an_exception_of_the_block_stays_what_it_is() -> None:
    async def live() -> None:
        async with every(10, Ticks()):
            await asyncio.sleep(25)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run_virtual(live())


@pytest.mark.parametrize("after_s", [5.0, 25.0])
@pytest.mark.parametrize("takes_s", [0.0, 7.0])
def test_a_cancellation_from_outside_stays_a_cancellation(after_s: float, takes_s: float) -> None:
    ended: list[str] = []

    async def owner() -> None:
        async with every(10, Ticks(takes_s=takes_s)):
            await asyncio.sleep(1000)
        ended.append("went on")

    async def live() -> bool:
        task = asyncio.create_task(owner())
        await asyncio.sleep(after_s)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert run_virtual(live())
    assert ended == []


def test_a_cancellation_while_the_action_ends_slowly_is_not_eaten() -> None:
    """GIVEN a block that is over and an action that takes its time to end THEN cancelling still works."""

    async def stubborn() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(5)

    async def owner() -> None:
        async with every(1, stubborn):
            await asyncio.sleep(3)
        await asyncio.sleep(1000)

    async def live() -> bool:
        task = asyncio.create_task(owner())
        await asyncio.sleep(5)
        task.cancel()
        await asyncio.wait({task}, timeout=20)
        return task.cancelled()

    assert run_virtual(live())


@pytest.mark.parametrize("limit_s", [3.0, 30.0])
def test_time_outs_around_the_block_work(limit_s: float) -> None:
    async def block() -> None:
        async with asyncio.timeout(limit_s), every(10, Ticks()):
            await asyncio.sleep(1000)

    async def live() -> float:
        with pytest.raises(TimeoutError):
            await block()
        return now()

    assert run_virtual(live()) == limit_s


def test_both_a_failure_and_a_cancellation_end_as_a_cancellation() -> None:
    async def owner(started: Callable[[], Awaitable[None]]) -> None:
        async with every(10, started):
            await asyncio.sleep(1000)

    async def live() -> bool:
        task: asyncio.Task[None]

        async def fail_and_cancel() -> None:
            task.cancel()
            raise ConnectionError("lost")

        task = asyncio.create_task(owner(fail_and_cancel))
        await asyncio.wait({task})
        return task.cancelled()

    assert run_virtual(live())
