"""What the demo says: its steps as they are done, what came of them, and how to look further."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from adology.cli import output
from adology.cli.model import Outcome
from adology_pulse.model import Pulse
from demo.home import DemoHome

_NAME_WIDTH = 10
_MOST_FORMATS = 3


class Steps:
    """One line per step that is done, on standard error, with the time since the one before."""

    def __init__(self) -> None:
        self._console = output.stderr()
        self._last = time.monotonic()

    def title(self, text: str) -> None:
        """The heading."""
        self._console.print(Text(text, style="bold"), soft_wrap=True)

    def done(self, name: str, text: str) -> None:
        """Say that a step is done, and what it came to."""
        now = time.monotonic()
        took, self._last = now - self._last, now
        line = Table.grid(padding=(0, 1, 0, 0), expand=self._console.is_terminal)
        line.add_column(width=1)
        line.add_column(width=_NAME_WIDTH)
        line.add_column(ratio=1 if self._console.is_terminal else None)
        line.add_column(justify="right", no_wrap=True)
        line.add_row(
            Text("✓", style="green"), Text(name, style="bold"), Text(text), Text(output.span(took), style="dim")
        )
        self._console.print(line)


def show_pulses(pulses: Mapping[str, Pulse]) -> None:
    """One line per brand from its newest insight."""
    if not pulses:
        return
    console = output.stdout()
    console.print(Text.assemble(("Insights", "bold"), ("  of the public ads; the customer's own stay his", "dim")))
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(no_wrap=True)
    for brand, pulse in pulses.items():
        made.add_row(Text(f"  {brand}", style="bold"), Text(describe_pulse(pulse)))
    console.print(made)


def describe_pulse(pulse: Pulse) -> str:
    """One sentence about a brand's ads."""
    parts = [f"{pulse.running} of {output.count(pulse.ads, 'ad')} run"]
    if not pulse.is_first:
        parts.append(f"{pulse.new.ads} new, {pulse.newly_stopped.ads} just stopped")
    formats = sorted(pulse.formats, key=lambda share: -share.ads)[:_MOST_FORMATS]
    if formats:
        parts.append(", ".join(f"{share.share:.0%} {share.format}" for share in formats))
    if pulse.median_life_days is not None:
        parts.append(f"half live {output.count(pulse.median_life_days, 'day')} or longer")
    if pulse.run_all.longest is not None:
        parts.append(f"the longest ran {pulse.run_all.longest}")
    return "; ".join(parts)


def show_next(home: DemoHome, outcomes: Sequence[Outcome]) -> None:
    """Commands that work once the demo is over."""
    program = _short(Path(sys.executable).with_name("adology"))
    python = _short(Path(sys.executable))
    config = _short(home.config)
    batch = next((outcome.batch for outcome in outcomes if outcome.batch), None)
    steps = [
        (f"export ADOLOGY_CONFIG={config}", "for the commands below"),
        (f"{program} up", "start it again; the data is still there"),
        (f"{program} brand list", "the brands, with their ads"),
        (f"{program} batch list", "the batches, with their failures"),
        *([(f"{program} batch show {batch[:8]}", "one batch: sources, failures, timing")] if batch else []),
        (f"{program} down", "stop it"),
        (f"{python} -m demo --keep{_home_option(home)}", "gather once more: nothing is analysed twice"),
    ]
    console = output.stdout()
    console.print()
    console.print(Text.assemble(("Look further", "bold"), (f"  everything is stopped, its data is in {_short(home.root)}", "dim")))
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(no_wrap=True)
    for command, why in steps:
        made.add_row(Text(f"  {command}", style="cyan"), Text(why, style="dim"))
    console.print(made)


def _home_option(home: DemoHome) -> str:
    return "" if home.root == Path(".build/demo").absolute() else f" --home {_short(home.root)}"


def _short(path: Path) -> str:
    """The path as one would type it here."""
    near = os.path.relpath(path)
    return shlex.quote(str(path) if near.startswith("..") else near)
