"""Which batch a message belongs to, without asking the ledger each time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from adology.engine.model import Batch
from adology.engine.ports import LedgerPort
from adology.errors import EngineError, Retry
from adology.registry_client.protocol import Registry

REMEMBERED = 1000
FRESH_S = 5.0
BLOCKED_PAUSE_S = 15.0


class BatchBlockedError(Retry):
    """Somebody else's batch cannot have its ledger row while another one of its brand is open."""

    code = "ADO-5403"


class Batches:
    """Looks batches up by id, or by brand for messages of other people's programs."""

    def __init__(self, ledger: LedgerPort, registry: Registry, *, fresh_s: float = FRESH_S) -> None:
        self._ledger = ledger
        self._registry = registry
        self._fresh_s = fresh_s
        self._known: OrderedDict[str, tuple[Batch, float]] = OrderedDict()

    async def find(self, brand: str, batch_id: str | None) -> Batch | None:
        """The batch; None when nobody knows one, or when the batch of that id is another brand's."""
        if batch_id is None:
            return await self._find_active(brand)
        batch = await self._find_known(batch_id)
        return batch if batch is not None and batch.brand == brand else None

    async def _find_known(self, batch_id: str) -> Batch | None:
        known = self._known.get(batch_id)
        if known is not None and (not known[0].is_open or asyncio.get_running_loop().time() - known[1] < self._fresh_s):
            return known[0]
        batch = await self._ledger.find_batch(batch_id)
        if batch is not None:
            self._known[batch_id] = (batch, asyncio.get_running_loop().time())
            self._known.move_to_end(batch_id)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return batch

    def forget(self, batch_id: str) -> None:
        """Ask the ledger next time: the batch has changed."""
        self._known.pop(batch_id, None)

    async def reload(self, batch_id: str) -> Batch | None:
        """The batch as the ledger has it now."""
        self.forget(batch_id)
        return await self._find_known(batch_id)

    async def _find_active(self, brand: str) -> Batch | None:
        """What the registry runs for the brand; a foreign batch gets its ledger row here."""
        active = await self._registry.progress(brand)
        if active is None:
            # The registry may have lost its memory: the ledger remembers.
            return await self._ledger.find_open(brand)
        batch = await self.find(brand, active.batch_id)
        if batch is not None:
            return batch
        try:
            return await self._ledger.adopt_batch(brand, active.batch_id, active.expected_count)
        except EngineError as error:
            raise BatchBlockedError(str(error), after=BLOCKED_PAUSE_S) from error
