"""Ads with copy in a database, the OpenAI stand-in, and both sides of vendors' batches between them."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec
import psycopg

from adology.abc.analyzer import Analyzer
from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer, fingerprint
from adology.engine.batch_collect import BatchCollector
from adology.engine.batch_items import BatchItems
from adology.engine.batch_submit import BatchLimits, BatchSubmitter, Submitted
from adology.engine.invoke import Invoker
from adology.isolation import IsolatedPool
from adology.money import PriceTable
from adology.settings import AdologySettings
from adology.settings.model import BudgetSettings
from adology.store import Analyses, Database, Spending, Subjects
from adology.store.staleness import Staleness, Wanted
from adology.store.vendor_batches import VendorBatches
from adology.vendors import close_clients
from adology.vendors.lanes import LANES
from adology_embeddings import TextEmbeddingAnalyzer, TextEmbeddingSettings
from tests.system import rig
from upstreams.openai import API_KEY, OpenAiRules, OpenAiServer

DIMENSIONS = 16
KEY = "ADOLOGY_TEST_OPENAI_KEY"


class Killed(BaseException):
    """The process is gone."""


def dies_at(step: str, *, times: int = 1) -> Callable[[str], None]:
    """A hook that ends the process when it comes to that step for the `times`-th time."""
    met: Counter[str] = Counter()

    def hook(name: str) -> None:
        met[name] += 1
        if name == step and met[name] == times:
            raise Killed(name)

    return hook


def nothing(_: str) -> None:
    """Goes on."""


def ready(analyzer: Analyzer[Any, Any], settings: Any) -> ReadyAnalyzer:
    needs = type(analyzer).needs(settings)
    return ReadyAnalyzer(
        name=analyzer.name,
        analyzer=analyzer,
        settings=settings,
        settings_fields=msgspec.to_builtins(settings),
        reference="",
        fingerprint=fingerprint(analyzer.name, analyzer.version, settings, needs.uses),
        needs=needs,
    )


class World:
    """One database and one stand-in; processes are made with `submit` and `collect`."""

    def __init__(self, database: Database, settings: AdologySettings, openai: OpenAiServer) -> None:
        self.database = database
        self.settings = settings
        self.openai = openai
        self.subjects = Subjects(database)
        self.analyses = Analyses(database)
        self.staleness = Staleness(database)
        self.analyzer = self.embedding()
        self._owners = 0

    def embedding(self, **changes: Any) -> ReadyAnalyzer:
        given = {"provider": "openai", "dimensions": DIMENSIONS, "openai_api_key": f"env:{KEY}", **changes}
        url = f"{self.openai.origin}/v1"
        return ready(TextEmbeddingAnalyzer(), TextEmbeddingSettings(openai_base_url=url, **given))

    def batches(self, **budgets: float) -> VendorBatches:
        return VendorBatches(self.database, Spending(self.database, PriceTable(), BudgetSettings(**budgets)))

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return rig.rows(self.settings, statement, *values)

    def add_ads(self, count: int, *, brand: str = "nike", say: Callable[[int], str] = "Offer number {}".format) -> None:
        with psycopg.connect(self.settings.postgres.url, autocommit=True) as link:
            link.execute("insert into brands (id, name) values (%s, %s) on conflict do nothing", [brand, brand])
            link.execute(
                "insert into batches (id, brand, state) values (%s, %s, 'committed') on conflict do nothing",
                [f"b-{brand}", brand],
            )
            with link.cursor() as cursor:
                cursor.executemany(
                    "insert into ads (source, source_ad_id, bodies, media_outcome, copy_hash, first_seen_at,"
                    " last_seen_at, first_batch, last_batch)"
                    " values ('files', %s, %s, 'media', %s, now(), now(), %s, %s)",
                    [
                        (f"{brand}-{n}", [f"{brand}: {say(n)}"], f"{brand}-{n:05}", f"b-{brand}", f"b-{brand}")
                        for n in range(count)
                    ],
                )
            link.execute(
                "insert into brand_ads select %s, id, first_batch, first_batch from ads where first_batch = %s"
                " on conflict do nothing",
                [brand, f"b-{brand}"],
            )

    # Processes

    async def submit(
        self,
        hook: Callable[[str], None] = nothing,
        *,
        analyzer: ReadyAnalyzer | None = None,
        limits: BatchLimits | None = None,
        reasons: Sequence[str] = ("missing", "settings"),
        children: IsolatedPool | None = None,
        **budgets: float,
    ) -> Submitted:
        one = analyzer or self.analyzer
        submitter = self.submitter(one, hook, limits=limits, children=children, **budgets)
        return await submitter.submit(one, "ad", self._pages(one, reasons), reopen="failed" in reasons)

    def submitter(
        self,
        one: ReadyAnalyzer,
        hook: Callable[[str], None] = nothing,
        *,
        limits: BatchLimits | None = None,
        children: IsolatedPool | None = None,
        **budgets: float,
    ) -> BatchSubmitter:
        return BatchSubmitter(
            batches=self.batches(**budgets),
            analyses=self.analyses,
            subjects=self.subjects,
            items=BatchItems(subjects=self.subjects, objects=None, analyses=self.analyses),  # type: ignore[arg-type]  # copies only
            invoker=Invoker(children),
            analyzers=AnalyzerSet([one]),
            owner=self._owner(),
            look_s=60.0,
            limits=limits,
            hook=hook,
        )

    async def _pages(self, one: ReadyAnalyzer, reasons: Sequence[str]) -> AsyncIterator[list[tuple[str, str]]]:
        async for page in self.staleness.subjects(self.wanted(one), reasons):
            payers = await self.subjects.brands_of("ad", page)
            yield [(subject, payers[subject]) for subject in page]

    def collector(
        self, hook: Callable[[str], None] = nothing, *, analyzer: ReadyAnalyzer | None = None, look_s: float = 60.0
    ) -> BatchCollector:
        return BatchCollector(
            batches=self.batches(),
            analyzers=AnalyzerSet([analyzer or self.analyzer]),
            owner=self._owner(),
            look_s=look_s,
            hook=hook,
        )

    async def collect(
        self, hook: Callable[[str], None] = nothing, *, rounds: int = 1, analyzer: ReadyAnalyzer | None = None
    ) -> None:
        """Rounds of a steward, with the time that passes between them."""
        for _ in range(rounds):
            self.let_time_pass()
            await self.collector(hook, analyzer=analyzer).run_round()

    def let_time_pass(self) -> None:
        """Leases run out, looks are due."""
        with psycopg.connect(self.settings.postgres.url, autocommit=True) as link:
            link.execute(
                "update vendor_batches set lease_until = now() - interval '1 second',"
                " next_look_at = now() - interval '1 second' where ended_at is null"
            )

    def _owner(self) -> str:
        self._owners += 1
        return f"process {self._owners}"

    # What there is

    def wanted(self, one: ReadyAnalyzer | None = None) -> Wanted:
        found = one or self.analyzer
        return Wanted(analyzer=found.name, version=found.analyzer.version, fingerprint=found.fingerprint, kind="ad")

    async def counts(self, one: ReadyAnalyzer | None = None) -> dict[str, int]:
        return await self.staleness.count(self.wanted(one))

    def states(self) -> list[str]:
        return [row[0] for row in self.rows("select state from vendor_batches order by created_at, id")]

    def noted(self) -> dict[str, int]:
        """The counts of all batches together."""
        total: Counter[str] = Counter()
        for (counts,) in self.rows("select counts from vendor_batches"):
            total.update(counts)
        return dict(total)

    @property
    def paid(self) -> tuple[int, dict[str, int]]:
        """Different contents that the vendor charged for, and those charged more than once."""
        shown = self.openai.charges.show()
        return shown.contents, shown.twice

    @property
    def created(self) -> int:
        """Batches that the vendor made."""
        return len(self.openai.batches)

    def check_books(self) -> None:
        """Nothing is open, and budgets hold what the ledger says; nothing of ours is left at the vendor."""
        assert self.rows("select count(*) from paid_calls where state = 'open'") == [(0,)]
        ((used,),) = self.rows("select used_usd from budget_use where scope = 'all'")
        ((paid,),) = self.rows("select sum(cost_usd) from paid_calls")
        assert used == paid
        assert self.rows("select count(*) from vendor_requests") == [(0,)]
        assert self.rows("select count(*) from analyses where state = 'pending'") == [(0,)]
        assert self.rows("select count(*) from vendor_batches where ended_at is null") == [(0,)]


@contextlib.asynccontextmanager
async def world(settings: AdologySettings, *, polls: int = 1) -> AsyncIterator[World]:
    LANES.clear()
    async with Database(settings.postgres) as database, OpenAiServer(OpenAiRules(batch_polls=polls)) as openai:
        yield World(database, settings, openai)
        await close_clients()


__all__ = ["API_KEY", "KEY", "Killed", "World", "dies_at", "nothing", "ready", "world"]
