"""The demo from start to end. Whatever happens, nothing that it started goes on running."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec

from adology.cli import output
from adology.cli.results import exit_code, show_outcomes
from adology.errors import StackError
from adology.settings import AdologySettings
from demo import (
    contradictions,
    customer,
    customer_tables,
    drawing,
    gathering,
    relations,
    report,
    servers,
    tables,
    troubles,
    understanding,
)
from demo.gathering import Gathered
from demo.home import DemoHome
from demo.report import Steps
from demo.servers import Ports
from demo.troubles import Trouble
from upstreams.world import World, load_world

LONGEST_S = 900.0
"""For the gathering; a demo in a build must end."""
GRACE_S = 3.0
"""For the end of a server to be seen, after work that has failed."""
PATIENCE_S = 35.0
"""For what is compared after the commits."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for.

    `ads` of each brand; `keep` goes on with the last run's data; `light` leaves the models out.
    """

    ads: int
    seed: int
    workers: int
    home: Path
    keep: bool
    light: bool = False


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
    steps.note("trouble", troubles.describe_troubles(bad))
    contradictions.plant(home.world, world, bad)
    ports = servers.choose_ports()
    settings = servers.configure(home, world, ports, light=options.light)
    try:
        state, settings = servers.start(home, settings, ports, workers=options.workers)
        steps.done("servers", report.describe_services(state.services))
        gathered = asyncio.run(_unless_broken(home, _collect(settings, world, ports, bad, steps)))
        show_outcomes(gathered.outcomes, next_steps=False)
        report.show_pulses(gathered.pulses)
        understood = asyncio.run(understanding.understand(settings, [brand.id for brand in world.brands]))
        tables.show_understood(understood)
        if understood.read:
            related = asyncio.run(relations.relate(settings, patience_s=PATIENCE_S))
            steps.done("compared", tables.describe_related(related))
            tables.show_related(related)
        password = customer.keep_password(home.keys / "customer-password")
        brands = [brand.id for brand in world.brands]
        seen = asyncio.run(customer.look(settings, brands, servers.OWNER, password))
        steps.done("api", customer_tables.describe(seen))
        customer_tables.show(seen)
    finally:
        stopped = servers.stop(home)
    steps.done("stopped", f"all {len(stopped.services)} services; the demo took {steps.elapsed()}")
    report.show_next(home, gathered.outcomes, searchable=bool(understood.read))
    return exit_code(gathered.outcomes)


async def _collect(settings: AdologySettings, world: World, ports: Ports, bad: list[Trouble], steps: Steps) -> Gathered:
    brands = await gathering.add_brands(settings, world)
    steps.done("brands", ", ".join(brand.id for brand in brands))
    gathered = await gathering.gather(settings, brands)
    steps.done("gathered", "from the Meta Ad Library, SerpApi and a customer's database")
    hidden = gathering.count_hidden(world)
    if hidden:
        steps.note("not shown", f"{output.count(hidden, 'ad')}: the Meta Ad Library has none from outside EU and UK")
    overcome = await troubles.list_overcome(ports.media_origin, bad)
    if overcome:
        steps.note("overcome", troubles.describe_troubles(overcome, overcome=True))
    return gathered


async def _unless_broken(home: DemoHome, work: Coroutine[Any, Any, Gathered]) -> Gathered:
    """The result of `work`, which would wait for ever for servers that have ended.

    Raises:
        StackError: one has, or the work took too long.
    """
    tasks = asyncio.ensure_future(work), asyncio.ensure_future(servers.wait_broken(home))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=LONGEST_S)
        if not done:
            raise StackError(f"the brands were not gathered within {LONGEST_S:g} s.", hint=f"See {home.root / 'logs'}.")
        failed = tasks[0].done() and tasks[0].exception() is not None
        if failed:
            # The work may have met the end of a server before we looked: that is what is to be told.
            await asyncio.wait({tasks[1]}, timeout=GRACE_S)
        if not tasks[0].done() or (failed and tasks[1].done()):
            await tasks[1]
        return await tasks[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
