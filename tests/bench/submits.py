"""Submits per second at the registry, their latency, and what they cost it."""

from __future__ import annotations

import asyncio
import time

import msgspec
import numpy as np

from adology.abc.sink import ItemResult
from adology.registry_client import HttpRegistry
from tests.bench.lab import BenchError, Lab
from tests.bench.meter import Timed
from tests.bench.model import Line, Size

GROUP = "registry"
AT_ONCE = 16
DIMENSIONS = 512
WARM = 50


class Run(msgspec.Struct, frozen=True):
    """One repetition: per second, milliseconds of half and of 99 in 100, the registry's CPU a submit."""

    rate: float
    p50_ms: float
    p99_ms: float
    server_us: float
    client_us: float


async def measure_submits(lab: Lab, size: Size) -> list[Line]:
    """Lines of this group."""
    runs = []
    async with lab.space() as space:
        for _ in range(size.reps):
            async with lab.registry(space) as (settings, pid), HttpRegistry(settings.registry.url) as client:
                await _submit_all(client, "warm", WARM)
                server, cpu = Timed([pid]), time.process_time()
                wall, waits = await _submit_all(client, "nike", size.submits)
                cpu = time.process_time() - cpu
                _, used = server.stop()
                runs.append(_run(size.submits, wall, waits, used, cpu))
    names = {
        "rate": (f"submits of results with {DIMENSIONS} floats, {AT_ONCE} at once", "submits/s"),
        "p50_ms": ("latency, median", "ms"),
        "p99_ms": ("latency, 99 %", "ms"),
        "server_us": ("CPU of the registry", "us/submit"),
        "client_us": ("CPU of the client", "us/submit"),
    }
    return [
        Line(group=GROUP, what=what, unit=unit, samples=tuple(getattr(run, field) for run in runs))
        for field, (what, unit) in names.items()
    ]


def _run(count: int, wall: float, waits: list[float], server: float, client: float) -> Run:
    p50, p99 = (float(ms) for ms in np.percentile(waits, [50, 99]))
    return Run(count / wall, p50 * 1000, p99 * 1000, server / count * 1e6, client / count * 1e6)


async def _submit_all(client: HttpRegistry, brand: str, count: int) -> tuple[float, list[float]]:
    """Seconds for all, and for each. Exactly one must win the commit."""
    embedding = np.random.default_rng(7).standard_normal(DIMENSIONS).astype(np.float32).tobytes()
    batch = f"{brand}-1"
    await client.start(brand, count, batch)
    waits: list[float] = []
    won: list[int] = []
    numbers = iter(range(count))

    async def submit() -> None:
        for number in numbers:
            result = ItemResult(
                url=f"https://cdn.example.com/{brand}/{number:08}.jpg",
                embedding=embedding,
                s3_path=f"s3://adology/assets/{number:064x}.jpg",
            )
            started = time.monotonic()
            answer = await client.submit(brand, batch, result)
            waits.append(time.monotonic() - started)
            if answer.should_commit:
                won.append(number)

    started = time.monotonic()
    await asyncio.gather(*(submit() for _ in range(AT_ONCE)))
    wall = time.monotonic() - started
    if len(won) != 1:
        raise BenchError(f"{len(won)} submits of {count} won the commit; expected 1")
    return wall, waits
