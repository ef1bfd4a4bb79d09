"""Peak memory of a worker and its children, above what it holds when idle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from tests.bench.batches import run_batch, with_media, working, write_ads
from tests.bench.creatives import serving
from tests.bench.lab import Lab
from tests.bench.meter import Peak, rss_bytes
from tests.bench.model import Goal, Line, Size

GROUP = "memory"
MIB = 1024 * 1024
MOST_MIB = 300.0
SETTLE_S = 1.0
ENOUGH = 1000
"""From here on a tenth of the batch is measured as well: what it takes less is what grows."""
TIMEOUT_S = 1800.0


class Job(msgspec.Struct, frozen=True):
    """A batch: how many creatives, where each is, and the column that says so."""

    name: str
    count: int
    url: Callable[[int], str]
    column: str = "image_url"


async def measure_memory(lab: Lab, size: Size) -> list[Line]:
    """Lines of this group. Once each: memory is not noisy."""
    async with serving(lab) as origin:
        web = f"http://{origin}"
        counts = [size.urls // 10, size.urls] if size.urls >= ENOUGH else []
        jobs = [
            Job(f"one file of {size.file_bytes // MIB} MiB", 1, lambda _: f"{web}/film/{size.file_bytes}", "video_url"),
            *(Job(f"a batch of {count:,} creatives", count, lambda n: f"{web}/run/{n}") for count in counts),
        ]
        lines: list[Line] = []
        for job in jobs:
            lines += await _measure(lab, origin, job)
    return lines


async def _measure(lab: Lab, origin: str, job: Job) -> list[Line]:
    """A fresh worker, whose idle memory includes no child process yet."""
    async with (
        lab.space() as space,
        lab.registry(space) as (settings, _),
        working(lab, with_media(settings, origin)) as (worker, engine),
    ):
        await asyncio.sleep(SETTLE_S)
        idle = rss_bytes([worker.pid])
        folder = lab.new_folder("ads")
        write_ads(folder, job.count, job.url, column=job.column)
        with Peak(worker.pid) as peak:
            await run_batch(engine, folder, "nike", job.count, timeout_s=TIMEOUT_S)
    above = (peak.bytes - idle) / MIB
    goal = Goal(sense="at most", limit=MOST_MIB)
    return [
        Line(group=GROUP, what=f"{job.name}: above idle", unit="MiB", samples=(above,), goal=goal,
             note=f"idle {idle / MIB:.0f}, peak {peak.bytes / MIB:.0f}, with its decoder process"),
    ]  # fmt: skip
