"""The steward: repairs what crashes left behind. Every step is safe to repeat, and for two at once.

A round enqueues brands that are due, flushes the outbox, looks after open batches without progress,
asks for put-off analyses that are due and for insights that never came, clears away what is over (old
rows of the feed of changes, ended batches at the registry) and looks after batches at vendors.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from adology.abc.sink import ItemResult
from adology.engine.acquire import LONGEST_REASON, failed
from adology.engine.commit import Committer
from adology.engine.manifest import Item, Manifest
from adology.engine.metadata import item_body
from adology.engine.model import Batch, hash_url
from adology.engine.ports import (
    CallsPort,
    CataloguePort,
    DuePort,
    FeedPort,
    ItemsPort,
    LedgerPort,
    Locks,
    ObjectsPort,
    OutboxPort,
    SendPort,
)
from adology.engine.submit import Submitter
from adology.errors import AdologyError, EngineError, Retry, describe
from adology.log import bound, logger
from adology.queues.messages import AnalyzeMessage, GatherMessage, InsightMessage, encode
from adology.registry_client.protocol import Registry, StaleBatchError, UnknownBrandError
from adology.store.naming import clean_text

SEND_CHUNK = 200
DUE_CHUNK = 500
LOST_CALL_S = 1800.0
INSIGHT_AFTER_S = 30.0


class Steward:
    """One round at a time; `run_round` never raises for a fault of a single batch."""

    def __init__(
        self,
        *,
        ledger: LedgerPort,
        items: ItemsPort,
        catalogue: CataloguePort,
        objects: ObjectsPort,
        registry: Registry,
        submitter: Submitter,
        committer: Committer,
        outbox: OutboxPort,
        subjects: DuePort,
        spending: CallsPort,
        changes: FeedPort,
        send: SendPort,
        locks: Locks,
        stalled_after_s: float,
        max_attempts: int,
        outbox_after_s: float,
        insight_after_s: float = INSIGHT_AFTER_S,
        vendor_batches: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._ledger = ledger
        self._items = items
        self._catalogue = catalogue
        self._objects = objects
        self._registry = registry
        self._submitter = submitter
        self._committer = committer
        self._outbox = outbox
        self._subjects = subjects
        self._spending = spending
        self._changes = changes
        self._send = send
        self._locks = locks
        self._stalled_after_s = stalled_after_s
        self._max_attempts = max_attempts
        self._outbox_after_s = outbox_after_s
        self._vendor_batches = vendor_batches
        self._insight_after_s = max(insight_after_s, stalled_after_s)

    async def run_round(self) -> bool:
        """One round; False when another steward is at it."""
        async with self._locks.hold("steward") as mine:
            if not mine:
                return False
            await self._guard("due brands", self._queue_due)
            await self._guard("outbox", self._flush)
            await self._guard("stalled batches", self._repair_stalled)
            await self._guard("deferred analyses", self._ask_for_analyses)
            await self._guard("paid calls", self._close_lost_calls)
            await self._guard("old changes", self._clear_changes)
            await self._guard("insights", self._ask_for_insights)
            await self._guard("registry", self._clear_registry)
            if self._vendor_batches is not None:
                await self._guard("vendor batches", self._vendor_batches)  # last: it may fetch for seconds
            return True

    async def _guard(self, what: str, step: Callable[[], Awaitable[None]]) -> None:
        """A store that is down for one step, or a batch that cannot be, must not keep the others from their work."""
        try:
            await step()
        except AdologyError as error:
            logger.bind(step=what, error=describe(error)).warning("steward step failed")
        except Exception:  # noqa: BLE001 - as above; a sink may raise anything
            logger.bind(step=what).opt(exception=True).error("steward step failed")

    async def _queue_due(self) -> None:
        count = await self._catalogue.queue_due()
        if count:
            logger.bind(brands=count).info("refreshes are due")
            await self._outbox.flush(self._send)

    async def _flush(self) -> None:
        sent = await self._outbox.flush(self._send, older_s=self._outbox_after_s)
        if sent:
            logger.bind(messages=sent).info("outbox flushed")

    async def _repair_stalled(self) -> None:
        for batch in await self._ledger.list_stalled(idle_s=self._stalled_after_s):
            with bound(brand=batch.brand, batch=batch.id):
                await self._guard("repair", lambda batch=batch: self._repair(batch))  # type: ignore[misc]  # bound now

    async def _repair(self, batch: Batch) -> None:
        """Bring one stalled batch on: gather it again, send what is missing, or commit it."""
        await self._ledger.note_repair(batch.id)
        logger.bind(state=batch.state, repairs=batch.repairs).warning("batch is stalled")
        if batch.state == "discovering" or batch.queued_at is None:
            request = f"repair:{batch.id}:{batch.repairs}"
            await self._send("gather", [encode(GatherMessage(brand=batch.brand, request_id=request))])
        elif batch.manifest_key is None:
            await self._repair_foreign(batch)
        else:
            await self._repair_own(batch)

    async def _repair_own(self, batch: Batch) -> None:
        have, attempts = await self._known(batch)
        manifest = Manifest(self._objects, batch.id)
        seal = await manifest.read_seal()
        chunk: list[Item] = []
        lost: list[ItemResult] = []
        sent = 0
        async for item in manifest.items(seal.parts):
            key = hash_url(item.url)
            if key in have:
                continue
            tries = attempts.get(key, 0)
            if tries >= self._max_attempts:
                lost.append(failed(item.url, "ADO-5513", f"given up: no result after it was queued {tries + 1} times"))
                continue
            chunk.append(item)
            if len(chunk) == SEND_CHUNK:
                sent += await self._send_again(batch, chunk)
        sent += await self._send_again(batch, chunk)
        if lost:
            logger.bind(urls=len(lost)).error("URLs given up")
            await self._items.save([(batch.id, result) for result in lost])
        if sent:
            logger.bind(urls=sent).warning("missing URLs queued again")
        else:
            await self._finish(batch)

    async def _known(self, batch: Batch) -> tuple[set[bytes], dict[bytes, int]]:
        """URLs that have a result, and how often the others were queued again."""
        have: set[bytes] = set()
        attempts: dict[bytes, int] = {}
        async for page in self._items.pages(batch.id):
            for saved in page:
                if saved.result is not None:
                    have.add(hash_url(saved.result.url))
                else:
                    attempts[hash_url(saved.url)] = saved.attempts
        return have, attempts

    async def _send_again(self, batch: Batch, chunk: list[Item]) -> int:
        if not chunk:
            return 0
        # Counted before it is sent: a poisonous URL that brings the steward down is still counted.
        await self._items.note_attempts(batch.id, [item.url for item in chunk])
        await self._send("acquire", [item_body(batch.brand, batch.id, item, again=True) for item in chunk])
        count = len(chunk)
        chunk.clear()
        return count

    async def _finish(self, batch: Batch) -> None:
        """Every URL has a result: count them at the registry, and commit if that falls to us."""
        answer = await self._submitter.restore(batch)
        if answer is None or not answer.should_commit:
            return
        try:
            await self._committer.commit(batch, answer.lease_token)
        except (Retry, EngineError):
            raise
        except Exception as error:
            if batch.repairs < self._max_attempts:
                raise
            logger.opt(exception=True).error("batch failed: it cannot be committed")
            await self._give_up(batch, f"given up: it could not be committed: {describe(error)}")

    async def _give_up(self, batch: Batch, reason: str) -> None:
        """End the batch without a commit; its manifest and results stay for whoever looks into it."""
        await self._ledger.fail_batch(batch.id, clean_text(reason, LONGEST_REASON))
        await self._forget(batch.brand, batch.id)

    async def _repair_foreign(self, batch: Batch) -> None:
        """A batch of somebody else's program has no manifest: only its sender can send again."""
        submitted = await self._registry.results(batch.brand, batch.id)
        if submitted:
            # Of their own workers' results there is no other copy.
            await self._items.save([(batch.id, result) for result in submitted])
        counts = await self._items.count(batch.id)
        have = counts.get("ok", 0) + counts.get("failed", 0)
        if have >= (batch.expected_count or 0):
            await self._finish(batch)
        elif batch.repairs >= self._max_attempts:
            reason = f"given up: {have} of {batch.expected_count} distinct URLs came, and none for long"
            logger.bind(reason=reason).error("foreign batch failed")
            await self._give_up(batch, reason)

    async def _ask_for_analyses(self) -> None:
        """What was put off, by a vendor or a budget, is made when its time has come."""
        due = await self._subjects.take_due(limit=DUE_CHUNK)
        if due:
            bodies = [encode(AnalyzeMessage(brand=one.brand, kind=one.kind, subject=one.subject)) for one in due]
            await self._send("analyze", bodies)
            logger.bind(subjects=len(due)).info("deferred analyses are due")

    async def _close_lost_calls(self) -> None:
        """A process that died while a vendor worked has perhaps been charged: nobody will ever know."""
        lost = await self._spending.close_lost(older_s=LOST_CALL_S)
        if lost:
            logger.bind(calls=lost).warning("paid calls without an end: their estimate stands")

    async def _clear_changes(self) -> None:
        await self._changes.clear()

    async def _ask_for_insights(self) -> None:
        for batch in await self._ledger.list_without_insight(older_s=self._insight_after_s):
            await self._ledger.note_insight_ask(batch.id)
            if batch.insight_asks >= self._max_attempts:
                logger.bind(brand=batch.brand, batch=batch.id).error("insights given up")
                await self._ledger.mark_insight(batch.id)
                continue
            await self._send("insight", [encode(InsightMessage(brand=batch.brand, batch=batch.id))])

    async def _clear_registry(self) -> None:
        """Ended batches that their committer could not report, and foreign ones that nobody works on."""
        for active in await self._registry.brands():
            batch = await self._ledger.find_batch(active.batch_id)
            if batch is not None and batch.brand != active.brand:
                batch = None  # another brand's batch of the same id says nothing about this one
            if batch is not None and not batch.is_open:
                await self._forget(active.brand, active.batch_id)
            elif batch is None and active.idle_s > 4 * self._stalled_after_s:
                logger.bind(brand=active.brand, batch=active.batch_id, idle_s=active.idle_s).error(
                    "abandoned foreign batch cleared from the registry"
                )
                await self._forget(active.brand, active.batch_id)

    async def _forget(self, brand: str, batch_id: str) -> None:
        try:
            await self._registry.complete(brand, batch_id)
        except (UnknownBrandError, StaleBatchError):
            return
