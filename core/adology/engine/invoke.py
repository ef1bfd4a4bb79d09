"""How an analyzer is called: on the loop, in a thread, in a child process, or with others in one call."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from adology.abc.analyzer import BatchRequest, Derived, MediaItem
from adology.aio import Coalescer, Limit
from adology.context import Context, Isolate
from adology.engine.analyzers import ReadyAnalyzer
from adology.errors import AnalyzerCrashedError, ConfigError, Deferred, Retry
from adology.isolation import is_regular, reference_of
from adology.log import logger
from adology.money.calls import Payer, Purse
from adology.types import Struct

SHARED_KEPT = 200


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

    async def call(self, reference: str, args: Sequence[Any], *, deadline_s: float, started: Callable[[], None]) -> Any:
        """Result of the function at `reference`; `started` is called when its deadline begins."""
        ...


class Outcome(Struct, frozen=True, kw_only=True):
    """A result as plain data, the files that were made on the way, and what vendors charged for it."""

    result: Any
    derived: Sequence[Derived] = ()
    cost_usd: float = 0.0


class Work(Struct, frozen=True, kw_only=True):
    """One analysis to make: its key in the cache, and who pays where something is to be paid."""

    item: Any
    key: str
    payer: Payer


class Invoker:
    """Calls analyzers. One per process: items that are in work at the same time share calls."""

    def __init__(self, isolation: IsolationPort | None, purse: Purse | None = None) -> None:
        self._isolation = isolation
        self._purse = purse
        self._shared: OrderedDict[tuple[str, Payer], Coalescer[Work, Any]] = OrderedDict()

    async def invoke(self, analyzer: ReadyAnalyzer, work: Work, scratch: Path) -> Outcome:
        """The analyzer's outcome on the item; raises what it raises.

        Raises:
            AnalyzerCrashedError: it passed its deadline, or its process died twice.
        """
        plugin, item = analyzer.analyzer, work.item
        if plugin.isolation == "process" and self._isolation is not None:
            outcome = await self._isolated(analyzer, item, scratch)
            return Outcome(result=outcome.result, derived=outcome.derived)
        if plugin.batch_size > 1:
            answer = await self._share(analyzer, work.payer)(work)
            if isinstance(answer, BaseException):
                raise answer
            if answer is not None:
                shared: Outcome = answer
                return shared
        async with _limited(analyzer) as limit:
            context = self._context(analyzer, work.payer, (work.key,), limit, scratch)
            result = await analyzer.call(context, item)
            _check_derived(analyzer.name, context.derived)
        return Outcome(result=msgspec.to_builtins(result), derived=context.derived, cost_usd=_cost(context))

    async def place(self, analyzer: ReadyAnalyzer, text: str) -> Outcome | None:
        """Where a typed text stands in the analyzer's space; None where no words find anything in it.

        Raises:
            AnalyzerCrashedError: it passed its deadline.
        """
        async with _limited(analyzer) as limit:
            context = self._context(analyzer, Payer(), (), limit)
            result = await analyzer.analyzer.query(context, text)
        return None if result is None else Outcome(result=msgspec.to_builtins(result), cost_usd=_cost(context))

    async def request(self, analyzer: ReadyAnalyzer, item: Any, scratch: Path) -> BatchRequest | None:
        """What the analyzer asks a vendor about the item in a batch; None where it cannot be asked so.

        Raises:
            AnalyzerCrashedError: it passed its deadline, or the process of its decoder died twice.
        """
        async with _limited(analyzer) as limit:
            context = self._context(analyzer, Payer(), (), limit, scratch)
            return await analyzer.analyzer.batch_request(context, item)

    def _context(
        self, analyzer: ReadyAnalyzer, payer: Payer, keys: tuple[str, ...], limit: Limit, scratch: Path | None = None
    ) -> Context[Any]:
        pool = self._isolation
        return Context(
            analyzer.name,
            analyzer.settings,
            scratch=scratch,
            section="analyzers",
            purse=self._purse,
            payer=payer,
            keys=keys,
            isolate=None if pool is None else _in_children(pool, limit),
        )

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

    def _share(self, analyzer: ReadyAnalyzer, payer: Payer) -> Coalescer[Work, Any]:
        """Gathers one payer's items for a moment, so that they leave in one call."""
        which = (analyzer.fingerprint, payer)
        found = self._shared.get(which)
        if found is None:
            found = self._shared[which] = Coalescer(
                lambda works: self._call_many(analyzer, payer, works),
                most=analyzer.analyzer.batch_size,
                parallel=analyzer.analyzer.batches_at_once,
                delay_s=analyzer.analyzer.batch_wait_s,
            )
        self._shared.move_to_end(which)
        if len(self._shared) > SHARED_KEPT:
            self._shared.popitem(last=False)  # what it still holds is answered all the same
        return found

    async def _call_many(self, analyzer: ReadyAnalyzer, payer: Payer, works: list[Work]) -> list[Any]:
        """For each item an outcome, an error of its own, or None: it is to be analysed alone."""
        try:
            async with _limited(analyzer) as limit:
                context = self._context(analyzer, payer, tuple(work.key for work in works), limit)
                answers = await _many(analyzer, context, [work.item for work in works])
        except (Retry, Deferred, ConfigError):
            raise  # says nothing about an item
        except Exception as error:
            if len(works) == 1:
                raise
            # Which of them is to blame? Each is asked for alone; the good ones get their results.
            logger.bind(analyzer=analyzer.name, items=len(works), error=str(error)[:300]).warning(
                "a shared call failed: its items are analysed one by one"
            )
            return [None] * len(works)
        if answers is None:
            return [None] * len(works)
        if len(answers) != len(works):
            raise ValueError(f"analyze_many of {analyzer.name} gave {len(answers)} results for {len(works)} items")
        share = _cost(context) / len(works)
        return [
            answer if isinstance(answer, BaseException) else Outcome(result=msgspec.to_builtins(answer), cost_usd=share)
            for answer in answers
        ]


def _cost(context: Context[Any]) -> float:
    return float(sum(call.cost_usd for call in context.calls))


async def _many(analyzer: ReadyAnalyzer, context: Context[Any], items: list[Any]) -> Sequence[Any] | None:
    function = analyzer.analyzer.analyze_many
    if inspect.iscoroutinefunction(function):
        answers: Sequence[Any] | None = await function(context, items)
        return answers
    return await asyncio.to_thread(function, context, items)  # type: ignore[arg-type]  # a plain function is taken as well


def _check_derived(analyzer: str, derived: Sequence[Derived]) -> None:
    """A link in the place of a file would have another file archived: a child process may have put it there."""
    for file in derived:
        if os.path.lexists(file.path) and not is_regular(file.path):
            raise ValueError(f"{analyzer} wrote no regular file for derived {file.name!r}")


@contextlib.asynccontextmanager
async def _limited(analyzer: ReadyAnalyzer) -> AsyncIterator[Limit]:
    deadline_s = analyzer.analyzer.deadline_s
    limit = Limit(deadline_s)
    try:
        async with limit:
            yield limit
    except TimeoutError:
        if not limit.expired:
            raise
        raise AnalyzerCrashedError(f"{analyzer.name} took longer than its deadline of {deadline_s:g} s") from None


def _in_children(pool: IsolationPort, limit: Limit) -> Isolate:
    """As `Invoker._isolated`, for single functions; waiting for a child is not the analyzer's time."""

    async def isolate(function: Callable[..., Any], args: Sequence[Any], deadline_s: float | None) -> Any:
        reference = reference_of(function)
        for last in (False, True):
            try:
                with limit.pause() as started:
                    most_s = limit.left() if deadline_s is None else min(limit.left(), deadline_s)
                    return await pool.call(reference, args, deadline_s=most_s, started=started)
            except AnalyzerCrashedError:
                if last or not limit.left():
                    raise
        raise AssertionError("unreachable")

    return isolate
