"""Results: durable first, then counted by the registry, whatever the registry remembers."""

from __future__ import annotations

from collections import OrderedDict

from adology.abc.sink import ItemResult
from adology.aio import Coalescer
from adology.engine.activate import activate
from adology.engine.batches import Batches
from adology.engine.model import Batch
from adology.engine.ports import ItemsPort, LedgerPort
from adology.log import logger
from adology.registry_client.protocol import (
    Registry,
    StaleBatchError,
    SubmitAnswer,
    UnknownBrandError,
)

EPOCHS_KEPT = 1000


class Submitter:
    """Keeps and submits results; restores a batch that the registry does not know any more."""

    def __init__(self, items: ItemsPort, ledger: LedgerPort, registry: Registry, batches: Batches) -> None:
        self._ledger = ledger
        self._items = items
        self._registry = registry
        self._batches = batches
        self._epochs: OrderedDict[str, str] = OrderedDict()
        self._keep: Coalescer[tuple[str, ItemResult], None] = Coalescer(self._keep_many, most=100, parallel=2)

    async def find_stored(self, batch: Batch, url: str) -> ItemResult | None:
        """The durable result of a URL."""
        return await self._items.find(batch.id, url)

    async def keep(self, batch: Batch, result: ItemResult) -> None:
        """Make a result durable; one that the URL has already stands."""
        await self._keep((batch.id, result))

    async def _keep_many(self, results: list[tuple[str, ItemResult]]) -> list[None]:
        await self._items.save(results)
        return [None] * len(results)

    async def submit(self, batch: Batch, result: ItemResult) -> SubmitAnswer | None:
        """Have the result counted; None when the batch has ended meanwhile.

        Raises:
            Retry: another batch of the brand is active at the registry.
        """
        try:
            answer = await self._registry.submit(batch.brand, batch.id, result)
        except (UnknownBrandError, StaleBatchError):
            return await self.restore(batch)
        known = self._epochs.get(batch.id)
        self._remember(batch.id, answer.epoch)
        if known is not None and known != answer.epoch and not answer.should_commit:
            # The registry restarted, and somebody restored the batch before us: perhaps not all of it.
            return await self.restore(batch)
        return answer

    async def restore(self, batch: Batch) -> SubmitAnswer | None:
        """Tell a registry that lost its memory what it had counted. Safe to do twice, or by two."""
        now = await self._batches.reload(batch.id)
        if now is None or not now.is_open or now.expected_count is None:
            return None
        answer = await activate(self._registry, self._ledger, now.brand, now.id, now.expected_count)
        count = 0
        async for page in self._items.pages(now.id):
            results = [saved.result for saved in page if saved.result is not None]
            if results and not answer.should_commit:
                answer = await self._registry.submit_many(now.brand, now.id, results)
                count += len(results)
        self._remember(now.id, answer.epoch)
        logger.bind(results=count, epoch=answer.epoch).warning("batch restored at the registry")
        return answer

    async def clear(self, batch: Batch) -> None:
        """Make the registry forget an ended batch, in case its committer died before saying so."""
        try:
            await self._registry.complete(batch.brand, batch.id)
        except (StaleBatchError, UnknownBrandError):
            return

    def _remember(self, batch_id: str, epoch: str) -> None:
        self._epochs[batch_id] = epoch
        self._epochs.move_to_end(batch_id)
        if len(self._epochs) > EPOCHS_KEPT:
            self._epochs.popitem(last=False)
