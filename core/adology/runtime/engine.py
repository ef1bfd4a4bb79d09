"""Everything a process of ours needs, opened together and closed in the reverse order."""

from __future__ import annotations

import contextlib
import os
import socket
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from adology.aio import Coalescer
from adology.aws import open_client
from adology.engine.acquire import Acquirer
from adology.engine.analyze import AnalysisRunner
from adology.engine.analyzers import AnalyzerSet, prepare
from adology.engine.batch_collect import BatchCollector
from adology.engine.batch_items import BatchItems
from adology.engine.batch_submit import BatchSubmitter
from adology.engine.batches import Batches
from adology.engine.breaker import Breaker
from adology.engine.commit import Committer
from adology.engine.gather import Gatherer
from adology.engine.insight import InsightRunner
from adology.engine.invoke import Invoker
from adology.engine.model import AnalysisRecord
from adology.engine.process import ItemProcessor
from adology.engine.reanalyze import Reanalyzer
from adology.engine.sinks import Sinks, prepare_sinks
from adology.engine.steward import Steward
from adology.engine.submit import Submitter
from adology.fetch import Fetcher
from adology.http import HttpClient
from adology.isolation import IsolatedPool
from adology.money.prices import PriceTable
from adology.plugins import Plugins, load_plugins
from adology.queues import Sqs
from adology.queues.admin import queue_names
from adology.registry_client import HttpRegistry
from adology.runtime.sources import ReadySource, prepare_sources
from adology.settings import AdologySettings
from adology.storage import S3Store
from adology.store import (
    AdvisoryLocks,
    Analyses,
    BrandState,
    Catalogue,
    Database,
    Insights,
    Items,
    Ledger,
    Outbox,
    Spending,
    Subjects,
)
from adology.store.changes import Changes
from adology.store.vendor_batches import VendorBatches
from adology.vendors import close_clients

STORE_BATCH = 50


class Engine:
    """Stores, queues and plugins of one process; made by `open_engine`."""

    def __init__(
        self,
        *,
        settings: AdologySettings,
        plugins: Plugins,
        database: Database,
        sqs: Sqs,
        objects: S3Store,
        registry: HttpRegistry,
        sinks: Sinks,
        sources: dict[str, ReadySource],
        analyzers: AnalyzerSet,
    ) -> None:
        self.settings = settings
        self.plugins = plugins
        self.database = database
        self.sqs = sqs
        self.objects = objects
        self.registry = registry
        self.sinks = sinks
        self.sources = sources
        self.analyzers = analyzers
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.ledger = Ledger(database)
        self.items = Items(database)
        self.analyses = Analyses(database)
        self.catalogue = Catalogue(database)
        self.subjects = Subjects(database)
        self.spending = Spending(database, PriceTable(settings.money.prices), settings.money.budgets)
        self.vendor_batches = VendorBatches(database, self.spending)
        self.outbox = Outbox(database)
        self.insights = Insights(database)
        self.locks = AdvisoryLocks(database)
        self.batches = Batches(self.ledger, registry)
        self.submitter = Submitter(self.items, self.ledger, registry, self.batches)
        self.committer = Committer(
            ledger=self.ledger,
            items=self.items,
            analyses=self.analyses,
            objects=objects,
            registry=registry,
            sinks=sinks,
            outbox=self.outbox,
            send=self.send,
            lease_s=settings.registry.commit_lease_s,
        )
        self._queues = queue_names(settings.queues)
        self._store = Coalescer(self._store_many, most=STORE_BATCH)
        self._isolation: IsolatedPool | None = None
        self._runner: AnalysisRunner | None = None
        self._scratch = Path(settings.worker.scratch) if settings.worker.scratch else None

    async def send(self, role: str, bodies: Sequence[str]) -> None:
        """Send bodies to the queue of a role (gather, acquire, analyze, insight), all or an exception."""
        await self.sqs.send(self._queues[role], bodies)

    async def store_analysis(self, record: AnalysisRecord) -> None:
        """Finish one claim; calls that arrive together share a round trip."""
        await self._store(record)

    async def renew_analyses(self) -> None:
        """Prolong the leases of the analyses in work. Never raises for a store that is away."""
        if self._runner is not None:
            await self._runner.renew()

    async def _store_many(self, records: list[AnalysisRecord]) -> list[None]:
        await self.analyses.store(records)
        return [None] * len(records)

    def make_gatherer(self) -> Gatherer:
        """The handler of the gather queue."""
        return Gatherer(
            ledger=self.ledger,
            catalogue=self.catalogue,
            objects=self.objects,
            registry=self.registry,
            committer=self.committer,
            send=self.send,
            sources=self.sources,
            now=lambda: datetime.now(UTC),
            lease_s=self.settings.worker.gather_lease_s,
            patience=self.settings.queues.poison_receives,
        )

    def isolate(self, pool: IsolatedPool) -> None:
        """Have analyzers that ask for it run in these child processes. Before any handler is made."""
        self._isolation = pool

    def _analysis_runner(self) -> AnalysisRunner:
        """One for all handlers: what a breaker has learnt, and items that wait for company, are the process's."""
        if self._runner is None:
            worker = self.settings.worker
            self._runner = AnalysisRunner(
                self.analyses,
                self.store_analysis,
                Invoker(self._isolation, self.spending),
                owner=self.owner,
                lease_s=worker.analysis_lease_s,
                wait_s=min(worker.analysis_lease_s, worker.item_timeout_s) / 2,
                deferral_s=worker.deferral_s,
                make_breaker=lambda: Breaker(faults=worker.breaker_faults, pause_s=worker.breaker_pause_s),
            )
        return self._runner

    def make_acquirer(self, fetcher: Fetcher) -> Acquirer:
        """The handler of the acquire queue."""
        process = ItemProcessor(
            fetcher=fetcher,
            archive=self.sinks,
            objects=self.objects,
            analyzers=self.analyzers,
            runner=self._analysis_runner(),
            catalogue=self.catalogue,
            sources=self.sources,
            scratch=self._scratch,
        )
        return Acquirer(
            batches=self.batches,
            process=process,
            submitter=self.submitter,
            committer=self.committer,
            patience=self.settings.queues.poison_receives,
        )

    def make_reanalyzer(self) -> Reanalyzer:
        """The handler of the analyze queue."""
        return Reanalyzer(
            subjects=self.subjects,
            objects=self.objects,
            archive=self.sinks,
            analyzers=self.analyzers,
            runner=self._analysis_runner(),
            scratch=self._scratch,
        )

    def make_batch_submitter(self) -> BatchSubmitter:
        """What `adology reanalyze --batch` asks a vendor with."""
        return BatchSubmitter(
            batches=self.vendor_batches,
            analyses=self.analyses,
            subjects=self.subjects,
            items=BatchItems(subjects=self.subjects, objects=self.objects, analyses=self.analyses),
            invoker=Invoker(self._isolation),
            analyzers=self.analyzers,
            owner=self.owner,
            look_s=self.settings.steward.batch_poll_s,
            scratch=self._scratch,
        )

    def make_batch_collector(self) -> BatchCollector:
        """What looks after batches at vendors."""
        return BatchCollector(
            batches=self.vendor_batches,
            analyzers=self.analyzers,
            owner=self.owner,
            look_s=self.settings.steward.batch_poll_s,
        )

    def make_insight_runner(self) -> InsightRunner:
        """The handler of the insight queue."""
        return InsightRunner(
            ledger=self.ledger,
            insights=self.insights,
            analyzers=self.analyzers.accepting("brand"),
            make_item=lambda batch, previous: BrandState(self.database, batch, previous),
            patience=self.settings.queues.poison_receives,
        )

    def make_steward(self) -> Steward:
        """The periodic repair."""
        own = self.settings.steward
        return Steward(
            ledger=self.ledger,
            items=self.items,
            catalogue=self.catalogue,
            objects=self.objects,
            registry=self.registry,
            submitter=self.submitter,
            committer=self.committer,
            outbox=self.outbox,
            subjects=self.subjects,
            spending=self.spending,
            changes=Changes(self.database),
            send=self.send,
            locks=self.locks,
            stalled_after_s=own.stalled_after_s,
            max_attempts=own.max_attempts,
            outbox_after_s=own.outbox_after_s,
            vendor_batches=self.make_batch_collector().run_round,
        )


@contextlib.asynccontextmanager
async def open_engine(settings: AdologySettings, *, plugins: Plugins | None = None) -> AsyncIterator[Engine]:
    """The engine of this process.

    Raises:
        ConfigError: a setting is missing or wrong.
        EngineError: a store lacks what migrations or provisioning make.
    """
    own = settings.plugins
    loaded = plugins or load_plugins(only=own.only, without=own.without, strict=own.strict, trace=own.trace)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(settings.postgres))
        http = await stack.enter_async_context(HttpClient())
        stack.push_async_callback(close_clients)
        sqs = Sqs(await stack.enter_async_context(open_client(settings.aws, "sqs")))
        objects = S3Store(await stack.enter_async_context(open_client(settings.aws, "s3")), settings.s3)
        registry = await stack.enter_async_context(HttpRegistry(settings.registry.url))
        sinks = await stack.enter_async_context(prepare_sinks(loaded.of_kind("sink"), settings))
        yield Engine(
            settings=settings,
            plugins=loaded,
            database=database,
            sqs=sqs,
            objects=objects,
            registry=registry,
            sinks=sinks,
            sources=prepare_sources(loaded, settings, http),
            analyzers=prepare(loaded.of_kind("analyzer"), settings.analyzers),
        )
