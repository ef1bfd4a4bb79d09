"""Analyses are claimed before they run, run once, and are recorded whatever becomes of them."""
# ruff: noqa: ARG001, ARG002, ARG005 - the interface's signatures

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from adology import Context, Retry, Skip, Terminal
from adology.abc.analyzer import Derived
from adology.engine.analyze import AnalysisRunner
from adology.engine.analyzers import ReadyAnalyzer
from adology.engine.invoke import Invoker
from adology.engine.model import AnalysisRecord
from adology.errors import AnalyzerCrashedError, ConfigError
from tests.simulation.loop import run_virtual
from tests.unit.engine.analyses import (
    LEASE_S,
    PICTURE,
    SUBJECT,
    WAIT_S,
    Bench,
    Scripted,
    Word,
    calls,
    fails,
    make,
    says,
)


def test_a_stored_analysis_is_not_run_again_and_nothing_is_archived() -> None:
    async def scenario() -> None:
        bench, analyzer = Bench(), make("a", says("once"))
        first = await bench.run(analyzer)
        second = await bench.run(analyzer)
        assert (first.run, second.run) == (1, 0)
        assert second.records["a"].result == {"text": "once"}
        assert second.keys == first.keys
        assert (calls(analyzer), bench.archived) == (1, 1)

    run_virtual(scenario())


def test_a_recorded_failure_is_not_run_again_either() -> None:
    async def scenario() -> None:
        bench, analyzer = Bench(), make("a", fails(Terminal("not readable", code="ADO-3101")))
        for _ in range(2):
            record = (await bench.run(analyzer)).records["a"]
            assert (record.state, record.error_code, record.error) == ("failed", "ADO-3101", "not readable")
        assert calls(analyzer) == 1

    run_virtual(scenario())


def test_the_creative_is_archived_once_and_before_anything_is_analysed() -> None:
    async def scenario() -> None:
        bench = Bench()
        seen: list[int] = []
        analyzers = [make(name, lambda ctx, item: seen.append(bench.archived) or Word()) for name in "abc"]  # type: ignore[func-returns-value]  # None is falsy
        await bench.run(*analyzers)
        assert seen == [1, 1, 1]

    run_virtual(scenario())


def test_an_analyzer_gets_the_results_of_those_it_uses_and_no_others() -> None:
    async def scenario() -> None:
        got: list[dict[str, Any]] = []
        user = make("c", lambda ctx, item: got.append(item.results) or Word(), uses=("a",))  # type: ignore[func-returns-value]  # None is falsy
        await Bench().run(make("a", says("from a")), make("b", says("from b")), user)
        assert got == [{"a": {"text": "from a"}}]

    run_virtual(scenario())


def test_of_two_workers_one_analyses_and_the_other_waits_for_its_result() -> None:
    async def scenario() -> None:
        bench = Bench()
        slow = make("a", lambda ctx, item: asyncio.sleep(3, Word(text="slow")))
        one, two = await asyncio.gather(bench.run(slow, owner="w1"), bench.run(slow, owner="w2"))
        assert calls(slow) == 1
        assert one.records["a"].result == two.records["a"].result == {"text": "slow"}
        assert sorted([one.run, two.run]) == [0, 1]

    run_virtual(scenario())


def test_a_lease_that_is_held_too_long_asks_for_another_try_later() -> None:
    async def scenario() -> None:
        bench, analyzer = Bench(), make("a", says(""))
        await bench.analyses.claim([analyzer.claim("ad", "c0ffee")], owner="another", lease_s=1000)
        with pytest.raises(Retry, match="analysis a of c0ffee is held by another worker") as caught:
            await bench.run(analyzer)
        assert caught.value.code == "ADO-3001"
        assert caught.value.after == 30.0
        assert calls(analyzer) == 0

    run_virtual(scenario())


def test_waiting_in_vain_gives_back_what_was_claimed_meanwhile() -> None:
    async def scenario() -> None:
        bench, free, taken = Bench(), make("free", says("")), make("taken", says(""))
        await bench.analyses.claim([taken.claim("ad", "c0ffee")], owner="another", lease_s=1000)
        with pytest.raises(Retry):
            await bench.run(free, taken)
        assert set(bench.analyses.leases) == {taken.claim("ad", "c0ffee").key}

    run_virtual(scenario())


@pytest.mark.parametrize(
    "error", [Retry("vendor away"), ConfigError("analyzers.b.key", "is missing"), asyncio.CancelledError()]
)
def test_a_fault_that_is_not_the_items_gives_the_leases_back(error: BaseException) -> None:
    async def scenario() -> None:
        bench = Bench()
        with pytest.raises(type(error)):
            await bench.run(make("a", says("kept")), make("b", fails(error), essential=True), make("c", says("never")))
        assert bench.analyses.leases == {}
        assert [record.result for record in bench.analyses.stored.values()] == [{"text": "kept"}]

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (Terminal("broken file", code="ADO-3101"), "ADO-3101", "broken file"),
        (Skip("nothing to say"), "ADO-5002", "nothing to say"),
        (ValueError("of the author's code\0"), "ADO-3002", "a: ValueError: of the author's code"),
        (TimeoutError("its own socket"), "ADO-3002", "a: TimeoutError: its own socket"),
        (ZeroDivisionError("x" * 9000), "ADO-3002", ("a: ZeroDivisionError: " + "x" * 9000)[:2000]),
    ],
)
def test_what_an_analyzer_raises_is_recorded_and_the_others_run(error: Exception, code: str, text: str) -> None:
    async def scenario() -> None:
        bench = Bench()
        found = await bench.run(make("a", fails(error)), make("b", says("fine")))
        assert (found.records["a"].error_code, found.records["a"].error) == (code, text)
        assert found.records["b"].result == {"text": "fine"}
        assert {record.error_code for record in bench.analyses.stored.values()} == {code, None}

    run_virtual(scenario())


def test_an_analyzer_that_passes_its_deadline_is_recorded_as_a_failure() -> None:
    async def scenario() -> None:
        analyzer = make("a", lambda ctx, item: asyncio.sleep(100, Word()), deadline_s=2.5)
        record = (await Bench().run(analyzer)).records["a"]
        assert (record.error_code, record.error) == ("ADO-3102", "a took longer than its deadline of 2.5 s")
        assert asyncio.get_running_loop().time() < 3

    run_virtual(scenario())


def test_a_result_that_stores_refuse_is_stored_as_far_as_they_take_it() -> None:
    async def scenario() -> None:
        bench = Bench()
        await bench.run(make("a", lambda ctx, item: Word(text="n\0ul\ud800", number=float("nan"))))
        (record,) = bench.analyses.stored.values()
        assert record.result == {"text": "nul\ufffd", "number": None}

    run_virtual(scenario())


def test_derived_files_are_kept_before_the_result_counts(tmp_path: Path) -> None:
    def act(ctx: Context[None], item: Any) -> Word:
        ctx.derive("thumbnail.webp", "image/webp").write_bytes(b"x")
        return Word()

    async def scenario() -> None:
        bench, order = Bench(), list[str]()

        async def store(record: AnalysisRecord) -> None:
            order.extend(bench.kept)
            await bench.analyses.store([record])

        runner = AnalysisRunner(bench.analyses, store, Invoker(None), owner="w", lease_s=LEASE_S, wait_s=WAIT_S)
        found = await runner.run(
            PICTURE, [make("a", act)], scratch=tmp_path, before_first=bench.archive, keep=bench.keep
        )
        assert order == ["thumbnail.webp"]
        assert found.records["a"].derived == ("derived/thumbnail.webp",)

    run_virtual(scenario())


class Child:
    """A child process that dies as often as told."""

    def __init__(self, deaths: int) -> None:
        self.deaths = deaths
        self.calls = 0
        self.result: Any = {"text": "from the child"}
        self.derived: tuple[Derived, ...] = ()

    async def run(
        self, reference: str, settings: dict[str, Any], item: Any, *, scratch: Path, deadline_s: float
    ) -> Any:
        self.calls += 1
        if self.calls <= self.deaths:
            raise AnalyzerCrashedError("the child died of signal 11")
        return self


@pytest.mark.parametrize(("deaths", "calls_made", "code"), [(0, 1, None), (1, 2, None), (2, 2, "ADO-3102")])
def test_a_decoder_that_dies_gets_one_more_chance(deaths: int, calls_made: int, code: str | None) -> None:
    async def scenario() -> None:
        child = Child(deaths)
        bench = Bench(isolation=child)
        record = (await bench.run(make("a", says("inline"), isolation="process"), subject=PICTURE)).records["a"]
        assert (child.calls, record.error_code) == (calls_made, code)
        assert record.result == (None if code else {"text": "from the child"})

    run_virtual(scenario())


def test_leases_in_hand_are_renewed_and_no_others() -> None:
    async def scenario() -> None:
        bench = Bench()
        slow = make("a", lambda ctx, item: asyncio.sleep(LEASE_S * 3, Word()), deadline_s=1000.0)
        idle = make("b", says(""))
        await bench.analyses.claim([idle.claim("ad", "other")], owner="w1", lease_s=LEASE_S)
        runner = bench.runner()
        work = asyncio.create_task(
            runner.run(SUBJECT, [slow], scratch=Path(), before_first=bench.archive, keep=bench.keep)
        )
        for _ in range(4):
            await asyncio.sleep(LEASE_S / 2)
            await runner.renew()
        held = bench.analyses.leases
        assert held[slow.claim("ad", "c0ffee").key][1] > asyncio.get_running_loop().time()
        # A claim whose answer never reached us runs out.
        assert held[idle.claim("ad", "other").key][1] < asyncio.get_running_loop().time()
        await work
        await runner.renew()
        assert slow.claim("ad", "c0ffee").key not in bench.analyses.leases

    run_virtual(scenario())


def test_a_renewal_that_fails_does_not_stop_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        bench = Bench()

        async def away(*_: Any, **__: Any) -> None:
            raise OSError("the database is away")

        monkeypatch.setattr(bench.analyses, "renew", away)
        runner = bench.runner()
        runner._held.add("key")
        await runner.renew()

    run_virtual(scenario())


def test_plain_functions_run_beside_the_loop() -> None:
    class Plain(Scripted):
        def analyze(self, ctx: Context[None], item: Any) -> Any:
            time.sleep(0.2)
            return Word(text="plain")

    async def scenario() -> None:
        analyzer = make("a", says(""))
        plain = ReadyAnalyzer(
            **{**{f: getattr(analyzer, f) for f in analyzer.__struct_fields__}, "analyzer": Plain(says(""))}
        )
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.02)
                ticks += 1

        clock = asyncio.create_task(tick())
        found = await Bench().run(plain)
        clock.cancel()
        assert found.records["a"].result == {"text": "plain"}
        assert ticks >= 3, "the loop went on meanwhile"

    asyncio.run(scenario())
