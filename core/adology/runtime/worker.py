"""A worker process: one consumer per queue, until told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from adology.aio import every
from adology.engine.patience import with_patience
from adology.errors import ConfigError
from adology.fetch import Fetcher
from adology.isolation import IsolatedPool
from adology.log import logger
from adology.plugins import Plugins
from adology.queues import Consumer
from adology.queues.admin import queue_names
from adology.queues.consumer import Handler
from adology.runtime.engine import Engine, open_engine
from adology.settings import AdologySettings
from adology.settings.model import QUEUE_ROLES

GATHERS_AT_ONCE = 4


async def run_worker(
    settings: AdologySettings, queues: Sequence[str], stop: asyncio.Event, *, plugins: Plugins | None = None
) -> int:
    """Consume the queues of these roles until `stop` is set; the number of messages abandoned.

    Raises:
        ConfigError: a role is unknown, or a setting is missing.
    """
    unknown = [role for role in queues if role not in QUEUE_ROLES]
    if unknown or not queues:
        raise ConfigError("--queues", f"got {', '.join(unknown) or 'nothing'}; allowed: {', '.join(QUEUE_ROLES)}")
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_engine(settings, plugins=plugins))
        if {"acquire", "analyze"} & set(queues):
            # One pool for both: `isolation_processes` bounds the process's children.
            pool = IsolatedPool(
                settings.worker.isolation_processes, memory_bytes=settings.worker.isolation_memory_bytes
            )
            engine.isolate(await stack.enter_async_context(pool))
        consumers = [await _make_consumer(engine, role, stack) for role in dict.fromkeys(queues)]
        logger.bind(queues=[c.queue for c in consumers], owner=engine.owner).info("worker ready")
        # An analysis that takes longer than its lease stays this process's own while it lives.
        async with every(settings.worker.analysis_lease_s / 3, engine.renew_analyses):
            await _consume(consumers, stop)
    abandoned = sum(consumer.abandoned for consumer in consumers)
    logger.bind(handled=sum(c.handled for c in consumers), abandoned=abandoned).info("worker stopped")
    return abandoned


async def _make_consumer(engine: Engine, role: str, stack: AsyncExitStack) -> Consumer:
    worker, queues = engine.settings.worker, engine.settings.queues
    handler: Handler
    concurrency, prefetch, timeout_s = worker.concurrency, worker.prefetch, worker.item_timeout_s
    if role == "gather":
        handler = engine.make_gatherer().handle
        concurrency, prefetch, timeout_s = GATHERS_AT_ONCE, 0, worker.gather_timeout_s
    elif role == "acquire":
        fetcher = await stack.enter_async_context(Fetcher(engine.settings.fetch))
        handler = engine.make_acquirer(fetcher).handle
    elif role == "analyze":
        handler = engine.make_reanalyzer().handle
    else:
        handler = engine.make_insight_runner().handle
        concurrency, prefetch = 1, 0
    return Consumer(
        engine.sqs,
        queue_names(queues)[role],
        with_patience(handler, queues.poison_receives),
        concurrency=concurrency,
        prefetch=prefetch,
        visibility_s=queues.visibility_s,
        wait_s=queues.wait_s,
        timeout_s=timeout_s,
        drain_s=worker.drain_s,
    )


async def _consume(consumers: Sequence[Consumer], stop: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as group:
        for consumer in consumers:
            group.create_task(consumer.run(), name=consumer.queue)
        await stop.wait()
        logger.info("worker drains")
        for consumer in consumers:
            consumer.stop()
