"""Items that are in work at the same time share one call; each still gets an outcome of its own."""
# ruff: noqa: ARG001, ARG002, ARG005 - the interface's signatures

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from adology import Analyzer, Context, Terminal
from adology.engine.analyzers import ReadyAnalyzer
from adology.engine.invoke import Invoker, Work
from adology.errors import AnalyzerCrashedError
from adology.money.calls import Payer
from tests.simulation.loop import run_virtual
from tests.unit.engine.analyses import Word

Act = Callable[[Sequence[str]], Any]


class Many(Analyzer[None, Word]):
    """Items are strings here."""

    name, version, accepts = "many", 1, ("ad",)
    batch_size, batch_wait_s = 4, 0.05

    def __init__(self, act: Act) -> None:
        self._act = act
        self.shared: list[list[str]] = []
        self.alone: list[str] = []

    async def analyze(self, ctx: Context[None], item: str) -> Word:
        self.alone.append(item)
        if item == "bad":
            raise Terminal("bad item")
        return Word(text=f"alone {item}")

    async def analyze_many(self, ctx: Context[None], items: Sequence[str]) -> Any:
        self.shared.append(list(items))
        answer = self._act(items)
        return await answer if asyncio.iscoroutine(answer) else answer


class Threaded(Many):
    def analyze_many(self, ctx: Context[None], items: Sequence[str]) -> Any:
        self.shared.append([f"{item}@{threading.current_thread() is threading.main_thread()}" for item in items])
        return [Word(text=item) for item in items]


def ready(analyzer: Many) -> ReadyAnalyzer:
    return ReadyAnalyzer(
        name="many", analyzer=analyzer, settings=None, settings_fields={}, reference="tests:many", fingerprint="f"
    )


def work(item: str, brand: str = "nike") -> Work:
    return Work(item=item, key=f"key of {item}", payer=Payer(brand=brand))


def all_of(analyzer: Many, items: Sequence[str], run: Callable[[Any], Any] = run_virtual) -> list[Any]:
    """What each item got: the text of its result, or the exception."""

    async def scenario() -> list[Any]:
        invoker = Invoker(None)
        done = await asyncio.gather(
            *(invoker.invoke(ready(analyzer), work(item), Path()) for item in items), return_exceptions=True
        )
        return [one if isinstance(one, BaseException) else one.result["text"] for one in done]

    found: list[Any] = run(scenario())
    return found


def echo(items: Sequence[str]) -> list[Word]:
    return [Word(text=item) for item in items]


def test_items_in_work_together_leave_in_calls_of_at_most_the_batch_size() -> None:
    analyzer = Many(echo)
    items = [f"i{number}" for number in range(10)]
    assert all_of(analyzer, items) == items
    assert [len(call) for call in analyzer.shared] == [4, 4, 2]
    assert analyzer.alone == []


def test_a_lone_item_waits_for_company_no_longer_than_the_bound() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await Invoker(None).invoke(ready(Many(echo)), work("one"), Path())
        assert loop.time() - before == pytest.approx(0.05, abs=0.01)

    run_virtual(scenario())


def test_an_items_own_error_stands_in_its_place() -> None:
    found = all_of(
        Many(lambda items: [Terminal("no") if i == "bad" else Word(text=i) for i in items]), ["a", "bad", "c"]
    )
    assert (found[0], found[2]) == ("a", "c")
    assert isinstance(found[1], Terminal)


def test_when_a_shared_call_fails_each_item_is_analysed_alone() -> None:
    def act(items: Sequence[str]) -> Any:
        raise ZeroDivisionError("one of you")

    analyzer = Many(act)
    found = all_of(analyzer, ["a", "bad", "c"])
    assert (found[0], found[2]) == ("alone a", "alone c")
    assert isinstance(found[1], Terminal)
    assert len(analyzer.shared) == 1


def test_a_shared_call_may_be_declined() -> None:
    assert all_of(Many(lambda items: None), ["a", "b"]) == ["alone a", "alone b"]


def test_results_that_do_not_match_the_items_are_given_to_nobody() -> None:
    found = all_of(Many(lambda items: echo(items)[:-1]), ["a", "b"])
    assert [str(error) for error in found] == ["analyze_many of many gave 1 results for 2 items"] * 2


def test_a_shared_call_has_the_analyzers_deadline() -> None:
    analyzer = Many(lambda items: asyncio.sleep(100, None))
    analyzer.deadline_s = 2.0  # type: ignore[misc]  # of this instance
    (error,) = all_of(analyzer, ["a"])
    assert isinstance(error, AnalyzerCrashedError)
    assert str(error) == "many took longer than its deadline of 2 s"


def test_a_plain_function_runs_in_a_thread() -> None:
    analyzer = Threaded(echo)
    assert all_of(analyzer, ["a", "b"], asyncio.run) == ["a", "b"]
    assert analyzer.shared == [["a@False", "b@False"]]
