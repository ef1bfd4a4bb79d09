"""How an analyzer is called: on the loop, in a thread, in a child process, or with others in one call."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from adology.abc.analyzer import Derived, MediaItem
from adology.aio import Coalescer
from adology.context import Context
from adology.engine.analyzers import ReadyAnalyzer
from adology.errors import AnalyzerCrashedError
from adology.log import logger
from adology.types import Struct


class IsolatedOutcome(Protocol):
    """What a child process answers: the result as plain data, and files it made."""

    @property
    def result(self) -> Any:
        """What the analyzer returned, as plain data."""
        ...

    @property
    def derived(self) -> Sequence[Derived]:
        """Files that it made."""
        ...


class IsolationPort(Protocol):
    """Runs an analyzer in a child process; see `adology.isolation.IsolatedPool`."""

    async def run(
        self, reference: str, settings: dict[str, Any], item: MediaItem, *, scratch: Path, deadline_s: float
    ) -> IsolatedOutcome:
        """Outcome of the analyzer at `reference` on `item`."""
        ...


class Outcome(Struct, frozen=True, kw_only=True):
    """A result as plain data, and the files that were made on the way."""

    result: Any
    derived: Sequence[Derived] = ()


class Invoker:
    """Calls analyzers. One per process: items that are in work at the same time share calls."""

    def __init__(self, isolation: IsolationPort | None) -> None:
        self._isolation = isolation
        self._shared: dict[str, Coalescer[Any, Any]] = {}

    async def invoke(self, analyzer: ReadyAnalyzer, item: Any, scratch: Path) -> Outcome:
        """The analyzer's outcome on `item`; raises what it raises.

        Raises:
            AnalyzerCrashedError: it passed its deadline, or its process died twice.
        """
        plugin = analyzer.analyzer
        if plugin.isolation == "process" and self._isolation is not None:
            outcome = await self._isolated(analyzer, item, scratch)
            return Outcome(result=outcome.result, derived=outcome.derived)
        if plugin.batch_size > 1:
            answer = await self._share(analyzer)(item)
            if isinstance(answer, BaseException):
                raise answer
            if answer is not _DECLINED:
                return Outcome(result=msgspec.to_builtins(answer))
        context = Context(analyzer.name, analyzer.settings, scratch=scratch, section="analyzers")
        result = await _within(analyzer, analyzer.call(context, item))
        return Outcome(result=msgspec.to_builtins(result), derived=context.derived)

    async def _isolated(self, analyzer: ReadyAnalyzer, item: Any, scratch: Path) -> IsolatedOutcome:
        """A decoder that died is given one more chance: the machine may have been at fault."""
        assert self._isolation is not None  # noqa: S101 - asked by the caller
        for last in (False, True):
            try:
                return await self._isolation.run(
                    analyzer.reference,
                    analyzer.settings_fields,
                    item,
                    scratch=scratch,
                    deadline_s=analyzer.analyzer.deadline_s,
                )
            except AnalyzerCrashedError:
                if last:
                    raise
        raise AssertionError("unreachable")

    def _share(self, analyzer: ReadyAnalyzer) -> Coalescer[Any, Any]:
        """Gathers the items of one analyzer for a moment, so that they leave in one call."""
        found = self._shared.get(analyzer.fingerprint)
        if found is None:
            found = self._shared[analyzer.fingerprint] = Coalescer(
                lambda items: self._call_many(analyzer, items),
                most=analyzer.analyzer.batch_size,
                parallel=analyzer.analyzer.batches_at_once,
                delay_s=analyzer.analyzer.batch_wait_s,
            )
        return found

    async def _call_many(self, analyzer: ReadyAnalyzer, items: list[Any]) -> list[Any]:
        """An outcome for each item: a result, an error of its own, or `_DECLINED`."""
        context = Context(analyzer.name, analyzer.settings, section="analyzers")
        try:
            answers = await _within(analyzer, _many(analyzer, context, items))
        except Exception as error:
            if len(items) == 1:
                raise
            # Which of them is to blame? Each is asked for alone; the good ones get their results.
            logger.bind(analyzer=analyzer.name, items=len(items), error=str(error)[:300]).warning(
                "a shared call failed: its items are analysed one by one"
            )
            return [_DECLINED] * len(items)
        if answers is None:
            return [_DECLINED] * len(items)
        if len(answers) != len(items):
            raise ValueError(f"analyze_many of {analyzer.name} gave {len(answers)} results for {len(items)} items")
        return list(answers)


_DECLINED = object()


async def _many(analyzer: ReadyAnalyzer, context: Context[Any], items: list[Any]) -> Sequence[Any] | None:
    function = analyzer.analyzer.analyze_many
    if inspect.iscoroutinefunction(function):
        answers: Sequence[Any] | None = await function(context, items)
        return answers
    return await asyncio.to_thread(function, context, items)  # type: ignore[arg-type]  # a plain function is taken as well


async def _within(analyzer: ReadyAnalyzer, work: Any) -> Any:
    deadline_s = analyzer.analyzer.deadline_s
    try:
        async with asyncio.timeout(deadline_s) as limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        raise AnalyzerCrashedError(f"{analyzer.name} took longer than its deadline of {deadline_s:g} s") from None
