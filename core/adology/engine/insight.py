"""INSIGHT: brand-wide analyzers run after the commit; what they find is stored per batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from adology.abc.analyzer import BrandItem
from adology.context import Context
from adology.engine.analyzers import ReadyAnalyzer
from adology.engine.clean import clean_plain
from adology.engine.model import Batch
from adology.engine.ports import InsightsPort, LedgerPort
from adology.errors import Retry, Skip, Terminal, UnavailableError, describe
from adology.log import bound, external_call, logger
from adology.queues.messages import InsightMessage, decode
from adology.queues.verdict import Dead, Delivery, Done, Verdict

MakeItem = Callable[[Batch, Batch | None], BrandItem]


class InsightRunner:
    """Handles messages of the insight queue."""

    def __init__(
        self,
        *,
        ledger: LedgerPort,
        insights: InsightsPort,
        analyzers: Sequence[ReadyAnalyzer],
        make_item: MakeItem,
        patience: int,
    ) -> None:
        self._ledger = ledger
        self._insights = insights
        self._analyzers = analyzers
        self._make_item = make_item
        self._patience = patience

    async def handle(self, delivery: Delivery) -> Verdict:
        """Derive the insights of a committed batch; any number of deliveries gives one set."""
        message = decode(delivery.body, InsightMessage)
        with bound(brand=message.brand, batch=message.batch):
            if message.batch:
                batch = await self._ledger.find_batch(message.batch)
            else:
                batch = await self._ledger.find_committed(message.brand)
            if batch is None or batch.state != "committed":
                which = f"batch {message.batch}" if message.batch else f"brand {message.brand!r}"
                return Dead(reason=f"{which} has nothing committed to derive insights from", code="ADO-5520")
            if batch.insight_at is not None and delivery.receives > 1:
                return Done()
            await self._derive(batch, last_try=delivery.receives >= self._patience)
            return Done()

    async def _derive(self, batch: Batch, *, last_try: bool) -> None:
        previous = await self._ledger.find_committed(batch.brand, before=batch)
        item = self._make_item(batch, previous)
        for analyzer in self._analyzers:
            result = await self._run(analyzer, item, last_try=last_try)
            if result is not None:
                await self._insights.save(batch.brand, batch.id, analyzer.name, analyzer.analyzer.version, result)
        await self._ledger.mark_insight(batch.id)
        logger.bind(analyzers=[a.name for a in self._analyzers]).info("insights stored")

    async def _run(self, analyzer: ReadyAnalyzer, item: BrandItem, *, last_try: bool) -> Any:
        """The result as plain data; None when the analyzer has nothing to say or fails for good."""
        context = Context(analyzer.name, analyzer.settings, section="analyzers")
        try:
            async with external_call("analyzer", analyzer.name), asyncio.timeout(analyzer.analyzer.deadline_s):
                return clean_plain(msgspec.to_builtins(await analyzer.call(context, item)))
        except Skip:
            return None
        except UnavailableError:
            # Says nothing about the analyzer, however often the message came.
            raise
        except Retry:
            if not last_try:
                raise
            logger.bind(analyzer=analyzer.name).opt(exception=True).error("insight failed after its last try")
        except (Terminal, TimeoutError) as error:
            logger.bind(analyzer=analyzer.name, reason=describe(error)).error("insight failed")
        except Exception:  # noqa: BLE001 - one analyzer's fault must not keep the others' insights
            logger.bind(analyzer=analyzer.name).opt(exception=True).error("insight failed")
        return None
