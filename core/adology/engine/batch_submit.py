"""Stale subjects asked about in a vendor's batches instead of calls: half the price, within a day.

No crash loses or pays twice, by the order of the steps:

1. One transaction claims the analyses, sets their price aside and notes our batch, *preparing*.
2. The file of requests goes up. Whoever dies by here has its claims given back by the steward.
3. The batch is *submitting* from before the vendor is asked to create it, with our id as metadata.
   Whoever dies after that, or gets no answer: the steward looks for it at the vendor by that id.
4. The vendor's id is stored: the batch is *open*.
"""

from __future__ import annotations

import asyncio
import math
import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from adology.abc.analyzer import AdItem, Analyzer, BatchRequest, MediaItem
from adology.context import Context
from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer
from adology.engine.batch_items import BatchItems, NotReadyError
from adology.engine.clean import clean_plain
from adology.engine.invoke import Invoker
from adology.engine.model import AnalysisRecord, Claim
from adology.engine.ports import AnalysesPort, SubjectsPort, VendorBatchesPort
from adology.engine.vendor_batch import Asked, VendorBatch
from adology.errors import AdologyError, Skip, Terminal, code_of, describe
from adology.isolation import IsolatedFaultError
from adology.log import logger
from adology.settings.prices import Price
from adology.store.subjects import SubjectKind
from adology.types import Struct
from adology.vendors import openai_batches
from adology.vendors.errors import AnswerLostError

PREPARE_S = 1200.0
"""Lease from the claim until the vendor is asked; an upload takes ten minutes at most."""
CANNOT = "cannot be asked in a batch with these settings"
TOO_LONG = "their requests are too long for a batch; without --batch workers ask about them"
SUBMIT_S = 300.0
"""Lease while the vendor is asked to create a batch, which is given up after one minute."""


class BatchLimits(Struct, frozen=True, kw_only=True):
    """Most of one batch, well below the vendor's 50,000 requests and 200 MB.

    Smaller batches are done sooner, go up in one time-out, and lose less when one fails as a whole.
    """

    requests: int = 10_000
    size_bytes: int = 64 * 1024 * 1024
    inputs: int = 40_000
    """Texts of embedding requests together; the vendor takes 50,000."""
    line_bytes: int = openai_batches.MOST_LINE_BYTES
    """One request with its pictures. A longer one is not asked in a batch."""

    def batches(self, requests: int, size_bytes: int, inputs: int) -> int:
        """How many batches so much makes, at least."""
        shares = (requests / self.requests, size_bytes / self.size_bytes, inputs / self.inputs)
        return math.ceil(max(shares))


class Quoted(msgspec.Struct, kw_only=True):
    """What asking about some subjects would be. `settled` and `left` as in `Submitted`."""

    requests: int = 0
    size_bytes: int = 0
    inputs: int = 0
    estimate_usd: Decimal | None = Decimal(0)
    settled: int = 0
    left: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, request: _Request, price: Price | None) -> None:
        """One request more."""
        self.requests += 1
        self.size_bytes += len(request.line)
        self.inputs += request.inputs
        if price is None or self.estimate_usd is None:
            self.estimate_usd = None
        else:
            self.estimate_usd += price.cost(request.units)


class Submitted(msgspec.Struct, kw_only=True):
    """What was handed over. `left` counts what was not, by why; `unsure`: batches that the steward looks for."""

    batches: int = 0
    requests: int = 0
    estimate_usd: Decimal | None = Decimal(0)
    unsure: int = 0
    settled: int = 0
    """Subjects that need no answer: there is nothing to ask about them, or a result from earlier."""
    left: Counter[str] = msgspec.field(default_factory=Counter)


class BatchSubmitter:
    """Makes batches of requests. `hook` is called with the name of each step: tests stop there."""

    def __init__(
        self,
        *,
        batches: VendorBatchesPort,
        analyses: AnalysesPort,
        subjects: SubjectsPort,
        items: BatchItems,
        invoker: Invoker,
        analyzers: AnalyzerSet,
        owner: str,
        look_s: float,
        limits: BatchLimits | None = None,
        scratch: Path | None = None,
        hook: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._batches = batches
        self._analyses = analyses
        self._subjects = subjects
        self._items = items
        self._invoker = invoker
        self._analyzers = analyzers
        self._owner = owner
        self._look_s = look_s
        self._limits = limits or BatchLimits()
        self._scratch = scratch
        self._hook = hook

    @property
    def limits(self) -> BatchLimits:
        """The most of one batch."""
        return self._limits

    async def quote(self, analyzer: ReadyAnalyzer, kind: SubjectKind, subjects: Sequence[str]) -> Quoted:
        """How many of these would be asked about, and what that costs at most; nothing is sent or stored."""
        answer = Quoted()
        day = datetime.now(UTC).date()
        async with _folder(self._scratch) as folder:
            for subject in subjects:
                match await self._request(analyzer, kind, subject, folder):
                    case _Request() as request:
                        price = self._batches.prices.find(openai_batches.SERVICE, request.model, day)
                        answer.add(request, price)
                    case Skip() | Terminal():
                        answer.settled += 1
                    case why:
                        answer.left[why.message if why else CANNOT] += 1
        return answer

    async def submit(
        self,
        analyzer: ReadyAnalyzer,
        kind: SubjectKind,
        pages: AsyncIterator[list[tuple[str, str]]],
        *,
        reopen: bool = False,
        done: Callable[[int], None] = lambda _: None,
    ) -> Submitted:
        """Ask about subjects, each with the brand that pays for it. `reopen`: failed ones as well.

        Raises:
            AdologyError: the vendor, or a setting; batches before that one are under way all the same.
        """
        answer = Submitted()
        piles: dict[tuple[str, str], _Pile] = {}
        async with _folder(self._scratch) as folder:
            async for page in pages:
                for subject, brand in page:
                    request = await self._request(analyzer, kind, subject, folder)
                    if not isinstance(request, _Request):
                        await self._note_unasked(analyzer, kind, subject, request, answer)
                        continue
                    which = (request.endpoint, request.model)
                    pile = piles.setdefault(which, _Pile(folder, *which))
                    if pile.is_full(self._limits, request):
                        await self._send(analyzer, piles.pop(which), answer, reopen=reopen)
                        pile = piles[which] = _Pile(folder, *which)
                    pile.add(request, brand)
                done(len(page))
            for pile in piles.values():
                await self._send(analyzer, pile, answer, reopen=reopen)
        return answer

    async def _request(
        self, analyzer: ReadyAnalyzer, kind: SubjectKind, subject: str, folder: Path
    ) -> _Request | AdologyError | None:
        """What to ask; an error about this subject, or None where it cannot be asked in a batch."""
        try:
            async with self._items.item(analyzer, self._analyzers, kind, subject, folder) as item:
                asked = await self._ask(analyzer, item, folder)
        except (Skip, Terminal, NotReadyError) as error:
            return error
        if asked is None:
            return None
        if type(analyzer.analyzer).batch_result is Analyzer.batch_result:
            # Said now: thousands of answers that nobody can read would be paid for all the same.
            raise ValueError(f"{analyzer.name} has batch_request but no batch_result; nothing was sent")
        if asked.endpoint not in openai_batches.ENDPOINTS:
            raise ValueError(f"batch_request of {analyzer.name} names endpoint {asked.endpoint!r}")
        request = _Request.of(analyzer.claim(kind, subject), asked)
        if len(request.line) > min(self._limits.line_bytes, self._limits.size_bytes):
            return NotReadyError(TOO_LONG)
        return request

    async def _ask(self, analyzer: ReadyAnalyzer, item: AdItem | MediaItem, folder: Path) -> BatchRequest | None:
        try:
            return await self._invoker.request(analyzer, item, folder)
        except AdologyError:
            raise
        except Exception as error:
            # One odd item must not keep thousands from being asked about. Whether it is a failure
            # a worker finds out, whose word that is.
            logger.bind(analyzer=analyzer.name).opt(exception=True).error("analyzer raised")
            raise NotReadyError(
                f"{analyzer.name} raised {_name_of(error)} on them, see the log; without --batch workers try again"
            ) from error

    async def _note_unasked(
        self,
        analyzer: ReadyAnalyzer,
        kind: SubjectKind,
        subject: str,
        why: AdologyError | None,
        answer: Submitted,
    ) -> None:
        """Nothing to ask about is a result, as it is without batches; what cannot be asked yet is left."""
        if not isinstance(why, Skip | Terminal):
            answer.left[why.message if why else CANNOT] += 1
            return
        claim = analyzer.claim(kind, subject)
        claimed = await self._analyses.claim([claim], owner=self._owner, lease_s=SUBMIT_S)
        if claimed[claim.key].state == "mine":
            record = AnalysisRecord(key=claim.key, error_code=code_of(why), error=describe(why))
            await self._analyses.store([record])
        await self._subjects.link(kind, subject, {analyzer.name: claim.key})
        answer.settled += 1

    async def _send(self, analyzer: ReadyAnalyzer, pile: _Pile, answer: Submitted, *, reopen: bool) -> None:
        """One batch, by the steps of this module."""
        batch = VendorBatch(
            id=str(uuid.uuid4()),
            service=openai_batches.SERVICE,
            analyzer=analyzer.name,
            version=analyzer.analyzer.version,
            fingerprint=analyzer.fingerprint,
            endpoint=pile.endpoint,
            model=pile.model,
            created_at=datetime.now(UTC),
        )
        finished = await self._batches.link_finished([one.claim.key for one in pile.asked], but_failed=reopen)
        answer.settled += len(finished)
        asked = [one for one in pile.asked if one.claim.key not in finished]
        if not asked:
            return
        self._hook("claim")
        prepared = await self._batches.prepare(batch, asked, owner=self._owner, lease_s=PREPARE_S, reopen=reopen)
        answer.left.update(prepared.left)
        if not prepared.keys:
            return
        self._hook("upload")
        context: Context[Any] = Context(analyzer.name, analyzer.settings, section="analyzers")
        try:
            await asyncio.to_thread(pile.keep_only, prepared.keys)
            file_id = await openai_batches.upload(context, pile.path, f"adology-{batch.id}.jsonl")
        except AdologyError as error:
            await self._batches.end(batch.id, "given_back", error=describe(error), only=("preparing",))
            raise
        self._hook("submit")
        if not await self._batches.begin_submit(batch.id, owner=self._owner, input_file_id=file_id, lease_s=SUBMIT_S):
            raise Terminal(f"batch {batch.id} took longer than {PREPARE_S:g} s to go up", code="ADO-3212")
        answer.batches += 1
        answer.requests += len(prepared.keys)
        if answer.estimate_usd is not None and prepared.estimate_usd is not None:
            answer.estimate_usd += prepared.estimate_usd
        else:
            answer.estimate_usd = None
        answer.unsure += not await create_batch(
            context, self._batches, batch.id, pile.endpoint, file_id, look_s=self._look_s, hook=self._hook
        )


async def create_batch(
    context: Context[Any],
    batches: VendorBatchesPort,
    batch_id: str,
    endpoint: str,
    file_id: str,
    *,
    look_s: float,
    hook: Callable[[str], None] = lambda _: None,
) -> bool:
    """Have the vendor create a batch that is *submitting*; False where that is not known.

    Raises:
        AdologyError: the vendor refuses; the analyses are given back.
    """
    hook("create")
    try:
        async with asyncio.timeout(SUBMIT_S / 2):  # whoever wakes up later must not create another one
            made = await openai_batches.create(context, endpoint, file_id, batch_id)
    except AnswerLostError as lost:
        await batches.note_look(batch_id, error=describe(lost.because))
        return False
    except TimeoutError:
        return False
    except AdologyError as error:
        await batches.end(batch_id, "given_back", error=describe(error), only=("submitting",))
        await delete_quietly(context, file_id)
        raise
    hook("store")
    if not await batches.note_opened(batch_id, vendor_id=made.id, vendor_state=made.status, look_s=look_s):
        # Somebody else, who took us for dead, had it created too: one of the two is enough.
        logger.bind(batch=batch_id, vendor_batch=made.id).warning("vendor batch cancelled: it exists already")
        await openai_batches.cancel(context, made.id)
    return True


async def delete_quietly(context: Context[Any], *file_ids: str | None) -> None:
    """Delete files at the vendor; it does so itself after some days."""
    for file_id in file_ids:
        try:
            if file_id:
                await openai_batches.delete_file(context, file_id)
        except AdologyError as error:
            logger.bind(file=file_id, error=describe(error)).warning("file at the vendor not deleted")


class _Request(msgspec.Struct, frozen=True):
    """What one analysis is asked with: its line in the file, and what is kept until the answer comes."""

    claim: Claim
    endpoint: str
    model: str
    units: dict[str, float]
    info: Any
    line: bytes
    inputs: int

    @classmethod
    def of(cls, claim: Claim, asked: BatchRequest) -> _Request:
        return cls(
            claim=claim,
            endpoint=asked.endpoint,
            model=asked.model,
            units=asked.units,
            # They are stored together: one that the database refuses would fail the others.
            info=clean_plain(asked.info),
            line=openai_batches.request_line(claim.key, asked.endpoint, asked.body),
            inputs=_inputs(asked),
        )


class _Pile:
    """Requests of one endpoint and model, their lines in a file."""

    def __init__(self, folder: Path, endpoint: str, model: str) -> None:
        self.endpoint = endpoint
        self.model = model
        self.path = folder / f"{uuid.uuid4().hex}.jsonl"
        self.asked: list[Asked] = []
        self._size = 0
        self._inputs = 0

    def is_full(self, limits: BatchLimits, request: _Request) -> bool:
        """Whether this one more would pass a limit."""
        return bool(self.asked) and (
            len(self.asked) >= limits.requests
            or self._size + len(request.line) > limits.size_bytes
            or self._inputs + request.inputs > limits.inputs
        )

    def add(self, request: _Request, brand: str) -> None:
        """One request more, and who pays."""
        with self.path.open("ab") as file:
            file.write(request.line)
        self.asked.append(Asked(claim=request.claim, brand=brand, units=request.units, info=request.info))
        self._size += len(request.line)
        self._inputs += request.inputs

    def keep_only(self, keys: frozenset[str]) -> None:
        """Leave the lines of these keys."""
        if len(keys) == len(self.asked):
            return
        whole = self.path
        self.path = whole.with_suffix(".kept")
        with whole.open("rb") as lines, self.path.open("wb") as kept:
            kept.writelines(line for asked, line in zip(self.asked, lines, strict=True) if asked.claim.key in keys)


def _name_of(error: Exception) -> str:
    return error.error if isinstance(error, IsolatedFaultError) else type(error).__name__


def _inputs(request: BatchRequest) -> int:
    given = request.body.get("input")
    return len(given) if request.endpoint == "/v1/embeddings" and isinstance(given, list) else 0


class _folder:  # noqa: N801 - reads as a verb where it is used
    """A scratch folder that is gone afterwards."""

    def __init__(self, parent: Path | None) -> None:
        self._parent = parent

    async def __aenter__(self) -> Path:
        self._path = Path(tempfile.mkdtemp(prefix="adology-", dir=self._parent))
        return self._path

    async def __aexit__(self, *_: object) -> None:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, self._path, ignore_errors=True))
