"""Making a batch active at the registry, whatever an earlier batch of the brand left behind there."""

from __future__ import annotations

from adology.engine.ports import LedgerPort
from adology.errors import Retry
from adology.log import logger
from adology.registry_client.protocol import BrandActiveError, Registry, SubmitAnswer

BLOCKED_PAUSE_S = 10.0


async def activate(
    registry: Registry, ledger: LedgerPort, brand: str, batch_id: str, expected_count: int
) -> SubmitAnswer:
    """Start the batch at the registry; a batch there that the ledger calls ended is cleared away.

    That is what a worker leaves that died between its commit and `/commit-complete`.

    Raises:
        Retry: another batch of the brand is active and not ended.
    """
    for _ in range(2):
        try:
            return await registry.start(brand, expected_count, batch_id)
        except BrandActiveError as error:
            other = await ledger.find_batch(error.batch_id) if error.batch_id else None
            if other is None or other.brand != brand or other.is_open:
                raise Retry(f"the registry runs another batch of {brand}: {error}", after=BLOCKED_PAUSE_S) from error
            logger.bind(other=error.batch_id, state=other.state).warning("ended batch cleared from the registry")
            await registry.complete(brand, error.batch_id)
    raise Retry(f"the registry runs another batch of {brand}", after=BLOCKED_PAUSE_S)
