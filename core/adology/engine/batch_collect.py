"""The steward's side of vendors' batches: find those that got lost, look at those under way, fetch answers.

Safe to be killed at any line, and to run twice at once: answers are stored by chunks, each once,
and a batch ends once, with what has no answer given back.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from adology.context import Context
from adology.engine.analyze import CONFIG_DEFERRAL_S
from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer
from adology.engine.batch_submit import SUBMIT_S, create_batch, delete_quietly
from adology.engine.clean import clean_plain
from adology.engine.model import AnalysisRecord
from adology.engine.ports import VendorBatchesPort
from adology.engine.vendor_batch import BatchPhase, Received, VendorBatch, Waiting
from adology.errors import AdologyError, ConfigError, Deferred, Retry, RetryLater, code_of, describe
from adology.log import bound, logger
from adology.store.naming import clean_text
from adology.vendors import openai_batches
from adology.vendors.openai_batches import GoneError, Line, VendorState

CHUNK = 200
LOST_AT_ONCE = 5
LOOKS_AT_ONCE = 20
COLLECT_S = 20.0
"""When so much of a round went into fetching answers, the next batch has time until its next look."""
MOST_TRIES = 5
"""Times that the vendor is asked to create one batch."""
LONGEST = timedelta(days=28)
"""The vendor keeps answers for thirty days: a batch whose analyzer is not there by then is closed."""
GONE_AFTER = timedelta(days=3)
"""That the vendor does not have something is believed of a batch as old: a key of another project sees none."""
RETRY_S = 60.0
LONGEST_REASON = 2000
NOT_RUN = frozenset({"batch_expired", "batch_cancelled"})
"""Codes of requests that the vendor did not come to."""


class BatchCollector:
    """One round at a time. `hook` is called with the name of each step: tests stop there."""

    def __init__(
        self,
        *,
        batches: VendorBatchesPort,
        analyzers: AnalyzerSet,
        owner: str,
        look_s: float,
        hook: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._batches = batches
        self._analyzers = {one.name: one for one in analyzers}
        self._owner = owner
        self._look_s = look_s
        self._hook = hook

    async def run_round(self) -> None:
        """Look after all that is due; a fault of one batch is noted at it, and keeps no other back."""
        for batch in await self._batches.take_lost(owner=self._owner, lease_s=SUBMIT_S, limit=LOST_AT_ONCE):
            await self._guard(batch, self._find)
        ended: list[tuple[VendorBatch, VendorState | None]] = []

        async def look(batch: VendorBatch) -> None:
            there = await self._look(batch)
            if there is None or there.status in openai_batches.ENDED:
                ended.append((batch, there))

        for batch in await self._batches.take_due(every_s=self._look_s, limit=LOOKS_AT_ONCE):
            await self._guard(batch, look)
        until = time.monotonic() + COLLECT_S
        for batch, there in ended:
            await self._guard(batch, lambda batch: self._collect(batch, there))  # noqa: B023 - awaited at once
            if time.monotonic() > until:
                break

    async def _guard(self, batch: VendorBatch, step: Callable[[VendorBatch], Awaitable[None]]) -> None:
        with bound(vendor_batch=batch.id, analyzer=batch.analyzer):
            try:
                await step(batch)
            except AdologyError as error:
                logger.bind(error=describe(error)).warning("vendor batch: step failed")
                await self._batches.note_look(batch.id, error=clean_text(describe(error), LONGEST_REASON))
            except Exception:  # noqa: BLE001 - a fault of ours with one batch must not keep the others
                logger.opt(exception=True).error("vendor batch: step failed")

    def _context(self, batch: VendorBatch) -> Context[Any]:
        """With the settings that asked.

        Raises:
            ConfigError: the analyzer is not there, or has other settings by now.
        """
        analyzer = self._reader(batch)
        return Context(analyzer.name, analyzer.settings, section="analyzers")

    def _reader(self, batch: VendorBatch) -> ReadyAnalyzer:
        found = self._analyzers.get(batch.analyzer)
        if found is not None and found.fingerprint == batch.fingerprint:
            return found
        problem = "is not loaded here" if found is None else "has other settings than those that it asked with"
        hint = "Its batch is read once they are back; without them it is closed 28 days after it was made."
        raise ConfigError(f"analyzers.{batch.analyzer}", problem, hint, code="ADO-3214")

    # Lost ones

    async def _find(self, batch: VendorBatch) -> None:
        """One whose process died: it never got to the vendor, or is looked for there."""
        if batch.state == "preparing":
            logger.warning("vendor batch given back: its process died before it was sent")
            await self._batches.end(
                batch.id, "given_back", error="its process died before it was sent", only=("preparing",)
            )
            return
        try:
            context = self._context(batch)
        except ConfigError:
            if not _is_over(batch, LONGEST):
                raise
            await self._batches.end(batch.id, "given_back", error=_FORGOTTEN, lost=True)
            return
        there = await openai_batches.find(context, batch.id, batch.created_at)
        if there:
            first, *others = there
            for other in others:
                await openai_batches.cancel(context, other.id)
            logger.bind(vendor_id=first.id).info("vendor batch found again")
            await self._batches.note_opened(batch.id, vendor_id=first.id, vendor_state=first.status, look_s=0.0)
            return
        assert batch.input_file_id is not None  # noqa: S101 - set before it is submitting
        if batch.tries > MOST_TRIES:
            await self._batches.end(batch.id, "given_back", error=batch.error, only=("submitting",))
            await delete_quietly(context, batch.input_file_id)
            return
        logger.info("vendor batch is not there: asked for once more")
        if await self._batches.begin_submit(
            batch.id, owner=self._owner, input_file_id=batch.input_file_id, lease_s=SUBMIT_S
        ):
            await create_batch(
                context,
                self._batches,
                batch.id,
                batch.endpoint,
                batch.input_file_id,
                look_s=self._look_s,
                hook=self._hook,
            )

    # Those under way

    async def _look(self, batch: VendorBatch) -> VendorState | None:
        """How the vendor says it is; None where the vendor does not know it any more, or it is too old to be read."""
        assert batch.vendor_id is not None  # noqa: S101 - open ones have it
        try:
            there = await openai_batches.look(self._context(batch), batch.vendor_id)
        except GoneError:
            if _is_over(batch, GONE_AFTER):
                return None
            raise
        except ConfigError:
            if _is_over(batch, LONGEST):
                return None
            raise
        await self._batches.note_look(batch.id, vendor_state=there.status)
        return there

    async def _collect(self, batch: VendorBatch, there: VendorState | None) -> None:
        """Store all answers, give back what has none, and close the batch."""
        if there is None:
            await self._batches.end(batch.id, "failed", error=_FORGOTTEN, lost=True)
            return
        analyzer, context = self._reader(batch), self._context(batch)
        noise: Counter[str] = Counter()
        seen: set[str] = set()
        lost = False
        for file_id in filter(None, (there.output_file_id, there.error_file_id)):
            try:
                async for chunk in _chunks(openai_batches.read_lines(context, file_id)):
                    await self._take(batch, analyzer, context, chunk, seen, noise)
            except GoneError as error:
                if not _is_over(batch, GONE_AFTER):
                    raise
                lost = True
                logger.bind(error=describe(error)).error("answers of a vendor batch are gone")
        self._hook("end")
        state: BatchPhase = there.status  # type: ignore[assignment]  # one of ENDED
        counts = await self._batches.end(batch.id, state, noise=dict(noise), error=there.why or None, lost=lost)
        if counts is not None:
            logger.bind(state=state, **counts).info("vendor batch ended")
        self._hook("delete")
        # What customers' ads say is not left with the vendor.
        await delete_quietly(context, batch.input_file_id, there.output_file_id, there.error_file_id)

    async def _take(
        self,
        batch: VendorBatch,
        analyzer: ReadyAnalyzer,
        context: Context[Any],
        lines: list[bytes],
        seen: set[str],
        noise: Counter[str],
    ) -> None:
        """Judge and store some lines. What an earlier try has stored is passed over."""
        answers: dict[str, Line] = {}
        for raw in lines:
            line = _parse(raw)
            if line is None:
                noise["garbage"] += 1
            elif line.custom_id in seen:
                noise["doubled"] += 1
            else:
                seen.add(line.custom_id)
                answers[line.custom_id] = line
        known = await self._batches.known(batch.id, list(answers))
        noise["unknown"] += len(answers.keys() - known)
        waiting = await self._batches.waiting(batch.id, list(answers))
        received = [
            one
            for key, request in waiting.items()
            if (one := await self._judge(batch, analyzer, context, request, answers[key])) is not None
        ]
        self._hook("keep")
        if received:
            await self._batches.keep(batch.id, received)

    async def _judge(
        self, batch: VendorBatch, analyzer: ReadyAnalyzer, context: Context[Any], request: Waiting, line: Line
    ) -> Received | None:
        """What an answer means; None where the vendor says that it did not come to this one."""
        if line.response is None:
            code = (line.error.code if line.error else None) or ""
            if code in NOT_RUN:
                return None
            said = f"openai: a batch answered {code or 'nothing'}: {(line.error.message if line.error else '')!r}"
            return Received(record=_record(request.key, Retry(said, code="ADO-3205")))
        body = bytes(line.response.body)
        if line.response.status_code != 200:  # noqa: PLR2004 - OK
            error = openai_batches.line_error(context, line.response.status_code, body, batch.model)
            return Received(record=_record(request.key, error))
        model, units = openai_batches.used_by(batch.endpoint, body)
        cost = self._cost(batch, model, units)
        try:
            result = await analyzer.analyzer.batch_result(context, request.info, body)
            plain = clean_plain(msgspec.to_builtins(result))
        except AdologyError as error:
            return Received(record=_record(request.key, error, cost), model=model, units=units)
        except Exception as error:  # noqa: BLE001 - recorded as the item's outcome
            logger.opt(exception=True).error("analyzer raised")
            reason = clean_text(f"{analyzer.name}: {describe(error)}", LONGEST_REASON)
            record = AnalysisRecord(key=request.key, error_code="ADO-3002", error=reason, cost_usd=cost)
            return Received(record=record, model=model, units=units)
        return Received(record=AnalysisRecord(key=request.key, result=plain, cost_usd=cost), model=model, units=units)

    def _cost(self, batch: VendorBatch, model: str, units: dict[str, float]) -> float:
        find, day = self._batches.prices.find, batch.created_at.date()
        price = (find(batch.service, model, day) if model else None) or find(batch.service, batch.model, day)
        return float(price.cost(units) if price is not None else Decimal(0))


_FORGOTTEN = "the vendor does not have it any more, or nobody could read it in time"


def _is_over(batch: VendorBatch, life: timedelta) -> bool:
    return datetime.now(UTC) - batch.created_at > life


def _parse(raw: bytes) -> Line | None:
    try:
        return msgspec.json.decode(raw, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _record(key: str, error: AdologyError, cost_usd: float = 0.0) -> AnalysisRecord:
    """As `AnalysisRunner` records it: passing faults are put off, and tried in a call of their own."""
    after: float | None = None
    match error:
        case Deferred():
            after = error.after
        case ConfigError():
            after = CONFIG_DEFERRAL_S
        case RetryLater():
            after = error.seconds
        case Retry():
            after = max(RETRY_S, error.after or 0.0)
    return AnalysisRecord(
        key=key,
        error_code=code_of(error),
        error=clean_text(describe(error), LONGEST_REASON),
        retry_after_s=after,
        cost_usd=cost_usd,
    )


async def _chunks(lines: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    chunk: list[bytes] = []
    async for line in lines:
        if not line.strip():
            continue
        chunk.append(line)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
