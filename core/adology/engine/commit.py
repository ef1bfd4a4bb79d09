"""COMMIT: documents first, then one transaction that makes the batch visible, whole and once.

The registry's lease only spares double work. What makes the commit happen once is the ledger row,
which the committing sink locks and flips in its own transaction.
"""

from __future__ import annotations

import asyncio

from adology.aio import every
from adology.engine.model import Batch
from adology.engine.ports import AnalysesPort, CommitSinks, ItemsPort, LedgerPort, ObjectsPort, OutboxPort, SendPort
from adology.engine.stored_batch import StoredBatch
from adology.errors import LeaseLostError, Retry, describe
from adology.log import bound, logger
from adology.registry_client.protocol import CommitLeaseLostError, Registry, StaleBatchError, UnknownBrandError

FORGOTTEN = (UnknownBrandError, StaleBatchError)


class Committer:
    """Commits batches for whoever won a commit lease."""

    def __init__(
        self,
        *,
        ledger: LedgerPort,
        items: ItemsPort,
        analyses: AnalysesPort,
        objects: ObjectsPort,
        registry: Registry,
        sinks: CommitSinks,
        outbox: OutboxPort,
        send: SendPort,
        lease_s: float,
    ) -> None:
        self._ledger = ledger
        self._items = items
        self._analyses = analyses
        self._objects = objects
        self._registry = registry
        self._sinks = sinks
        self._outbox = outbox
        self._send = send
        self._lease_s = lease_s

    async def commit(self, batch: Batch, lease_token: str) -> bool:
        """Commit the batch; False when it is not complete yet, and the lease is given back.

        Safe to call again after any failure, and by two at once.

        Raises:
            Retry: a store does not answer; nothing of the batch is visible.
            LeaseLostError: another worker is committing.
        """
        with bound(brand=batch.brand, batch=batch.id):
            try:
                async with every(self._lease_s / 3, lambda: self._renew(batch, lease_token)):
                    return await self._commit(batch, lease_token)
            except LeaseLostError:
                raise
            except BaseException:
                await asyncio.shield(self._release(batch, lease_token))
                raise

    async def _commit(self, batch: Batch, lease_token: str) -> bool:
        now = await self._ledger.find_batch(batch.id)
        if now is not None and now.is_open:
            await self._collect_foreign(now)
            stored = await StoredBatch.open(now, self._items, self._analyses, self._objects)
            if stored.missing:
                # Somebody else's URLs were counted as well; the missing one's own submit comes yet.
                logger.bind(missing=stored.missing).warning("batch is not complete, commit put off")
                await self._release(batch, lease_token)
                return False
            await self._sinks.write_documents(stored)
            await self._sinks.write_commit(stored)
            logger.bind(ads=stored.counts.ads, urls=stored.counts.urls, failures=stored.counts.failures).info(
                "batch committed"
            )
            await self._sinks.tell_followers(stored)
        await self._outbox.flush(self._send, batch_id=batch.id)
        try:
            await self._registry.complete(batch.brand, batch.id, lease_token)
        except (CommitLeaseLostError, *FORGOTTEN) as error:
            # Another winner, or a newer batch: the ledger says committed, and whoever it is finds that out.
            logger.bind(error=describe(error)).info("batch was out of the registry's hands already")
        return True

    async def _collect_foreign(self, batch: Batch) -> None:
        """Results that only the registry has: other people's workers submit without keeping them."""
        counts = await self._items.count(batch.id)
        if counts.get("ok", 0) + counts.get("failed", 0) >= (batch.expected_count or 0):
            return
        results = await self._registry.results(batch.brand, batch.id)
        if results:
            await self._items.save([(batch.id, result) for result in results])

    async def _renew(self, batch: Batch, lease_token: str) -> None:
        try:
            await self._registry.renew(batch.brand, batch.id, lease_token)
        except CommitLeaseLostError as error:
            raise LeaseLostError(f"batch {batch.id}: {describe(error)}") from error
        except (*FORGOTTEN, Retry) as error:
            # A registry without memory cannot stop a commit that the ledger guards.
            logger.bind(error=describe(error)).warning("commit lease not renewed")

    async def _release(self, batch: Batch, lease_token: str) -> None:
        try:
            await self._registry.release(batch.brand, batch.id, lease_token)
        except Exception as error:  # noqa: BLE001 - the lease runs out by itself; the first error matters
            logger.bind(error=describe(error)).warning("commit lease could not be given back")
