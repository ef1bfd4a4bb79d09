"""A whole engine in this process on the embedded servers: registry, workers, steward, a folder of ads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from PIL import Image, ImageDraw

from adology.engine.model import Batch, hash_url
from adology.plugins import Plugins, load_plugins
from adology.queues import GatherMessage, Sqs, encode
from adology.queues.admin import queue_names
from adology.runtime import open_engine, run_steward, run_worker
from adology.runtime.engine import Engine
from adology.settings import AdologySettings
from adology.settings.model import (
    QUEUE_ROLES,
    QueueSettings,
    RegistrySettings,
    StewardSettings,
    WorkerSettings,
)
from adology.types import Brand
from adology_registry import serve
from tests.conftest import HEAVY

BRAND = "nike"
PLUGINS: list[Plugins] = []


def plugins() -> Plugins:
    """The installed plugins, loaded once per test process."""
    if not PLUGINS:
        PLUGINS.append(load_plugins(without=HEAVY, strict=True))
    return PLUGINS[0]


def draw_ads(folder: Path, count: int, *, first: int = 0) -> list[Path]:
    """Small pictures, all different, and at the end a byte-equal copy of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(first, first + count):
        image = Image.new("RGB", (160, 120), (number * 37 % 256, number * 91 % 256, 120))
        ImageDraw.Draw(image).text((10, 40), f"offer {number}", fill="white")
        paths.append(folder / f"ad-{number:03}.jpg")
        image.save(paths[-1], quality=85)
    copy = folder / f"copy-{first}.jpg"
    copy.write_bytes(paths[0].read_bytes())
    return [*paths, copy]


def quick(settings: AdologySettings, origin: str = "", **changes: Any) -> AdologySettings:
    """The settings with short leases and pauses, so that repairs happen within seconds."""
    replace = msgspec.structs.replace
    base = {
        "queues": replace(settings.queues, visibility_s=6, wait_s=1),
        "registry": replace(settings.registry, url=origin or settings.registry.url, port=0, commit_lease_s=4.0),
        "worker": WorkerSettings(
            concurrency=4,
            prefetch=4,
            gather_lease_s=4.0,
            analysis_lease_s=6.0,
            drain_s=5.0,
            item_timeout_s=40.0,
            deferral_s=2.0,
            breaker_pause_s=2.0,
        ),
        "steward": StewardSettings(interval_s=0.5, stalled_after_s=5.0, outbox_after_s=0.5),
    }
    return replace(settings, **{**base, **changes})


@asynccontextmanager
async def registry(settings: AdologySettings) -> AsyncIterator[str]:
    """A registry of this process; yields its address."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    own = msgspec.structs.replace(settings, registry=msgspec.structs.replace(settings.registry, port=0))
    task = asyncio.create_task(serve(own, ready=ready.set_result))
    waiting: set[asyncio.Future[Any]] = {task, ready}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    try:
        yield ready.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def living(
    settings: AdologySettings,
    *,
    workers: int = 1,
    steward: bool = True,
    queues: tuple[str, ...] = (),
    loaded: Plugins | None = None,
) -> AsyncIterator[Engine]:
    """Registry, workers and steward for the length of the block; yields an engine to look through."""
    async with registry(quick(settings)) as origin:
        own = quick(settings, origin)
        stop = asyncio.Event()
        roles = queues or QUEUE_ROLES
        loaded = loaded or plugins()
        tasks: list[asyncio.Task[Any]] = [
            asyncio.create_task(run_worker(own, roles, stop, plugins=loaded)) for _ in range(workers)
        ]
        if steward:
            tasks.append(asyncio.create_task(run_steward(own, stop, plugins=loaded)))
        try:
            async with open_engine(own, plugins=loaded) as engine:
                yield engine
        finally:
            stop.set()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed:
            raise failed[0]


async def add_brand(engine: Engine, folder: Path, brand: str = BRAND) -> None:
    """The brand, whose ads are the files of the folder."""
    await engine.catalogue.put_brand(Brand(id=brand, handles={"files": (str(folder),)}), file_roots=[str(folder)])


async def ask(engine: Engine, request: str, brand: str = BRAND) -> None:
    """Ask for a gathering."""
    await engine.send("gather", [encode(GatherMessage(brand=brand, request_id=request))])


async def wait_ended(
    engine: Engine, request: str, *, brand: str = BRAND, timeout_s: float = 45.0, insight: bool = True
) -> Batch:
    """The batch of the request, once it has ended and its insights are there."""
    async with asyncio.timeout(timeout_s):
        while True:
            batch = await engine.ledger.find_request(brand, request)
            if batch is not None and not batch.is_open and (batch.insight_at or not insight or batch.state == "failed"):
                return batch
            await asyncio.sleep(0.1)


async def wait_until(condition: Callable[[], Any], what: str, *, timeout_s: float = 30.0) -> None:
    """Return once `condition` (plain or async) is true."""
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                found = condition()
                if await found if asyncio.iscoroutine(found) else found:
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"did not happen within {timeout_s:g} s: {what}") from None


async def queue_depths(sqs: Sqs, settings: QueueSettings) -> dict[str, int]:
    """Messages per role, hidden and delayed ones included."""
    return {role: sum((await sqs.count(name)).values()) for role, name in queue_names(settings).items()}


async def wait_queues_empty(engine: Engine, *, timeout_s: float = 30.0) -> None:
    """Return once no message is left: all were deleted after their effect."""

    async def empty() -> bool:
        return not any((await queue_depths(engine.sqs, engine.settings.queues)).values())

    await wait_until(empty, "the queues are empty", timeout_s=timeout_s)


def rows(settings: AdologySettings, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of the database, read past the engine."""
    with psycopg.connect(settings.postgres.url, autocommit=True) as link:
        return link.execute(query.encode(), values).fetchall()


async def check_promises(engine: Engine, batch: Batch, urls: set[str], *, failed: set[str] = frozenset()) -> None:  # type: ignore[assignment]  # an empty default
    """Every discovered URL is accounted for once; one commit; no orphans; nothing left behind."""
    settings = engine.settings
    assert batch.state == "committed", f"{batch.state}: {batch.error}"
    items = dict(rows(settings, "select url, status from batch_items where batch_id = %s", batch.id))
    assert set(items) == urls
    assert {url for url, status in items.items() if status == "failed"} == set(failed)
    recorded = {bytes(row[0]) for row in rows(settings, "select url_hash from failures where batch_id = %s", batch.id)}
    assert recorded == {hash_url(url) for url in failed}
    assert rows(settings, "select count(*) from batches where state in ('discovering', 'acquiring')") == [(0,)]
    orphans = """select count(*) from brand_ads b join batches t on t.id = b.last_batch where t.state <> 'committed'"""
    assert rows(settings, orphans) == [(0,)]
    assert rows(settings, "select count(*) from analyses where state = 'pending'") == [(0,)], "a lease was left"
    assert rows(settings, "select count(*) from outbox") == [(0,)]
    for (path,) in rows(settings, "select s3_path from assets"):
        key = path.removeprefix(f"s3://{settings.s3.bucket}/")
        assert await engine.objects.exists(key), f"{path} was committed and is not in the archive"
    assert await engine.registry.brands() == [], "the registry still holds an ended batch"


def registry_settings(**changes: Any) -> RegistrySettings:
    """Registry settings for a test."""
    return RegistrySettings(**{"port": 0, **changes})
