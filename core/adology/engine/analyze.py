"""Runs analyzers on one subject: from the cache, or under a lease that is taken first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from adology.abc.analyzer import Derived, MediaItem
from adology.context import Context
from adology.engine.analyzers import ReadyAnalyzer
from adology.engine.clean import clean_plain
from adology.engine.model import AnalysisRecord, Claim, Claimed
from adology.engine.ports import AnalysesPort
from adology.errors import (
    AnalyzerCrashedError,
    ConfigError,
    Retry,
    Skip,
    Terminal,
    UnavailableError,
    code_of,
    describe,
)
from adology.log import external_call, logger
from adology.store.naming import clean_text
from adology.types import Struct

T = TypeVar("T")

BUSY_POLL_S = 0.5
STORE_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Between tries at storing what was paid for; a store that restarts is back by then."""
LONGEST_REASON = 2000

Archive = Callable[[], Awaitable[None]]
KeepDerived = Callable[[str, Sequence[Derived]], Awaitable[tuple[str, ...]]]


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


class Subject(Struct, frozen=True, kw_only=True):
    """What is analysed: a creative or an ad's copy, under its hash."""

    kind: str
    hash: str
    item: Any


class Analysed(Struct, frozen=True, kw_only=True):
    """Outcome of all analyzers on a subject: keys, records, and how many ran now."""

    keys: dict[str, str]
    records: dict[str, Claimed]
    run: int = 0


class AnalysisRunner:
    """Claims, runs and stores. One per process; `owner` names the process in leases."""

    def __init__(
        self,
        analyses: AnalysesPort,
        store: Callable[[AnalysisRecord], Awaitable[None]],
        isolation: IsolationPort | None,
        *,
        owner: str,
        lease_s: float,
        wait_s: float,
    ) -> None:
        self._analyses = analyses
        self._store = store
        self._isolation = isolation
        self._owner = owner
        self._lease_s = lease_s
        self._wait_s = wait_s
        self._held: set[str] = set()

    async def renew(self) -> None:
        """Prolong the leases in hand: work may wait for a child process longer than a lease lasts."""
        if not self._held:
            return
        try:
            await self._analyses.renew(sorted(self._held), owner=self._owner, lease_s=self._lease_s)
        except Exception as error:  # noqa: BLE001 - a lease that runs out costs a second run, not the worker
            logger.bind(error=describe(error)).warning("analysis leases not renewed")

    async def run(
        self,
        subject: Subject,
        analyzers: Sequence[ReadyAnalyzer],
        *,
        scratch: Path,
        before_first: Archive,
        keep: KeepDerived,
    ) -> Analysed:
        """Outcome of each analyzer, in the order given.

        `before_first` runs once before anything is analysed now (it archives the creative), so a
        stored analysis implies an archived asset; `keep` archives derived files.

        Raises:
            Retry: another worker holds a lease for longer than we wait.
        """
        claims = [analyzer.claim(subject.kind, subject.hash) for analyzer in analyzers]
        answers = await self._claim_all(claims)
        mine = [c.key for c in claims if answers[c.key].state == "mine"]
        records: dict[str, Claimed] = {}
        finished: set[str] = set()
        self._held.update(mine)
        try:
            if mine:
                await before_first()
            for analyzer, claim in zip(analyzers, claims, strict=True):
                answer = answers[claim.key]
                if answer.state == "mine":
                    answer = await self._run_one(analyzer, claim, subject, records, scratch, keep)
                    finished.add(claim.key)
                records[analyzer.name] = answer
        except BaseException:
            left = [key for key in mine if key not in finished]
            if left:
                await asyncio.shield(self._give_back(left))
            raise
        finally:
            self._held.difference_update(mine)
        return Analysed(
            keys={a.name: c.key for a, c in zip(analyzers, claims, strict=True)}, records=records, run=len(mine)
        )

    async def _claim_all(self, claims: Sequence[Claim]) -> dict[str, Claimed]:
        """Claims until nothing is busy; what somebody else finishes meanwhile is a cache hit."""
        answers: dict[str, Claimed] = {}
        try:
            await self._claim_into(answers, claims)
        except BaseException:
            mine = [key for key, answer in answers.items() if answer.state == "mine"]
            if mine:
                await asyncio.shield(self._give_back(mine))
            raise
        return answers

    async def _claim_into(self, answers: dict[str, Claimed], claims: Sequence[Claim]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._wait_s
        wanted = list(claims)
        while wanted:
            answers.update(await self._analyses.claim(wanted, owner=self._owner, lease_s=self._lease_s))
            wanted = [claim for claim in wanted if answers[claim.key].state == "busy"]
            if not wanted:
                return
            if loop.time() > deadline:
                raise Retry(
                    f"analysis {wanted[0].analyzer} of {wanted[0].subject[:12]} is held by another worker",
                    after=min(30.0, answers[wanted[0].key].wait_s + 1),
                    code="ADO-3001",
                )
            await asyncio.sleep(min(BUSY_POLL_S, answers[wanted[0].key].wait_s + 0.05))

    async def _give_back(self, keys: Sequence[str]) -> None:
        try:
            await self._analyses.release(keys, owner=self._owner)
        except Exception as error:  # noqa: BLE001 - the lease runs out by itself; the first error matters
            logger.bind(error=str(error)).warning("analysis leases could not be given back")

    async def _run_one(
        self,
        analyzer: ReadyAnalyzer,
        claim: Claim,
        subject: Subject,
        before: dict[str, Claimed],
        scratch: Path,
        keep: KeepDerived,
    ) -> Claimed:
        results = {name: record.result for name, record in before.items() if name in analyzer.analyzer.uses}
        item = msgspec.structs.replace(subject.item, results=results)
        started = time.perf_counter()
        try:
            async with external_call("analyzer", analyzer.name, subject=subject.hash[:12]):
                result, derived = await self._invoke(analyzer, item, scratch)
            names = await _insist(lambda: keep(analyzer.name, derived)) if derived else ()
            # Records are stored together: one that the database refuses would fail the others.
            answer = Claimed(state="done", result=clean_plain(result), derived=names)
        except (Terminal, Skip) as error:
            answer = _failed(code_of(error), describe(error))
        except (Retry, ConfigError):
            raise
        except Exception as error:  # noqa: BLE001 - recorded as the item's outcome
            # A fault of the analyzer's code: the same input would fail again, so it is recorded.
            logger.bind(analyzer=analyzer.name).opt(exception=True).error("analyzer raised")
            answer = _failed("ADO-3002", f"{analyzer.name}: {describe(error)}")
        record = AnalysisRecord(
            key=claim.key,
            result=answer.result,
            derived=answer.derived,
            error_code=answer.error_code,
            error=answer.error,
            duration_ms=round((time.perf_counter() - started) * 1000, 3),
        )
        await _insist(lambda: self._store(record))
        return answer

    async def _invoke(self, analyzer: ReadyAnalyzer, item: Any, scratch: Path) -> tuple[Any, Sequence[Derived]]:
        deadline_s = analyzer.analyzer.deadline_s
        if analyzer.analyzer.isolation == "process" and self._isolation is not None:
            outcome = await self._isolated(analyzer, item, scratch, deadline_s)
            return outcome.result, outcome.derived
        context = Context(analyzer.name, analyzer.settings, scratch=scratch, section="analyzers")
        try:
            async with asyncio.timeout(deadline_s) as limit:
                result = await analyzer.call(context, item)
        except TimeoutError:
            if not limit.expired():
                raise
            raise AnalyzerCrashedError(f"{analyzer.name} took longer than its deadline of {deadline_s:g} s") from None
        return msgspec.to_builtins(result), context.derived

    async def _isolated(self, analyzer: ReadyAnalyzer, item: Any, scratch: Path, deadline_s: float) -> IsolatedOutcome:
        """A decoder that died is given one more chance: the machine may have been at fault."""
        assert self._isolation is not None  # noqa: S101 - asked by the caller
        for last in (False, True):
            try:
                return await self._isolation.run(
                    analyzer.reference, analyzer.settings_fields, item, scratch=scratch, deadline_s=deadline_s
                )
            except AnalyzerCrashedError:
                if last:
                    raise
        raise AssertionError("unreachable")


def _failed(code: str, reason: str) -> Claimed:
    return Claimed(state="failed", error_code=code, error=clean_text(reason, LONGEST_REASON))


async def _insist(step: Callable[[], Awaitable[T]]) -> T:
    """The outcome of a step that keeps a result, tried again while a store is away: a second run would be paid."""
    for pause_s in STORE_PAUSES_S:
        try:
            return await step()
        except UnavailableError as error:
            logger.bind(error=describe(error), pause_s=pause_s).warning("analysis not stored yet")
            await asyncio.sleep(pause_s)
    return await step()
