"""Follows requests to their end: a live view on a terminal, a line now and then elsewhere.

::

    outcomes = await follow(database, [Request(brand="nike", request_id="…")])
    show_outcomes(outcomes)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from rich.console import Console
from rich.live import Live

from adology.cli import output
from adology.cli.liveview import detail, draw
from adology.cli.model import Outcome
from adology.cli.watch import Progress, Request, Watcher
from adology.errors import Retry
from adology.store import Database

POLL_S = 0.25
LINE_EVERY_S = 3.0


async def follow(
    database: Database,
    requests: Sequence[Request],
    *,
    insight: bool = True,
    console: Console | None = None,
    line_every_s: float = LINE_EVERY_S,
) -> list[Outcome]:
    """Show the requests' progress until all have ended, and how each did.

    Args:
        database: an open database.
        requests: what to follow.
        insight: wait for the insights as well, not just for the commit.
        console: where to draw; standard error by default.
        line_every_s: least time between two lines where there is no terminal, seconds.
    """
    console = console or output.stderr()
    watcher = Watcher(database, requests, insight=insight)
    if console.is_terminal:
        with Live(console=console, refresh_per_second=8, transient=True) as live:
            async for trouble in _looks(watcher):
                live.update(draw(watcher.progress, width=console.width, height=console.height, trouble=trouble))
    else:
        await _print_lines(watcher, console, line_every_s)
    return await watcher.outcomes()


async def _looks(watcher: Watcher) -> AsyncIterator[str]:
    """Look until all have ended; yields what keeps us from seeing, empty when nothing does."""
    while True:
        trouble = ""
        try:
            await watcher.look()
        except Retry as error:
            # A restarting server is no reason to stop watching.
            trouble = str(error)
        yield trouble
        if watcher.is_done:
            return
        await asyncio.sleep(POLL_S)


async def _print_lines(watcher: Watcher, console: Console, every_s: float) -> None:
    printed: dict[str, str] = {}
    last = 0.0
    async for trouble in _looks(watcher):
        if not watcher.is_done and time.monotonic() - last < every_s:
            continue
        last = time.monotonic()
        for progress in watcher.progress:
            line = describe(progress)
            if printed.get(progress.brand) != line:
                printed[progress.brand] = line
                console.print(f"{progress.elapsed_s:6.1f} s  {progress.brand}: {line}", markup=False, soft_wrap=True)
        if trouble:
            console.print(trouble, markup=False, soft_wrap=True)


def describe(progress: Progress) -> str:
    """One line saying where a request stands."""
    phase = progress.phase
    if phase == "queued":
        return "queued, no worker has taken it yet"
    if phase == "failed" and progress.batch is not None:
        return f"failed: {progress.batch.error}"
    if phase == "done":
        return f"done: {detail(progress, 'gather')}, {_counted(progress)}"
    return f"{phase}: {_counted(progress) if phase == 'acquire' else detail(progress, phase)}"


def _counted(progress: Progress) -> str:
    failed = f", {progress.failed:,} failed" if progress.failed else ""
    return f"{detail(progress, 'acquire')} media{failed}"
