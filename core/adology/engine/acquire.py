"""ACQUIRE: fetch, archive, analyse, remember, submit; the worker that wins the commit commits."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from adology.abc.sink import ItemResult
from adology.engine.analyze import Analysed
from adology.engine.batches import BatchBlockedError, Batches
from adology.engine.clean import clean_plain
from adology.engine.commit import Committer
from adology.engine.metadata import ItemMetadata, read_metadata
from adology.engine.model import Batch
from adology.engine.submit import Submitter
from adology.errors import Retry, RetryLater, Skip, Terminal, UnavailableError, code_of, describe
from adology.log import bound, logger
from adology.queues.messages import AcquireMessage, decode
from adology.queues.verdict import Dead, Delivery, Done, Hide, Verdict
from adology.store.naming import clean_text

LONGEST_REASON = 2000
NO_BATCH_PAUSE_S = 15.0
MOST_DEFERRALS = 100
"""A host that asks to slow down this often in a row for one URL counts as not answering."""


class ProcessItem(Protocol):
    """The two halves of an item's work; both raise what the engine knows how to treat."""

    async def copy(self, batch: Batch, metadata: ItemMetadata) -> Analysed | None:
        """Analyse the copy of the ad that the item carries; None when it carries none."""
        ...

    async def media(self, batch: Batch, url: str, metadata: ItemMetadata) -> ItemResult:
        """Fetch, archive and analyse the creative behind `url`."""
        ...


class Acquirer:
    """Handles messages of the acquire queue.

    `patience` is the receive count up to which passing faults are tried again; beyond it the
    message is poison and is not touched any more.
    """

    def __init__(
        self, *, batches: Batches, process: ProcessItem, submitter: Submitter, committer: Committer, patience: int
    ) -> None:
        self._batches = batches
        self._process = process
        self._submitter = submitter
        self._committer = committer
        self._patience = patience

    async def handle(self, delivery: Delivery) -> Verdict:
        """Bring one URL to a durable, counted result. Safe for any number of deliveries."""
        message = decode(delivery.body, AcquireMessage)
        with bound(brand=message.brand, url=message.url[:200]):
            try:
                batch = await self._batches.find(message.brand, message.batch)
            except BatchBlockedError as error:
                if delivery.receives <= self._patience:
                    raise
                return Dead(reason=describe(error), code=error.code)
            if batch is None:
                return self._no_batch(message, delivery)
            with bound(batch=batch.id):
                if not batch.is_open:
                    await self._clear(batch, message, delivery)
                    return Done()
                return await self._acquire(batch, message, delivery)

    async def _clear(self, batch: Batch, message: AcquireMessage, delivery: Delivery) -> None:
        """An ended batch: a worker that died right after its commit may have left it at the registry."""
        logger.bind(state=batch.state).info("late message of an ended batch")
        if message.deferred or delivery.receives > 1:
            await self._submitter.clear(batch)

    async def _acquire(self, batch: Batch, message: AcquireMessage, delivery: Delivery) -> Verdict:
        result = None
        if message.again or message.deferred or delivery.receives > 1:
            result = await self._submitter.find_stored(batch, message.url)
        if result is None:
            result = await self._result(batch, message, delivery)
            # Durable first: from here on a lost registry costs no second download.
            await self._submitter.keep(batch, result)
        answer = await self._submitter.submit(batch, result)
        if answer is None:
            return Done()
        if answer.should_commit:
            await self._committer.commit(batch, answer.lease_token)
            self._batches.forget(batch.id)
        return Done()

    async def _result(self, batch: Batch, message: AcquireMessage, delivery: Delivery) -> ItemResult:
        try:
            metadata = read_metadata(message.metadata, message.url)
        except ValueError as error:
            return failed(message.url, "ADO-5511", str(error))
        foreign = message.metadata if batch.origin == "foreign" else None
        if delivery.receives > self._patience:
            why = f"poison: {delivery.receives - 1} tries ended without a result; its worker died or ran out of time"
            return _complete(failed(message.url, "ADO-5510", why), metadata, None, foreign)
        copy = None
        try:
            copy = await self._process.copy(batch, metadata)
            result = await self._process.media(batch, message.url, metadata)
        except (Terminal, Skip) as error:
            logger.bind(code=code_of(error), reason=describe(error)).warning("item failed")
            result = failed(message.url, code_of(error), describe(error))
        except RetryLater as error:
            if message.deferred < MOST_DEFERRALS:
                raise
            result = failed(message.url, error.code, f"after {message.deferred} deferrals: {describe(error)}")
        except UnavailableError:
            raise
        except Exception as error:
            if delivery.receives < self._patience:
                raise
            logger.opt(exception=not isinstance(error, Retry)).error("item failed after its last try")
            reason = f"after {delivery.receives} tries: {describe(error)}"
            result = failed(message.url, code_of(error), reason)
        return _complete(result, metadata, copy, foreign)

    def _no_batch(self, message: AcquireMessage, delivery: Delivery) -> Verdict:
        why = (
            f"batch {message.batch} is not in the ledger"
            if message.batch
            else f"brand {message.brand!r} has no active batch: POST /start at the registry comes first"
        )
        if delivery.receives > self._patience:
            return Dead(reason=why, code="ADO-5512")
        return Hide(seconds=NO_BATCH_PAUSE_S, why=why)


def failed(url: str, code: str, reason: str) -> ItemResult:
    """The result of a URL that failed: counted, committed and shown like any other."""
    return ItemResult(url=url, status="failed", error_code=code, error=clean_text(reason, LONGEST_REASON))


def _complete(result: ItemResult, metadata: ItemMetadata, copy: Analysed | None, foreign: Any) -> ItemResult:
    """The result with its ad, the ad's analyses and, for other people's batches, what they said of it."""
    return msgspec.structs.replace(
        result,
        source=metadata.source or None,
        ad_id=metadata.ad.id if metadata.ad else metadata.ad_id,
        ad_analyses=copy.keys if copy else {},
        analyses_run=result.analyses_run + (copy.run if copy else 0),
        metadata=clean_plain(foreign) if isinstance(foreign, dict) else {},
    )
