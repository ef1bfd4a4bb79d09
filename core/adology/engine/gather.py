"""GATHER: sources discover, the manifest remembers, the registry is told, messages are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from adology.aio import every
from adology.engine.activate import activate
from adology.engine.commit import Committer
from adology.engine.discover import LONGEST_REASON, Discovery
from adology.engine.manifest import Item, Manifest, Seal, SourceDone
from adology.engine.metadata import item_body
from adology.engine.model import Batch
from adology.engine.ports import CataloguePort, LedgerPort, ObjectsPort, SendPort, Sources
from adology.errors import LeaseLostError, Retry, RetryLater, UnknownBrandError, describe
from adology.log import bound, logger
from adology.queues.messages import GatherMessage, decode
from adology.queues.verdict import Dead, Defer, Delivery, Done, Verdict
from adology.registry_client.protocol import Registry
from adology.store.naming import clean_id, clean_text

SEND_CHUNK = 200
MOST_DEFERRALS = 200
"""A vendor that asks to slow down this often for one gathering counts as not answering: two days or more."""


class Gatherer:
    """Handles messages of the gather queue."""

    def __init__(
        self,
        *,
        ledger: LedgerPort,
        catalogue: CataloguePort,
        objects: ObjectsPort,
        registry: Registry,
        committer: Committer,
        send: SendPort,
        sources: Sources,
        now: Callable[[], datetime],
        lease_s: float,
        patience: int,
    ) -> None:
        self._ledger = ledger
        self._catalogue = catalogue
        self._objects = objects
        self._registry = registry
        self._committer = committer
        self._send = send
        self._sources = sources
        self._now = now
        self._lease_s = lease_s
        self._patience = patience

    async def handle(self, delivery: Delivery) -> Verdict:
        """Gather the brand, unless that was done or is being done for this request."""
        message = decode(delivery.body, GatherMessage)
        request = clean_id(message.request_id or delivery.message_id)
        try:
            opened = await self._ledger.open_batch(message.brand, request, lease_s=self._lease_s)
        except UnknownBrandError:
            return Dead(
                reason=f"brand {message.brand!r} is not in the catalogue; add it with `adology brand add`",
                code=UnknownBrandError.code,
            )
        with bound(brand=message.brand, batch=opened.batch.id):
            if opened.role == "covered":
                logger.info("request is covered by a batch that exists")
                return Done()
            if opened.role == "busy":
                return Defer(seconds=opened.wait_s + 0.5, why="another worker holds the gathering")
            return await self._run(opened.batch, delivery.receives, message.deferred)

    async def _run(self, batch: Batch, receives: int, deferred: int) -> Verdict:
        async def renew() -> None:
            await self._ledger.renew_gather(batch.id, batch.epoch, lease_s=self._lease_s)

        try:
            async with every(self._lease_s / 3, renew):
                return await self._gather(batch, receives, deferred)
        except LeaseLostError:
            raise
        except RetryLater as error:
            # Held for the pause: to the steward a batch that waits for a vendor is not a stalled one.
            await self._ledger.renew_gather(batch.id, batch.epoch, lease_s=error.seconds)
            raise
        except Exception as error:
            if isinstance(error, Retry) or receives < self._patience:
                await self._release(batch)
                raise
            logger.opt(exception=True).error("batch failed: it cannot be gathered")
            reason = clean_text(f"after {receives} tries: {describe(error)}", LONGEST_REASON)
            await self._ledger.fail_gather(batch.id, batch.epoch, reason)
            return Done()
        except BaseException:
            await asyncio.shield(self._release(batch))
            raise

    async def _release(self, batch: Batch) -> None:
        """Let the next owner start at once; if even that fails, the lease runs out by itself."""
        try:
            await self._ledger.release_gather(batch.id, batch.epoch)
        except Exception as error:  # noqa: BLE001 - the first error is the one to report
            logger.bind(error=str(error)).warning("gathering lease could not be given back")

    async def _gather(self, batch: Batch, receives: int, deferred: int) -> Verdict:
        manifest = Manifest(self._objects, batch.id)
        again = False
        if batch.state == "discovering":
            outcomes = await self._discover(batch, manifest, receives, deferred)
            if outcomes and all(done.outcome == "failed" for done in outcomes.values()):
                reasons = "; ".join(f"{name}: {done.reason.rstrip('.')}" for name, done in sorted(outcomes.items()))
                await self._ledger.fail_gather(batch.id, batch.epoch, reasons, _plain(outcomes))
                logger.bind(reason=reasons).error("batch failed: no source could be gathered")
                return Done()
            if not outcomes:
                await self._ledger.fail_gather(batch.id, batch.epoch, self._no_source(), {})
                logger.error("batch failed: the brand has no handle in any configured source")
                return Done()
            seal = await self._seal(batch, manifest, outcomes)
        else:
            # Its first gatherer may have sent some messages before it ended.
            again = True
            seal = await manifest.read_seal()
        start = await activate(self._registry, self._ledger, batch.brand, batch.id, seal.expected_count)
        await self._queue_items(batch, manifest, seal, again=again)
        await self._ledger.mark_queued(batch.id, batch.epoch)
        logger.bind(urls=seal.expected_count, ads=seal.ads).info("batch queued")
        if start.should_commit:
            await self._committer.commit(batch, start.lease_token)
        return Done()

    async def _discover(self, batch: Batch, manifest: Manifest, receives: int, deferred: int) -> dict[str, SourceDone]:
        brand = await self._catalogue.find_brand(batch.brand)
        if brand is None:
            raise UnknownBrandError(f"brand {batch.brand!r} left the catalogue while it was gathered")
        outcomes = {name: self._unknown(name) for name, given in brand.handles.items() if given}
        outcomes = {name: done for name, done in outcomes.items() if name not in self._sources}
        later: RetryLater | None = None
        progress: dict[str, int] = {"pages": 0, "ads": 0}
        for name, instance in sorted(self._sources.items()):
            if not brand.handles.get(name):
                continue
            discovery = Discovery(
                instance,
                manifest,
                self._catalogue,
                now=self._now,
                give_up=receives >= self._patience,
                wait=deferred < MOST_DEFERRALS,
                poisoned=receives > self._patience,
            )
            with bound(source=name):
                try:
                    outcomes[name] = await discovery.run(brand.brand(), lambda p, a: self._note(batch, progress, p, a))
                except RetryLater as error:
                    # The other sources need not wait for this one.
                    later = later or error
        if later is not None:
            raise later
        return outcomes

    async def _note(self, batch: Batch, progress: dict[str, int], pages: int, ads: int) -> None:
        progress["pages"] += pages
        progress["ads"] += ads
        await self._ledger.note_progress(batch.id, batch.epoch, dict(progress))

    async def _seal(self, batch: Batch, manifest: Manifest, outcomes: dict[str, SourceDone]) -> Seal:
        parts = await manifest.list_parts()
        expected = 0
        async for _ in manifest.items(parts):
            expected += 1
        seal = await manifest.write_seal(
            Seal(
                batch=batch.id,
                brand=batch.brand,
                sealed_at=self._now(),
                expected_count=expected,
                ads=sum(done.ads for done in outcomes.values()),
                parts=tuple(parts),
                sources=outcomes,
            )
        )
        await self._ledger.seal(
            batch.id,
            batch.epoch,
            manifest_key=manifest.seal_key,
            expected_count=seal.expected_count,
            sources=_plain(seal.sources),
        )
        return seal

    async def _queue_items(self, batch: Batch, manifest: Manifest, seal: Seal, *, again: bool) -> None:
        """Send a message for every URL; `again`: whoever gets one looks for a stored result first."""
        chunk: list[Item] = []
        async for item in manifest.items(seal.parts):
            chunk.append(item)
            if len(chunk) == SEND_CHUNK:
                await self._send("acquire", [item_body(batch.brand, batch.id, i, again=again) for i in chunk])
                chunk.clear()
        if chunk:
            await self._send("acquire", [item_body(batch.brand, batch.id, i, again=again) for i in chunk])

    def _unknown(self, name: str) -> SourceDone:
        """The outcome of a handle whose source this worker does not have."""
        reason = f"no source is called {name!r} (configured: {self._known()}); see `adology plugins list`"
        return SourceDone(outcome="failed", reason=clean_text(reason, LONGEST_REASON), code="ADO-1006")

    def _no_source(self) -> str:
        return f"the brand has no handle in any source (configured: {self._known()}); add one with `adology brand add`"

    def _known(self) -> str:
        return ", ".join(sorted(self._sources)) or "none"


def _plain(outcomes: dict[str, SourceDone]) -> dict[str, object]:
    """Outcomes for the ledger; cursors stay in the manifest."""
    return {
        name: {
            "outcome": done.outcome,
            "reason": done.reason,
            "code": done.code,
            "pages": done.pages,
            "ads": done.ads,
            "whole": done.whole,
        }
        for name, done in outcomes.items()
    }
