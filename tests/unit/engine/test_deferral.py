"""An analyzer that cannot work is put off: the item goes on, and the analysis is made later."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adology import ConfigError, Context, Deferred, Retry, RetryLater, Terminal
from adology.engine.analyze import Subject
from adology.errors import UnavailableError
from tests.simulation.loop import run_virtual
from tests.unit.engine.analyses import SUBJECT, Bench, Word, calls, fails, make, says


def subject(name: str) -> Subject:
    return Subject(kind="ad", hash=name, item=SUBJECT.item)


@pytest.mark.parametrize(
    ("error", "code", "wait_s"),
    [
        (Deferred("the day's budget is used up", after=500), "ADO-3003", 500),
        (RetryLater(90, "too many requests"), "ADO-2001", 90),
        (Retry("no answer"), "ADO-5001", 30),
        (Retry("no answer", after=45), "ADO-5001", 45),
        (ConfigError("analyzers.b.key", "is not set"), "ADO-1001", 300),
    ],
)
def test_the_others_run_and_it_is_due_again_when_the_fault_may_have_passed(
    error: Exception, code: str, wait_s: float
) -> None:
    async def scenario() -> None:
        bench, faulty = Bench(), make("b", fails(error))
        found = await bench.run(make("a", says("first")), faulty, make("c", says("last")))
        assert (found.run, found.deferred) == (2, 1)
        record = found.records["b"]
        assert (record.state, record.error_code, record.error) == ("deferred", code, str(error))
        assert record.wait_s == wait_s
        again = await bench.run(faulty)
        assert (again.records["b"].state, calls(faulty)) == ("deferred", 1)
        await asyncio.sleep(wait_s)
        healthy = make("b", says("at last"))
        assert (await bench.run(healthy)).records["b"].result == {"text": "at last"}

    run_virtual(scenario())


def test_a_store_of_ours_that_is_away_is_no_reason_to_go_on_without_the_analysis() -> None:
    async def scenario() -> None:
        bench = Bench()
        with pytest.raises(UnavailableError):
            await bench.run(make("a", fails(UnavailableError("postgres is away"))))
        assert (bench.analyses.leases, bench.analyses.deferred) == ({}, {})

    run_virtual(scenario())


def test_what_uses_a_deferred_analysis_waits_with_it_and_the_rest_does_not() -> None:
    async def scenario() -> None:
        bench = Bench()
        user, free = make("user", says("never"), uses=("b",)), make("free", says("fine"))
        found = await bench.run(make("b", fails(RetryLater(60, "slow down"))), user, free)
        assert found.records["user"].state == "deferred"
        assert found.records["user"].error == "waits for b: slow down"
        assert (calls(user), found.records["free"].result) == (0, {"text": "fine"})

    run_virtual(scenario())


def test_what_uses_a_failed_analysis_runs_without_it() -> None:
    async def scenario() -> None:
        bench, seen = Bench(), list[Any]()

        def act(_: Context[None], item: Any) -> Word:
            seen.append(item.results)
            return Word()

        await bench.run(make("b", fails(Terminal("unreadable"))), make("user", act, uses=("b",)))
        assert seen == [{"b": None}]

    run_virtual(scenario())


def test_the_wait_grows_and_after_hours_of_faults_the_analysis_has_failed() -> None:
    async def scenario() -> None:
        bench, waits = Bench(), list[float]()
        faulty = make("a", fails(Retry("no answer")))
        while True:
            record = (await bench.run(faulty)).records["a"]
            if record.state == "failed":
                break
            waits.append(record.wait_s)
            await asyncio.sleep(record.wait_s)
        assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600, 3600]
        assert record.error == "after 13 tries: no answer"

    run_virtual(scenario())


def test_a_vendor_that_says_slow_down_for_days_never_makes_a_failure() -> None:
    async def scenario() -> None:
        bench, faulty = Bench(), make("a", fails(RetryLater(3600, "slow down")))
        for _ in range(30):
            record = (await bench.run(faulty)).records["a"]
            assert record.state == "deferred"
            await asyncio.sleep(record.wait_s)

    run_virtual(scenario())


def test_faults_in_a_row_pause_the_analyzer_for_every_item_and_one_trial_ends_the_pause() -> None:
    async def scenario() -> None:
        bench, healthy = Bench(), False

        def act(_: Context[None], __: Any) -> Any:
            return Word(text="back") if healthy else Retry("no answer")

        analyzer, runner = make("a", act), bench.runner()
        for number in range(8):
            record = (await bench.run(analyzer, subject=subject(f"s{number}"), runner=runner)).records["a"]
            assert record.state == "deferred"
        assert calls(analyzer) == 5
        assert record.error == "a is paused after faults in a row: no answer"
        assert record.error_code == "ADO-3004"
        assert 0 < record.wait_s <= 60
        healthy = True
        await asyncio.sleep(61)
        states = [
            (await bench.run(analyzer, subject=subject(f"s{number}"), runner=runner)).records["a"].state
            for number in range(8)
        ]
        assert states == ["done"] * 8

    run_virtual(scenario())


def test_broken_items_do_not_pause_an_analyzer() -> None:
    async def scenario() -> None:
        bench, analyzer = Bench(), make("a", fails(Terminal("unreadable")))
        runner = bench.runner()
        for number in range(20):
            await bench.run(analyzer, subject=subject(f"s{number}"), runner=runner)
        assert calls(analyzer) == 20

    run_virtual(scenario())


def test_an_essential_analyzer_is_never_held_back() -> None:
    async def scenario() -> None:
        bench, analyzer = Bench(), make("a", fails(ValueError("a bug")), essential=True)
        runner = bench.runner()
        for number in range(20):
            found = await bench.run(analyzer, subject=subject(f"s{number}"), runner=runner)
            assert found.records["a"].state == "failed"
        assert calls(analyzer) == 20

    run_virtual(scenario())
