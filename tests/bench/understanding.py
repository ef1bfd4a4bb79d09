"""All local analyzers through the engine, beside the same analyzers in a bare loop over the same files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import psycopg
from PIL import Image

from adology.settings import AdologySettings
from tests.bench.batches import run_batch, with_media, working, write_ads
from tests.bench.creatives import serving
from tests.bench.lab import Lab
from tests.bench.media_files import draw_pictures, pick_pictures
from tests.bench.memory import ENOUGH, MIB, SETTLE_S
from tests.bench.meter import Peak, Timed, rss_bytes
from tests.bench.model import Goal, Line, Size, ratios

GROUP = "analyzers"
TIMEOUT_S = 3600.0
OVERHEAD = 0.15
GROWTH_MIB = 64.0
"""What a worker may hold more towards the end of a batch than after its models were loaded: its allocators alone."""
FIFTHS = 5
SHARES = """select analyzer, sum(duration_ms) from analyses where subject_kind = 'asset'
    and state = 'done' group by 1 order by 2 desc"""


class Run(msgspec.Struct, frozen=True):
    """One side, one repetition: creatives per second, CPU seconds per creative, and milliseconds by analyzer."""

    rate: float
    cpu_s: float
    shares: dict[str, float] = {}


async def measure_understanding(lab: Lab, size: Size) -> list[Line]:
    """Lines of this group."""
    folder = lab.new_folder("pictures")
    small = size.remembered < ENOUGH  # only to see that it runs
    paths = (pick_small(folder) if small else pick_pictures(folder, size.understood))[: size.understood]
    runs: dict[str, list[Run]] = {"bare": [], "one": [], "two": []}
    async with serving(lab, paths) as origin:
        for rep in range(max(1, size.reps - 1)):
            for side in ("bare", "one") if small else list(runs) if rep % 2 == 0 else list(reversed(runs)):
                if side == "bare":
                    runs[side].append(await _bare(lab, paths))
                else:
                    runs[side].append(await _engine(lab, origin, len(paths), processes=1 if side == "one" else 2))
    return [*_lines(runs, len(paths)), *([] if small else await _memory(lab, size))]


async def _bare(lab: Lab, paths: list[Path]) -> Run:
    async with lab.module("tests.bench.bare_loop", [str(path) for path in paths], "ready") as (loop, _):
        loop.say("go")
        _, seconds, cpu = (await loop.wait_line("did ", timeout_s=TIMEOUT_S)).split()
    return Run(len(paths) / float(seconds), float(cpu) / len(paths))


async def _engine(lab: Lab, origin: str, count: int, *, processes: int) -> Run:
    """From the request to gather until the commit, with a worker whose models are loaded."""
    async with lab.space() as space, lab.registry(space) as (settings, _):
        own = _with_models(with_media(settings, origin), processes)
        folders = [lab.new_folder(name) for name in ("warm", "ads")]
        async with working(lab, own) as (worker, engine):
            write_ads(folders[0], processes, lambda n: f"http://{origin}/warm/{n}")
            await run_batch(engine, folders[0], "warm", processes, timeout_s=TIMEOUT_S)
            write_ads(folders[1], count, lambda n: f"http://{origin}/run/{n}")
            timed = Timed([worker.pid])
            done = await run_batch(engine, folders[1], "nike", count, timeout_s=TIMEOUT_S)
            _, cpu = timed.stop()
        with psycopg.connect(own.postgres.url) as link:
            shares = {name: float(ms) for name, ms in link.execute(SHARES).fetchall()}
    return Run(count / done.seconds, cpu / count, shares)


def _with_models(settings: AdologySettings, processes: int) -> AdologySettings:
    replace = msgspec.structs.replace
    return replace(
        settings,
        worker=replace(settings.worker, isolation_processes=processes),
        plugins=replace(settings.plugins, without=()),
    )


async def _memory(lab: Lab, size: Size) -> list[Line]:
    """A worker's memory above idle over a batch of many small creatives, and what it is more at its end.

    Of each fifth of the time the median: two children with a large picture each at the same moment are a
    peak, and the more moments are looked at the higher it is, whether anything is kept or not.
    """
    count = size.remembered
    paths = pick_small(lab.new_folder("small"))
    async with (
        serving(lab, paths) as origin,
        lab.space() as space,
        lab.registry(space) as (settings, _),
        working(lab, _with_models(with_media(settings, origin), 2)) as (worker, engine),
    ):
        await asyncio.sleep(SETTLE_S)
        idle = rss_bytes([worker.pid])
        folder = lab.new_folder("ads")
        write_ads(folder, count, lambda n: f"http://{origin}/run/{n}")
        with Peak(worker.pid) as peak:
            await run_batch(engine, folder, "nike", count, timeout_s=TIMEOUT_S)
    early, late = (peak.usual(part, FIFTHS) / MIB for part in (1, FIFTHS - 1))
    return [
        Line(group=GROUP, what=f"peak above idle over {count:,} creatives", unit="MiB",
             samples=((peak.bytes - idle) / MIB,)),
        Line(group=GROUP, what=f"more memory in the last fifth of {count:,} creatives than in the second", unit="MiB",
             samples=(max(0.0, late - early),), goal=Goal(sense="at most", limit=GROWTH_MIB),
             note=f"medians {early:.0f} and {late:.0f}"),
    ]  # fmt: skip


def pick_small(folder: Path) -> list[Path]:
    """Drawn ads of a few hundred pixels: what is kept per creative shows, not what one takes."""
    paths = draw_pictures(folder, 12)
    for path in paths:
        with Image.open(path) as picture:
            picture.thumbnail((320, 320))
            picture.save(path)
    return paths


def _lines(runs: dict[str, list[Run]], count: int) -> list[Line]:
    rates = {side: tuple(run.rate for run in found) for side, found in runs.items()}
    cpus = {side: tuple(run.cpu_s for run in found) for side, found in runs.items()}
    names = {"bare": "bare loop", "one": "engine, one child process", "two": "engine, two child processes"}
    lines = []
    for side, name in names.items():
        if not runs[side]:
            continue
        lines += [
            Line(group=GROUP, what=name, unit="creatives/s", samples=rates[side], note=f"{count}"),
            Line(group=GROUP, what=f"{name}: CPU per creative", unit="s", samples=cpus[side]),
        ]
    shares = [run.shares for run in runs["one"]]
    total = [sum(each.values()) for each in shares]
    return [
        *lines,
        Line(
            group=GROUP,
            what="engine / bare loop, one process each",
            unit="of its rate",
            samples=ratios(rates["one"], rates["bare"]),
            goal=Goal(sense="at least", limit=1 / (1 + OVERHEAD)),
        ),
        Line(
            group=GROUP,
            what="engine / bare loop: CPU",
            unit="times its CPU",
            samples=ratios(cpus["one"], cpus["bare"]),
            goal=Goal(sense="at most", limit=1 + OVERHEAD),
        ),
        *([Line(group=GROUP, what="two child processes / one", unit="of its rate",
                samples=ratios(rates["two"], rates["one"]))] if runs["two"] else []),
        *(
            Line(group=GROUP, what=f"share of {name}", unit="of the time",
                 samples=tuple(each.get(name, 0.0) / all_ for each, all_ in zip(shares, total, strict=True)))
            for name in shares[0]
        ),
    ]  # fmt: skip
