"""Batches of ads whose media a server of ours has, through a worker as its users run it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from adology.engine.model import Batch
from adology.queues import GatherMessage, encode
from adology.queues.admin import queue_names
from adology.runtime import open_engine
from adology.runtime.engine import Engine
from adology.settings import AdologySettings
from adology.types import Brand
from tests.bench.lab import BenchError, Lab, Program

POLL_S = 0.02
WORDS = ("Comfort for every road", "Now in seven colours", "Free delivery over 50", "Made to last")


def with_media(settings: AdologySettings, origin: str, **changes: Any) -> AdologySettings:
    """Settings that let `origin` be fetched from."""
    replace = msgspec.structs.replace
    fetch = replace(settings.fetch, stand_ins=(origin,))
    return replace(settings, fetch=fetch, **changes)


def write_ads(folder: Path, count: int, url: Callable[[int], str], *, column: str = "image_url") -> None:
    """A table of ads, one creative each; without an address they are ads of text alone."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "ads.jsonl").open("w", encoding="utf-8") as file:
        for number in range(count):
            row = {"id": f"ad-{number}", "advertiser": "Nike", "body": f"{WORDS[number % len(WORDS)]}, no. {number}"}
            if found := url(number):
                row[column] = found
            file.write(json.dumps(row) + "\n")


class Gathered(msgspec.Struct, frozen=True):
    """A batch that was asked for, and when (seconds since 1970, as the servers count)."""

    batch: Batch
    asked: float

    @property
    def seconds(self) -> float:
        """From the request to the commit."""
        return _at(self.batch.committed_at) - self.asked

    @property
    def queue_s(self) -> float:
        """From the request until every message was sent."""
        return _at(self.batch.queued_at) - self.asked


def _at(moment: datetime | None) -> float:
    if moment is None:
        raise BenchError("the batch never came that far")
    return moment.timestamp()


async def run_batch(engine: Engine, folder: Path, brand: str, count: int, *, timeout_s: float) -> Gathered:
    """Gather the brand whose ads `folder` has, and wait until they are committed and their messages deleted."""
    await engine.catalogue.put_brand(Brand(id=brand, handles={"files": (str(folder),)}), file_roots=[str(folder)])
    asked = time.time()
    await engine.send("gather", [encode(GatherMessage(brand=brand, request_id=brand))])
    batch = await _wait_ended(engine, brand, time.monotonic() + timeout_s)
    await _wait_empty(engine, "acquire")
    counts = batch.counts
    if batch.state != "committed" or counts.get("failures") or counts.get("urls") != count:
        raise BenchError(
            f"batch {brand} is {batch.state} with {counts} {batch.error}; expected {count} without failures"
        )
    return Gathered(batch, asked)


async def _wait_ended(engine: Engine, brand: str, deadline: float) -> Batch:
    while True:
        batch = await engine.ledger.find_request(brand, brand)
        if batch is not None and not batch.is_open:
            return batch
        if time.monotonic() > deadline:
            active = await engine.registry.brands()
            raise BenchError(f"batch {brand} does not end; the ledger has {batch}, the registry {active}")
        await asyncio.sleep(POLL_S)


async def _wait_empty(engine: Engine, role: str) -> None:
    while any((await engine.sqs.count(queue_names(engine.settings.queues)[role])).values()):  # noqa: ASYNC110 - a server's
        await asyncio.sleep(POLL_S)


@contextlib.asynccontextmanager
async def working(
    lab: Lab, settings: AdologySettings, queues: str = "gather,acquire"
) -> AsyncIterator[tuple[Program, Engine]]:
    """A worker process, and an engine of our own to ask and to look with."""
    async with (
        lab.command(settings, ["worker", "--queues", queues], "worker ready") as (worker, _),
        open_engine(settings) as engine,
    ):
        yield worker, engine
