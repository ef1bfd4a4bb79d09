"""Runs analyzers on one subject: from the cache, or under a lease that is taken first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from adology.abc.analyzer import Derived
from adology.engine.analyzers import ReadyAnalyzer
from adology.engine.breaker import Breaker
from adology.engine.clean import clean_plain
from adology.engine.invoke import Invoker, Work
from adology.engine.model import AnalysisRecord, Claim, Claimed
from adology.engine.ports import AnalysesPort
from adology.errors import (
    AnalyzerCrashedError,
    ConfigError,
    Deferred,
    Retry,
    RetryLater,
    Skip,
    Terminal,
    UnavailableError,
    code_of,
    describe,
)
from adology.log import external_call, logger
from adology.money.calls import Payer
from adology.store.naming import clean_text
from adology.types import Struct

T = TypeVar("T")

BUSY_POLL_S = 0.5
STORE_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Between tries at storing what was paid for; a store that restarts is back by then."""
LONGEST_REASON = 2000
LONGEST_DEFERRAL_S = 3600.0
CONFIG_DEFERRAL_S = 300.0
MOST_DEFERRALS = 12
"""Faults in a row of one analysis before it counts as failed: about eight hours."""

Archive = Callable[[], Awaitable[None]]
KeepDerived = Callable[[str, Sequence[Derived]], Awaitable[tuple[str, ...]]]


class Subject(Struct, frozen=True, kw_only=True):
    """What is analysed: a creative or an ad's copy, under its hash."""

    kind: str
    hash: str
    item: Any


class Analysed(Struct, frozen=True, kw_only=True):
    """Outcome of all analyzers on a subject: keys, records, how many ran now, how many were put off."""

    keys: dict[str, str]
    records: dict[str, Claimed]
    run: int = 0
    deferred: int = 0


class AnalysisRunner:
    """Claims, runs and stores. One per process; `owner` names the process in leases."""

    def __init__(
        self,
        analyses: AnalysesPort,
        store: Callable[[AnalysisRecord], Awaitable[None]],
        invoker: Invoker,
        *,
        owner: str,
        lease_s: float,
        wait_s: float,
        deferral_s: float = 30.0,
        make_breaker: Callable[[], Breaker] = Breaker,
    ) -> None:
        self._analyses = analyses
        self._store = store
        self._invoker = invoker
        self._deferral_s = deferral_s
        self._make_breaker = make_breaker
        self._breakers: dict[str, Breaker] = {}
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
        payer: Payer = Payer(),  # noqa: B008 - frozen
    ) -> Analysed:
        """Outcome of each analyzer, in the order given.

        `before_first` runs once before anything is analysed now (it archives the creative), so a
        stored analysis implies an archived asset; `keep` archives derived files. An analyzer that
        cannot work now is put off, and so are those that use it.

        Raises:
            Retry: another worker holds a lease for longer than we wait, or an essential analyzer
                cannot work now.
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
                    answer = await self._run_one(analyzer, claim, answer, subject, records, scratch, keep, payer)
                    finished.add(claim.key)
                records[analyzer.name] = answer
        except BaseException:
            left = [key for key in mine if key not in finished]
            if left:
                await asyncio.shield(self._give_back(left))
            raise
        finally:
            self._held.difference_update(mine)
        put_off = sum(record.state == "deferred" for record in records.values())
        return Analysed(
            keys={a.name: c.key for a, c in zip(analyzers, claims, strict=True)},
            records=records,
            run=sum(
                records[a.name].state != "deferred" for a, c in zip(analyzers, claims, strict=True) if c.key in mine
            ),
            deferred=put_off,
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
        claimed: Claimed,
        subject: Subject,
        before: dict[str, Claimed],
        scratch: Path,
        keep: KeepDerived,
        payer: Payer,
    ) -> Claimed:
        """Runs or puts off one claim that is ours, and stores what became of it."""
        started = time.perf_counter()
        try:
            answer = self._put_off(analyzer, before)
            answer = answer or await self._call(analyzer, claim.key, payer, subject, before, scratch, keep)
        except (Retry, ConfigError, Deferred) as error:
            if analyzer.analyzer.essential or isinstance(error, UnavailableError):
                raise
            answer = self._after_fault(error, claimed.deferrals)
        record = AnalysisRecord(
            key=claim.key,
            result=answer.result,
            derived=answer.derived,
            error_code=answer.error_code,
            error=answer.error,
            retry_after_s=answer.wait_s if answer.state == "deferred" else None,
            duration_ms=round((time.perf_counter() - started) * 1000, 3),
            cost_usd=answer.cost_usd,
        )
        await _insist(lambda: self._store(record))
        return answer

    def _put_off(self, analyzer: ReadyAnalyzer, before: dict[str, Claimed]) -> Claimed | None:
        """Why the analyzer is not even called now."""
        for used in sorted(analyzer.reads):
            record = before.get(used)
            if record is not None and record.state == "deferred":
                return _deferred("ADO-3005", f"waits for {used}: {record.error}", record.wait_s)
        if analyzer.analyzer.essential:
            return None
        breaker = self._breaker(analyzer)
        wait_s = breaker.wait_s()
        if wait_s > 0:
            return _deferred("ADO-3004", f"{analyzer.name} is paused after faults in a row: {breaker.why}", wait_s)
        return None

    async def _call(
        self,
        analyzer: ReadyAnalyzer,
        key: str,
        payer: Payer,
        subject: Subject,
        before: dict[str, Claimed],
        scratch: Path,
        keep: KeepDerived,
    ) -> Claimed:
        """The analyzer's outcome, with its breaker told how it went."""
        results = {name: record.result for name, record in before.items() if name in analyzer.reads}
        work = Work(item=msgspec.structs.replace(subject.item, results=results), key=key, payer=payer)
        breaker = self._breaker(analyzer)
        try:
            async with external_call("analyzer", analyzer.name, subject=subject.hash[:12]):
                outcome = await self._invoker.invoke(analyzer, work, scratch)
            names = await _insist(lambda: keep(analyzer.name, outcome.derived)) if outcome.derived else ()
            # Records are stored together: one that the database refuses would fail the others.
            answer = Claimed(state="done", result=clean_plain(outcome.result), derived=names, cost_usd=outcome.cost_usd)
        except AnalyzerCrashedError as error:
            self._note_fault(analyzer, breaker, describe(error))
            return _failed(code_of(error), describe(error))
        except (Terminal, Skip) as error:
            breaker.note_success()
            return _failed(code_of(error), describe(error))
        except (UnavailableError, Deferred):
            breaker.note_neither()
            raise
        except (Retry, ConfigError) as error:
            after_s = error.after if isinstance(error, Retry) else CONFIG_DEFERRAL_S
            self._note_fault(
                analyzer, breaker, describe(error), after_s=after_s, at_once=isinstance(error, ConfigError)
            )
            raise
        except Exception as error:  # noqa: BLE001 - recorded as the item's outcome
            # A fault of the analyzer's code: the same input would fail again, so it is recorded.
            logger.bind(analyzer=analyzer.name).opt(exception=True).error("analyzer raised")
            reason = f"{analyzer.name}: {describe(error)}"
            self._note_fault(analyzer, breaker, reason)
            return _failed("ADO-3002", reason)
        except BaseException:
            breaker.note_neither()
            raise
        breaker.note_success()
        return answer

    def _after_fault(self, error: Retry | ConfigError | Deferred, deferrals: int) -> Claimed:
        """Put off until the fault may have passed; a failure once it has been tried for hours."""
        if isinstance(error, Deferred):
            return _deferred(code_of(error), describe(error), error.after)
        if isinstance(error, ConfigError):
            return _deferred(code_of(error), describe(error), CONFIG_DEFERRAL_S)
        if isinstance(error, RetryLater):
            return _deferred(code_of(error), describe(error), error.seconds)
        if deferrals >= MOST_DEFERRALS:
            return _failed(code_of(error), f"after {deferrals + 1} tries: {describe(error)}")
        growing = min(LONGEST_DEFERRAL_S, self._deferral_s * 2.0**deferrals)
        return _deferred(code_of(error), describe(error), max(growing, error.after or 0.0))

    def _breaker(self, analyzer: ReadyAnalyzer) -> Breaker:
        found = self._breakers.get(analyzer.name)
        if found is None:
            found = self._breakers[analyzer.name] = self._make_breaker()
        return found

    @staticmethod
    def _note_fault(
        analyzer: ReadyAnalyzer, breaker: Breaker, why: str, *, after_s: float | None = None, at_once: bool = False
    ) -> None:
        if analyzer.analyzer.essential:
            return  # never held back: its items say themselves what became of them
        if breaker.note_fault(clean_text(why, LONGEST_REASON // 2), after_s=after_s, at_once=at_once):
            logger.bind(analyzer=analyzer.name, why=why).error("analyzer paused")


def _deferred(code: str, reason: str, wait_s: float) -> Claimed:
    return Claimed(state="deferred", error_code=code, error=clean_text(reason, LONGEST_REASON), wait_s=wait_s)


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
