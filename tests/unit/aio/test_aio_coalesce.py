"""Calls that arrive together leave together, and each gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import pytest

from adology.aio import Coalescer
from tests.simulation.loop import run_virtual

T = TypeVar("T")


class Flushes:
    """A flush that takes a second, notes what it got, and doubles it."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.running = self.most_running = 0
        self.fault: BaseException | None = None

    async def __call__(self, items: list[int]) -> Sequence[int]:
        self.batches.append(items)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await asyncio.sleep(1)
        self.running -= 1
        if self.fault is not None:
            raise self.fault
        return [2 * item for item in items]


def run(main: Coroutine[Any, Any, T]) -> T:
    return run_virtual(main)


def test_an_idle_system_pays_no_delay() -> None:
    flush = Flushes()

    async def live() -> float:
        assert await Coalescer(flush, most=10)(3) == 6
        return asyncio.get_running_loop().time()

    assert run(live()) == 1.0


def test_calls_during_a_flush_leave_in_full_batches_and_in_order() -> None:
    flush = Flushes()

    async def live() -> list[int]:
        call = Coalescer(flush, most=10)
        return await asyncio.gather(*(call(n) for n in range(25)))

    assert run(live()) == [2 * n for n in range(25)]
    assert flush.batches == [list(range(10)), list(range(10, 20)), list(range(20, 25))]
    assert flush.most_running == 1


def test_no_more_flushes_run_at_once_than_allowed() -> None:
    flush = Flushes()

    async def live() -> float:
        call = Coalescer(flush, most=1, parallel=3)
        await asyncio.gather(*(call(n) for n in range(9)))
        return asyncio.get_running_loop().time()

    assert run(live()) == 3.0
    assert flush.most_running == 3


def test_a_short_wait_brings_company() -> None:
    flush = Flushes()

    async def live() -> None:
        call = Coalescer(flush, most=10, parallel=4, delay_s=0.05)

        async def later(n: int) -> int:
            await asyncio.sleep(0.01 * n)
            return await call(n)

        await asyncio.gather(*(later(n) for n in range(4)))

    run(live())
    assert flush.batches == [[0, 1, 2, 3]]


def test_a_fault_reaches_the_callers_of_that_flush_only() -> None:
    flush = Flushes()

    async def live() -> list[object]:
        call = Coalescer(flush, most=2)
        flush.fault = OSError("disk full")
        first = asyncio.gather(call(1), call(2), return_exceptions=True)
        await asyncio.sleep(0.5)
        second = asyncio.create_task(call(3))
        failed = await first
        flush.fault = None
        return [*failed, await second]

    answers = run(live())
    assert [str(a) for a in answers] == ["disk full", "disk full", "6"]


def test_an_answer_of_the_wrong_length_leaves_nobody_waiting() -> None:
    async def flush(items: list[int]) -> list[int]:
        return items[:1]

    async def live() -> list[object]:
        call = Coalescer(flush, most=10)
        async with asyncio.timeout(5):
            return list(await asyncio.gather(*(call(n) for n in range(3)), return_exceptions=True))

    answers = run(live())
    assert answers[0] == 0
    assert all(isinstance(a, ValueError) for a in answers[1:])


def test_a_caller_that_gives_up_does_not_disturb_the_others() -> None:
    flush = Flushes()

    async def live() -> int:
        call = Coalescer(flush, most=10)
        await asyncio.gather(asyncio.wait_for(call(1), 0.2), return_exceptions=True)
        impatient = asyncio.create_task(call(2))
        patient = asyncio.create_task(call(3))
        await asyncio.sleep(0.2)
        impatient.cancel()
        return await patient

    assert run(live()) == 6


def test_a_flush_that_is_cancelled_cancels_its_callers() -> None:
    async def flush(_: list[int]) -> list[int]:
        raise asyncio.CancelledError

    async def live() -> None:
        async with asyncio.timeout(5):
            await Coalescer(flush, most=10)(1)

    with pytest.raises(asyncio.CancelledError):
        run(live())


def test_a_caller_that_was_just_answered_may_call_again_at_once() -> None:
    flush = Flushes()

    async def live() -> list[int]:
        call = Coalescer(flush, most=10)
        async with asyncio.timeout(60):
            return [await call(n) for n in range(5)]

    assert run(live()) == [2 * n for n in range(5)]
    assert flush.batches == [[n] for n in range(5)]
