"""The process that does tasks: several may run, each task is taken up by one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from adology.aio import every
from adology.aws import open_client
from adology.errors import AdologyError, EngineError, LeaseLostError, Retry, describe
from adology.log import bound, logger
from adology.queues import Consumer, Delivery, Done, Sqs, UndecodableError, Verdict
from adology.queues.admin import queue_names
from adology.settings import AdologySettings
from adology.storage import S3Store
from adology.store import Database
from adology_server.analyzers import Analyzers
from adology_server.leaving.documents import open_documents
from adology_server.leaving.purge import Purge
from adology_server.listening import listen
from adology_server.tasks.bulk import BulkSearcher
from adology_server.tasks.export import Exporter
from adology_server.tasks.files import TaskFiles
from adology_server.tasks.model import TaskMessage, Work
from adology_server.tasks.news import News
from adology_server.tasks.refresh import Refresher
from adology_server.tasks.renewing import WINDOW, Renewer
from adology_server.tasks.store import TaskStore
from adology_server.tasks.tidying import tidy_live
from adology_server.tenancy import Tenants

AT_ONCE = 4
MOST_ATTEMPTS = 5
LOOK_S = 1.0
TIDY_S = 10.0
LEAVE_S = 20.0
"""Organisations that have ended are looked for this often."""

Do = Callable[[Work], Awaitable[None]]


class Runner:
    """Takes tasks up as messages come, and lets each be done by what does its kind."""

    def __init__(self, store: TaskStore, kinds: dict[str, Do], lease_s: float) -> None:
        self._store = store
        self._kinds = kinds
        self._lease_s = lease_s

    async def handle(self, delivery: Delivery) -> Verdict:
        """The handler of the task queue.

        A message is done with when the task is not there to be taken: whoever holds it ends it,
        and if they do not, another message is sent.
        """
        work = await self._store.take(_decode(delivery.body))
        if work is not None:
            with bound(task=str(work.id), org=work.org_id):
                await self._do(work)
        return Done()

    async def _do(self, work: Work) -> None:
        if work.attempts > MOST_ATTEMPTS:
            await self._store.fail(work, f"given up after {MOST_ATTEMPTS} attempts")
            return
        do = self._kinds[work.kind]
        try:
            async with every(self._lease_s / 3, lambda: self._store.renew(work)):
                await do(work)
        except LeaseLostError as error:
            logger.bind(why=describe(error)).info("task was ended or taken by another")
        except EngineError as error:
            logger.bind(error=describe(error)).error("task failed")
            await self._store.fail(work, f"a fault of ours ({error.code}); our log has it")
        except BaseException as error:
            # Also when we are told to stop: whoever takes the next message need not wait for our hold to end.
            logger.bind(error=describe(error)).warning("task is let go; it is tried again")
            with contextlib.suppress(AdologyError):
                await asyncio.shield(self._store.release(work))
            raise


def _decode(body: str) -> UUID:
    try:
        return msgspec.json.decode(body, type=TaskMessage).task
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UndecodableError(f"the body is no TaskMessage: {error}") from error


class _Parts(NamedTuple):
    """What the process works with."""

    database: Database
    sqs: Sqs
    store: TaskStore
    files: TaskFiles
    refresher: Refresher
    renewer: Renewer
    purge: Purge
    kinds: dict[str, Do]


async def run_tasks(settings: AdologySettings, stop: asyncio.Event, *, window: int = WINDOW) -> int:
    """Do tasks, tell news and forget old things until `stop`; the number of messages abandoned.

    `window`: analyses of a re-analysis that workers have at a time.

    Raises:
        ConfigError: an address is missing.
    """
    async with contextlib.AsyncExitStack() as stack:
        parts = await _open_parts(settings, stack, window)
        consumer = _consumer(settings, parts)
        logger.bind(queue=consumer.queue).info("task runner ready")
        loops = [asyncio.create_task(one) for one in _loops(settings, parts)]
        try:
            await _consume(consumer, stop, loops)
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
    logger.bind(handled=consumer.handled, abandoned=consumer.abandoned).info("task runner stopped")
    return consumer.abandoned


async def _open_parts(settings: AdologySettings, stack: contextlib.AsyncExitStack, window: int) -> _Parts:
    own, names = settings.server, queue_names(settings.queues)
    database = await stack.enter_async_context(Database(settings.postgres))
    tenants = await stack.enter_async_context(Tenants(settings))
    sqs = Sqs(await stack.enter_async_context(open_client(settings.aws, "sqs")))
    objects = S3Store(await stack.enter_async_context(open_client(settings.aws, "s3")), settings.s3)
    documents = await stack.enter_async_context(open_documents(settings.mongo))
    store, analyzers = TaskStore(database, own), Analyzers(settings)
    files = TaskFiles(store, objects)
    refresher = Refresher(database, store, lambda body: sqs.send(names["gather"], [body]), own.task_kept_s)
    renewer = Renewer(
        database,
        tenants,
        store,
        analyzers,
        lambda bodies: sqs.send(names["analyze"], bodies),
        kept_s=own.task_kept_s,
        window=window,
    )
    searcher = await stack.enter_async_context(BulkSearcher(settings, tenants, files, analyzers))
    kinds: dict[str, Do] = {
        "refresh": refresher.start,
        "export": Exporter(tenants, files, own.stale_look_s).export,
        "search": searcher.search,
        "reanalyze": renewer.start,
    }
    purge = Purge(settings, database, objects, documents)
    return _Parts(database, sqs, store, files, refresher, renewer, purge, kinds)


def _consumer(settings: AdologySettings, parts: _Parts) -> Consumer:
    queues, own = settings.queues, settings.server
    return Consumer(
        parts.sqs,
        queue_names(queues)["task"],
        Runner(parts.store, parts.kinds, own.task_lease_s).handle,
        concurrency=AT_ONCE,
        prefetch=0,
        visibility_s=queues.visibility_s,
        wait_s=queues.wait_s,
        timeout_s=own.task_deadline_s,
        drain_s=settings.worker.drain_s,
    )


def _loops(settings: AdologySettings, parts: _Parts) -> list[Coroutine[Any, Any, None]]:
    """What goes on beside the tasks, each without an end."""
    queue, database, store = queue_names(settings.queues)["task"], parts.database, parts.store
    kept_s, due, news = settings.server.events_kept_s, asyncio.Event(), News(database)

    async def send(tasks: Sequence[UUID]) -> None:
        await parts.sqs.send(queue, [msgspec.json.encode(TaskMessage(task=task)).decode() for task in tasks])

    return [
        listen(database.url, ["adology_tasks"], lambda *_: due.set(), due.set),
        _repeat("dispatch", lambda: store.dispatch(send), LOOK_S, due),
        _repeat("follow", parts.refresher.look, LOOK_S),
        _repeat("renewals", parts.renewer.look, LOOK_S),
        _repeat("news", news.look, LOOK_S),
        _repeat("files", parts.files.forget, TIDY_S),
        _repeat("leaving", parts.purge.look, LEAVE_S),
        _repeat("tidy", lambda: _tidy(store, database, kept_s), TIDY_S),
    ]


async def _consume(consumer: Consumer, stop: asyncio.Event, loops: Sequence[asyncio.Task[None]]) -> None:
    """Consume until `stop`; what ends of what never should ends all, with its error."""
    running, stopping = asyncio.create_task(consumer.run()), asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({running, stopping, *loops}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()
        consumer.stop()
        await running
    finally:
        for one in (running, stopping):
            one.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)


async def _repeat(
    name: str, look: Callable[[], Awaitable[int]], every_s: float, due: asyncio.Event | None = None
) -> None:
    """Look again and again; a store that is away is waited for. With `due` also as soon as that is set."""
    while True:
        if due is not None:
            due.clear()
        try:
            await look()
        except (Retry, EngineError) as error:
            logger.bind(what=name, error=describe(error)).warning("tasks: looking failed; it is tried again")
        if due is None:
            await asyncio.sleep(every_s)
            continue
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(due.wait(), every_s)


async def _tidy(store: TaskStore, database: Database, events_kept_s: float) -> int:
    return await store.tidy() + await tidy_live(database, events_kept_s)
