"""One run: a seed decides the brand's ads, the processes, and every fault. Then the promises are checked."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adology.abc.analyzer import Analyzer
from adology.abc.sink import ItemResult
from adology.abc.source import Source
from adology.context import Context
from adology.engine.acquire import Acquirer
from adology.engine.analyze import Analysed, AnalysisRunner, Subject
from adology.engine.analyzers import ReadyAnalyzer
from adology.engine.batches import Batches
from adology.engine.commit import Committer
from adology.engine.gather import Gatherer
from adology.engine.insight import InsightRunner
from adology.engine.invoke import Invoker
from adology.engine.manifest import Manifest
from adology.engine.metadata import ItemMetadata
from adology.engine.model import AnalysisRecord, Batch
from adology.engine.steward import Steward
from adology.engine.submit import Submitter
from adology.errors import Retry, RetryLater, Terminal
from adology.plugins.validate import NoSettings
from adology.queues import Consumer, GatherMessage, encode
from adology.store.catalogue import BrandRow
from adology.types import Ad, Brand, Media, Page, Struct
from tests.simulation import stores
from tests.simulation.network import CURRENT, Network, Process
from tests.simulation.services import SimRegistry, SimSqs

BRAND = "nike"
VISIBILITY_S = 30
STALLED_S = 60.0
QUIET_AFTER_S = 400.0
"""Faults end here; what is still wrong afterwards must mend by itself."""
END_S = 4 * 3600.0


class Shape(Struct, frozen=True, kw_only=True):
    """What a result looks like to the analyzers of the simulation."""

    length: int


class Counting(Analyzer[None, Shape]):
    """Takes its time, and counts how often each subject was paid for."""

    name = "counting"
    version = 1
    accepts = ("image",)

    def __init__(self, world: World) -> None:
        self._world = world

    async def analyze(self, ctx: Context[Any], item: Any) -> Shape:
        del ctx
        self._world.check_not_stored(item.sha)
        await self._world.pause(2.0)
        return Shape(length=len(item.sha))


class Vendor(Source[None, int]):
    """Three to five pages of ads, some of them twice; sometimes slow, sometimes unwell."""

    name = "vendor"
    version = 1

    def __init__(self, world: World) -> None:
        self._world = world

    async def pages(self, ctx: Context[Any], brand: Brand, since: int | None) -> AsyncIterator[Page[int]]:
        del brand, since
        world = self._world
        first = int(ctx.resume or 0)
        for number in range(first, len(world.pages)):
            await world.pause(1.0)
            if world.rng.random() < world.net.fault_rate:
                raise Retry("vendor hiccup") if world.rng.random() < 0.7 else RetryLater(20, "vendor says wait")
            world.vendor_calls.append(number)
            world.check_not_gathered(number)
            last = number == len(world.pages) - 1
            yield Page(ads=world.pages[number], cursor=number if last else None, resume=str(number + 1))


class Instance:
    def __init__(self, world: World) -> None:
        self.name = "vendor"
        self.source: Source[Any, Any] = Vendor(world)
        self.cursor_type: Any = int

    def context(self, *, resume: str | None = None) -> Context[Any]:
        return Context(self.name, NoSettings(), resume=resume)


@dataclass
class Node:
    """The parts of one process, each with its own caches, as in a real one."""

    world: World
    process: Process
    consumers: list[Consumer] = field(default_factory=list)

    def build(self) -> None:
        world, settings = self.world, self.world.settings
        t, net = world.tables, world.net
        ledger, items = stores.SimLedger(t, net), stores.SimItems(t, net)
        analyses, catalogue = stores.SimAnalyses(t, net), stores.SimCatalogue(t, net)
        objects, outbox = stores.SimObjects(t, net), stores.SimOutbox(t, net)
        batches = Batches(ledger, world.registry)
        submitter = world.variant.submitter(items, ledger, world.registry, batches)
        committer = Committer(
            ledger=ledger,
            items=items,
            analyses=analyses,
            objects=objects,
            registry=world.registry,
            sinks=world.variant.sinks(t, net),
            outbox=outbox,
            send=world.send,
            lease_s=20.0,
        )
        runner = AnalysisRunner(
            analyses, self._store(analyses), Invoker(None), owner=self.process.name, lease_s=40.0, wait_s=60.0
        )
        gatherer = Gatherer(
            ledger=ledger,
            catalogue=catalogue,
            objects=objects,
            registry=world.registry,
            committer=committer,
            send=world.send,
            sources={"vendor": Instance(world)},
            now=lambda: stores.stamp(stores.now()),
            lease_s=25.0,
            patience=settings["patience"],
        )
        acquirer = Acquirer(
            batches=batches,
            process=SimProcess(world, runner),
            submitter=submitter,
            committer=committer,
            patience=settings["patience"],
        )
        insight = InsightRunner(
            ledger=ledger,
            insights=stores.SimInsights(t, net),
            analyzers=(),
            make_item=lambda batch, previous: (batch, previous),  # type: ignore[arg-type,return-value]  # nobody reads it
            patience=settings["patience"],
        )
        for queue, handler in (("gather", gatherer.handle), ("acquire", acquirer.handle), ("insight", insight.handle)):
            self.consumers.append(
                world.variant.consumer(
                    world.sqs,
                    queue,
                    handler,
                    concurrency=3,
                    prefetch=4,
                    visibility_s=VISIBILITY_S,
                    wait_s=10,
                    timeout_s=300.0,
                    drain_s=5.0,
                )
            )
        self.steward = Steward(
            ledger=ledger,
            items=items,
            catalogue=catalogue,
            objects=objects,
            registry=world.registry,
            submitter=submitter,
            committer=committer,
            outbox=outbox,
            subjects=stores.SimVendorless(),
            spending=stores.SimVendorless(),
            changes=stores.SimVendorless(),
            send=world.send,
            locks=stores.SimLocks(t),
            stalled_after_s=STALLED_S,
            max_attempts=4,
            outbox_after_s=10.0,
        )

    def _store(self, analyses: stores.SimAnalyses) -> Any:
        async def store(record: AnalysisRecord) -> None:
            await analyses.store([record])

        return store

    def start_worker(self) -> None:
        self.build()
        for consumer in self.consumers:
            self.process.start(consumer.run())

    def start_steward(self) -> None:
        self.build()

        async def rounds() -> None:
            while True:
                await asyncio.sleep(10.0)
                with contextlib.suppress(Retry):
                    await self.steward.run_round()

        self.process.start(rounds())


class SimProcess:
    """What an item takes: a fetch that may fail, an analysis that is paid for."""

    def __init__(self, world: World, runner: AnalysisRunner) -> None:
        self.world = world
        self.runner = runner

    async def copy(self, batch: Batch, metadata: ItemMetadata) -> Analysed | None:
        del batch, metadata
        return None

    async def media(self, batch: Batch, url: str, metadata: ItemMetadata) -> ItemResult:
        del batch, metadata
        world = self.world
        if not url.startswith("http"):
            return ItemResult(url=url)
        async with world.net.call("cdn"):
            pass
        if url in world.broken:
            raise Terminal("broken creative")
        if url in world.deadly and world.rng.random() < 0.8:
            world.kill_soon(CURRENT.get())
            await asyncio.sleep(1000)
        sha = world.content[url]
        ready = ReadyAnalyzer(
            name="counting",
            analyzer=Counting(world),
            settings=NoSettings(),
            settings_fields={},
            reference="",
            fingerprint="f",
        )
        world.keys[sha] = ready.claim("asset", sha).key
        item = SimItem(sha=sha, results={})
        outcome = await self.runner.run(
            Subject(kind="asset", hash=sha, item=item), [ready], scratch=Path(), before_first=_nothing, keep=_none
        )
        return ItemResult(url=url, sha256=sha, analyses=outcome.keys, analyses_run=outcome.run)


class SimItem(Struct, frozen=True, kw_only=True):
    sha: str
    results: dict[str, Any]


async def _nothing() -> None:
    return


async def _none(_name: str, _derived: Any) -> tuple[str, ...]:
    return ()


@dataclass
class Variant:
    """The protocol as it is; the tests replace one part by a wrong one."""

    submitter: Any = Submitter
    sinks: Any = stores.SimSinks
    consumer: Any = Consumer
    registry: Any = SimRegistry
    with_steward: bool = True


class World:
    """One schedule. `check` raises AssertionError naming the promise that was broken."""

    def __init__(self, seed: int, variant: Variant | None = None) -> None:
        self.rng = random.Random(seed)
        self.variant = variant or Variant()
        self.net = Network(self.rng, fault_rate=self.rng.choice([0.0, 0.01, 0.05, 0.12]))
        self.tables = stores.Tables()
        self.sqs = SimSqs(self.net, duplicate_rate=self.rng.choice([0.0, 0.1, 1.0]))
        self.registry = self.variant.registry(self.net)
        self.settings = {"patience": 5}
        self.keys: dict[str, str] = {}
        self.violations: list[str] = []
        self.vendor_calls: list[int] = []
        self.workers: list[Node] = []
        self.stewards: list[Node] = []
        self.gathers = 0
        self._killers: set[asyncio.Task[None]] = set()
        self._make_ads()

    def _make_ads(self) -> None:
        rng = self.rng
        self.content: dict[str, str] = {}
        urls = [f"https://cdn.example/{n}.jpg" for n in range(rng.randint(0, 9))]
        for url in urls:
            self.content[url] = f"sha-{rng.randint(0, max(1, len(urls) // 2))}"
        self.broken = {url for url in urls if rng.random() < 0.1}
        self.deadly = {url for url in urls if rng.random() < 0.05}
        ads = []
        for number in range(rng.randint(0, 8)):
            media = tuple(
                Media(url=u, position=i) for i, u in enumerate(rng.sample(urls, min(len(urls), rng.randint(0, 2))))
            )
            ads.append(Ad(id=f"ad-{number}", bodies=(f"copy {number}",), media=media))
        size = rng.randint(1, 3)
        self.pages = [tuple(ads[start : start + size]) for start in range(0, len(ads), size)] or [()]
        self.tables.brands[BRAND] = BrandRow(id=BRAND, name=BRAND, handles={"vendor": ("1",)})

    async def pause(self, most: float) -> None:
        await asyncio.sleep(self.rng.random() * most)

    async def send(self, role: str, bodies: Any) -> None:
        await self.sqs.send(role, bodies)

    def check_not_stored(self, sha: str) -> None:
        """Called when an analysis is about to be paid for."""
        if isinstance(self.tables.analyses.get(self.keys[sha]), AnalysisRecord):
            self.violations.append(f"paid twice: the analysis of {sha} was stored already")

    def check_not_gathered(self, number: int) -> None:
        """Called when the vendor is about to answer with a page."""
        for row in self.tables.batches.values():
            part = f"batches/{row.batch.id}/manifest/vendor/{number:06d}.jsonl"
            if row.batch.is_open and part in self.tables.objects:
                self.violations.append(f"asked the vendor for page {number}, which the manifest already had")

    def ask(self) -> None:
        """Somebody asks for a gathering."""
        self.gathers += 1
        self.sqs.put("gather", encode(GatherMessage(brand=BRAND, request_id=f"req-{self.gathers}")))

    def kill_soon(self, process: Process) -> None:
        task = asyncio.get_running_loop().create_task(self._kill(process))
        self._killers.add(task)

    async def _kill(self, process: Process) -> None:
        for nodes, start in ((self.workers, Node.start_worker), (self.stewards, Node.start_steward)):
            for index, node in enumerate(nodes):
                if node.process is process:
                    await process.kill()
                    await self.pause(20.0)
                    nodes[index] = self._new_node(process.name)
                    start(nodes[index])

    def _new_node(self, name: str) -> Node:
        base, _, life = name.partition("#")
        return Node(self, Process(f"{base}#{int(life or 0) + 1}"))

    async def run(self) -> None:
        """Live through the schedule, then give everything time to mend."""
        for number in range(self.rng.randint(1, 3)):
            node = self._new_node(f"worker{number}")
            node.start_worker()
            self.workers.append(node)
        if self.variant.with_steward:
            for number in range(2):
                node = self._new_node(f"steward{number}")
                node.start_steward()
                self.stewards.append(node)
        self.ask()
        chaos = asyncio.create_task(self._chaos())
        await asyncio.sleep(QUIET_AFTER_S)
        chaos.cancel()
        await asyncio.gather(chaos, return_exceptions=True)
        self.net.fault_rate = 0.0
        self.net.down.clear()
        self.sqs.duplicate_rate = 0.0
        while not self._is_settled() and stores.now() < END_S:  # noqa: ASYNC110 - the clock is virtual
            await asyncio.sleep(30.0)
        await asyncio.sleep(120.0)
        for node in [*self.workers, *self.stewards]:
            await node.process.kill()

    async def _chaos(self) -> None:
        """A random disaster every few seconds."""
        while True:
            await self.pause(self.rng.choice([3.0, 20.0, 80.0]))
            match self.rng.randint(0, 7):
                case 0 | 1:
                    self.kill_soon(self.rng.choice([*self.workers, *self.stewards]).process)
                case 2:
                    self.registry.restart()
                case 3:
                    self.sqs.lose_everything()
                case 4:
                    service = self.rng.choice(["postgres", "s3", "mongo", "sqs", "registry", "cdn"])
                    self.net.down.add(service)
                    await self.pause(40.0)
                    self.net.down.discard(service)
                case 5:
                    self.ask()
                case _:
                    pass

    def _is_settled(self) -> bool:
        batches = [row.batch for row in self.tables.batches.values()]
        return (
            not any(self.sqs.queues.values())
            and not any(batch.is_open for batch in batches)
            and all(batch.insight_at for batch in batches if batch.state == "committed")
            and not self.registry.state.active
        )

    async def check(self) -> None:
        """The promises."""
        batches = [row.batch for row in self.tables.batches.values()]
        for batch in batches:
            assert not batch.is_open, f"lost: {batch.id} never ended ({batch.state})"
            if batch.state == "committed":
                await self._check_committed(batch)
            else:
                assert batch.error, f"{batch.id} failed without a reason"
                assert batch.id not in self.tables.visible, f"{batch.id} failed and is visible"
        assert set(self.tables.visible) <= {b.id for b in batches if b.state == "committed"}, "visible without commit"
        twice = [batch for batch, count in Counter(self.tables.flips).items() if count > 1]
        assert not twice, f"committed twice: {twice}"
        assert not self.registry.state.active, "the registry still holds an ended batch"
        assert not self.tables.outbox, "unsent outbox rows"
        assert not self.violations, self.violations[0]
        self._check_leases()

    async def _check_committed(self, batch: Batch) -> None:
        manifest = Manifest(stores.SimObjects(self.tables, Network(random.Random(0), max_delay_s=0)), batch.id)
        seal = await manifest.read_seal()
        urls = [item.url async for item in manifest.items(seal.parts)]
        visible = self.tables.visible[batch.id]
        lost = set(urls) - set(visible)
        assert not lost, f"lost: {batch.id} was committed without {sorted(lost)}"
        assert len(urls) == len(set(urls)) == seal.expected_count, "a URL was discovered twice"
        wanted = {ad.id for page in self.pages for ad in page}
        if seal.sources["vendor"].outcome == "ok":
            found = {ad.ad.id async for ad, _, _ in manifest.ads(seal.parts)}
            assert found == wanted, f"ads lost between pages: {sorted(wanted - found)}"
        for url, result in visible.items():
            if url in self.broken:
                assert result.status == "failed", f"{url} is broken and was committed as {result.status}"
            if result.status == "failed":
                assert result.error, f"{url} failed without a reason"
        assert batch.insight_at is not None, f"{batch.id}: insight was never derived"

    def _check_leases(self) -> None:
        """What a killed worker had claimed is free again for the next one who asks."""
        held = [row for row in self.tables.analyses.values() if isinstance(row, tuple) and row[1] > stores.now()]
        assert not held, f"claims are still held: {held}"
