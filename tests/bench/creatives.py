"""Creatives per second, and CPU per creative, beside a plain script that does the same work."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import psycopg

from adology.settings import AdologySettings
from tests.bench.batches import run_batch, with_media, working, write_ads
from tests.bench.lab import BenchError, Lab
from tests.bench.media_files import pick_pictures
from tests.bench.meter import Timed
from tests.bench.model import Goal, Line, Size, ratios

GROUP = "creatives"
THREADS = 2
"""Child processes for decoders here, threads for decoding there."""
TIMEOUT_S = 600.0
ENOUGH = 100
"""From here on the worker with all plugins is measured too."""
LISTED = ("files", "media", "s3", "postgres")
"""The plugins that do what the script does; the second comparison runs all that are installed."""


class Run(msgspec.Struct, frozen=True):
    """One side, one repetition: per second, and CPU milliseconds per creative, its own and the servers'."""

    rate: float
    cpu_ms: float
    server_ms: float
    queue_s: float = 0.0


async def measure_creatives(lab: Lab, size: Size) -> list[Line]:
    """Lines of this group."""
    # The short form loads no models: another measurement does.
    runs: dict[str, list[Run]] = {"script": [], "listed": [], **({"all": []} if size.creatives >= ENOUGH else {})}
    async with serving(lab) as origin:
        for rep in range(size.reps):
            sides = list(runs) if rep % 2 == 0 else list(reversed(runs))
            for side in sides:
                if side == "script":
                    runs[side].append(await run_script(lab, origin, size))
                else:
                    runs[side].append(await run_pipeline(lab, origin, size, LISTED if side == "listed" else ()))
    return _lines(runs, size)


@contextlib.asynccontextmanager
async def serving(lab: Lab, paths: Sequence[Path] = ()) -> AsyncIterator[str]:
    """``host:port`` of a server of creatives: these files, or the usual ones."""
    paths = paths or pick_pictures(lab.new_folder("pictures"))
    async with lab.module("tests.bench.media_server", [str(p) for p in paths], "origin ") as (_, line):
        yield line.split()[1]


async def run_pipeline(lab: Lab, origin: str, size: Size, only: tuple[str, ...]) -> Run:
    """From the request to gather until the commit, with a worker that has worked before."""
    async with lab.space() as space, lab.registry(space) as (settings, registry):
        replace = msgspec.structs.replace
        own = with_media(
            settings,
            origin,
            worker=replace(settings.worker, isolation_processes=THREADS),
            plugins=replace(settings.plugins, only=only),
        )
        folders = [lab.new_folder(name) for name in ("warm", "ads")]
        async with working(lab, own) as (worker, engine):
            write_ads(folders[0], size.warm, lambda n: f"http://{origin}/warm/{n}")
            await run_batch(engine, folders[0], "warm", size.warm, timeout_s=TIMEOUT_S)
            write_ads(folders[1], size.creatives, lambda n: f"http://{origin}/run/{n}")
            mine, servers = Timed([worker.pid]), Timed([*lab.server_pids(), registry])
            done = await run_batch(engine, folders[1], "nike", size.creatives, timeout_s=TIMEOUT_S)
            (_, cpu), (_, server) = mine.stop(), servers.stop()
        _check_rows(own, "select count(*) from assets where thumbnail is not null", size.warm + size.creatives)
    count = size.creatives
    return Run(count / done.seconds, cpu / count * 1000, server / count * 1000, done.queue_s)


async def run_script(lab: Lab, origin: str, size: Size) -> Run:
    """The same creatives through the script, which has worked before as well."""
    async with lab.space() as settings:
        async with lab.module("tests.bench.script", [], "ready", say=job_of(settings, origin)) as (script, _):
            script.say(f"warm 0 {size.warm}")
            await script.wait_line("did warm", timeout_s=TIMEOUT_S)
            mine, servers = Timed([script.pid]), Timed(lab.server_pids())
            script.say(f"run 0 {size.creatives}")
            line = await script.wait_line("did run", timeout_s=TIMEOUT_S)
            (_, cpu), (_, server) = mine.stop(), servers.stop()
        _check_rows(settings, "select count(*) from creatives", size.warm + size.creatives)
    count, seconds = size.creatives, float(line.split()[2])
    return Run(count / seconds, cpu / count * 1000, server / count * 1000)


def job_of(settings: AdologySettings, origin: str) -> str:
    """What the script is told, one line."""
    aws = settings.aws
    return json.dumps(
        {
            "origin": origin,
            "bucket": settings.s3.bucket,
            "postgres": settings.postgres.url,
            "aws": {
                "endpoint_url": aws.endpoint_url,
                "region_name": aws.region,
                "aws_access_key_id": aws.access_key_id,
                "aws_secret_access_key": aws.secret_access_key,
            },
        }
    )


def _check_rows(settings: AdologySettings, query: str, expected: int) -> None:
    with psycopg.connect(settings.postgres.url) as link:
        row = link.execute(query.encode()).fetchone()
    if row != (expected,):
        raise BenchError(f"{query}: {row} rows; expected {expected}")


def _lines(runs: dict[str, list[Run]], size: Size) -> list[Line]:
    rates = {side: tuple(run.rate for run in found) for side, found in runs.items()}
    cpus = {side: tuple(run.cpu_ms for run in found) for side, found in runs.items()}
    servers = {side: tuple(run.server_ms for run in found) for side, found in runs.items()}
    names = {"script": "plain script", "listed": "adology, same work", "all": "adology, all plugins"}
    lines = []
    for side in runs:
        name = names[side]
        lines += [
            Line(group=GROUP, what=name, unit="creatives/s", samples=rates[side]),
            Line(group=GROUP, what=f"{name}: CPU per creative", unit="ms", samples=cpus[side]),
            Line(group=GROUP, what=f"{name}: CPU of the servers", unit="ms", samples=servers[side]),
        ]
    queued = tuple(run.queue_s for run in runs["listed"])
    return [
        *lines,
        Line(group=GROUP, what="of which gathering and sending", unit="s", samples=queued, note=f"{size.creatives}"),
        Line(
            group=GROUP,
            what="adology / script, same work",
            unit="of its rate",
            samples=ratios(rates["listed"], rates["script"]),
            goal=Goal(sense="at least", limit=0.6),
        ),
        *([Line(group=GROUP, what="adology / script, all plugins", unit="of its rate",
                samples=ratios(rates["all"], rates["script"]))] if "all" in runs else []),
        Line(
            group=GROUP, what="adology / script, same work: CPU", unit="times its CPU",
            samples=ratios(cpus["listed"], cpus["script"]),
        ),
    ]  # fmt: skip
