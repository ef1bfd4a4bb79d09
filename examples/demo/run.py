"""The demo from start to end. Whatever happens, nothing that it started goes on running."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from adology.cli.results import exit_code, show_outcomes
from adology.settings import AdologySettings
from demo import drawing, gathering, report, servers, troubles
from demo.gathering import Gathered
from demo.home import DemoHome
from demo.report import Steps
from demo.servers import Ports
from demo.troubles import Trouble
from upstreams.world import World, load_world


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for. `ads` of each brand; `keep` goes on with the last run's data."""

    ads: int
    seed: int
    workers: int
    home: Path
    keep: bool


def run(options: Options) -> int:
    """Run the demo and return its exit code."""
    steps = Steps()
    steps.title("Adology: three brands collected, archived and analysed on this machine")
    home = DemoHome(options.home)
    home.claim()
    home.check_ours()
    folder, drawn = drawing.obtain_world(home.cache, seed=options.seed, ads=options.ads)
    world = load_world(folder)
    steps.done("world", f"{drawing.describe_world(world)} ({'drawn now' if drawn else 'drawn before'})")
    home.prepare(keep=options.keep)
    bad = troubles.plan_troubles(world)
    troubles.copy_world(folder, home.world, bad)
    troubles.write_troubles(home.troubles, bad)
    steps.done("trouble", f"{troubles.describe_troubles(bad)}")
    ports = servers.choose_ports()
    settings = servers.configure(home, world, ports)
    try:
        state, settings = servers.start(home, settings, ports, workers=options.workers)
        steps.done("servers", ", ".join(state.services))
        gathered = asyncio.run(_collect(settings, world, ports, bad, steps))
        show_outcomes(gathered.outcomes, next_steps=False)
        report.show_pulses(gathered.pulses)
    finally:
        stopped = servers.stop(home)
    steps.done("stopped", f"{len(stopped.services)} services")
    report.show_next(home, gathered.outcomes)
    return exit_code(gathered.outcomes)


async def _collect(
    settings: AdologySettings, world: World, ports: Ports, bad: list[Trouble], steps: Steps
) -> Gathered:
    brands = await gathering.add_brands(settings, world)
    steps.done("brands", ", ".join(brand.id for brand in brands))
    gathered = await gathering.gather(settings, brands)
    steps.done("gathered", "from the Meta Ad Library, Google by SerpApi and a customer's database")
    overcome = await troubles.list_overcome(ports.media_origin, bad)
    if overcome:
        steps.done("overcome", troubles.describe_troubles(overcome, overcome=True))
    return gathered
