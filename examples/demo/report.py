"""What the demo says: its steps as they are done, what came of them, and how to look further."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from adology.cli import output
from adology.cli.model import Outcome
from adology_pulse.model import Pulse
from demo.home import DemoHome

_NAME_WIDTH = 10
_WIDE = 100


class Steps:
    """One line per step that is done, on standard error, with the time since the one before."""

    def __init__(self) -> None:
        self._console = output.stderr()
        self._first = self._last = time.monotonic()

    def elapsed(self) -> str:
        """The time since the beginning."""
        return output.span(time.monotonic() - self._first)

    def title(self, text: str) -> None:
        """The heading."""
        self._console.print(Text(text, style="bold"), soft_wrap=True)

    def done(self, name: str, text: str) -> None:
        """Say that a step is done, and what it came to."""
        now = time.monotonic()
        took, self._last = now - self._last, now
        self._line(Text("✓", style="green"), name, text, output.span(took))

    def note(self, name: str, text: str) -> None:
        """Say something that is no step and took no time."""
        self._line(Text("·", style="dim"), name, text, "")

    def _line(self, mark: Text, name: str, text: str, took: str) -> None:
        is_terminal = self._console.is_terminal
        line = Table.grid(padding=(0, 1, 0, 0), expand=is_terminal)
        line.add_column(width=1)
        line.add_column(width=_NAME_WIDTH)
        line.add_column(ratio=1 if is_terminal else None)
        line.add_column(justify="right", no_wrap=True)
        line.add_row(mark, Text(name, style="bold"), Text(text), Text(took, style="dim"))
        self._console.print(line)


def describe_services(names: Iterable[str]) -> str:
    """The services by name, workers by number."""
    workers = [name for name in names if name.startswith("worker-")]
    others = [name for name in names if name not in workers]
    return ", ".join([*others, output.count(len(workers), "worker")])


def show_pulses(pulses: Mapping[str, Pulse]) -> None:
    """One line per brand from its newest insight."""
    if not pulses:
        return
    console = output.stdout()
    about = "  of the public ads; the customer's own are seen by the customer alone"
    console.print(Text.assemble(("Insights", "bold"), (about, "dim")))
    most = 3 if console.width >= _WIDE else 2
    numbers = ("ads", "new", "running", "stopped", "median life")
    made = output.table("brand", *numbers[:-1], "formats", numbers[-1], right=numbers, flexible=("formats",))
    for brand, pulse in pulses.items():
        counts = (pulse.ads, pulse.new.ads, pulse.running, pulse.stopped)
        life = output.count(pulse.median_life_days, "day") if pulse.median_life_days is not None else "-"
        made.add_row(
            Text(brand, style="bold"),
            *(Text(f"{number:,}") for number in counts),
            Text(_formats(pulse, most)),
            Text(life),
        )
    console.print(made)


def _formats(pulse: Pulse, most: int) -> str:
    """The most frequent formats and their shares."""
    ordered = sorted(pulse.formats, key=lambda share: (-share.ads, share.format))
    return ", ".join(f"{share.share:.0%} {share.format}" for share in ordered[:most])


def show_next(home: DemoHome, outcomes: Sequence[Outcome], *, searchable: bool) -> None:
    """Commands that work once the demo is over."""
    program = _short(Path(sys.executable).with_name("adology"))
    python = _short(Path(sys.executable))
    config = _short(home.config)
    batch = next((outcome.batch for outcome in outcomes if outcome.batch), None)
    steps = [
        (f"export ADOLOGY_CONFIG={config}", "for the commands below"),
        (f"{program} up", "start it again"),
        (f"{program} brand list", "the brands and their ads"),
        (f"{program} batch list", "the batches and their failures"),
        *([(f"{program} batch show {batch[:8]}", "one batch in detail")] if batch else []),
        *(_searches(program) if searchable else []),
        (f"{program} reanalyze", "which results are current"),
        (f"{program} down", "stop it"),
        (f"{python} -m demo --keep{_home_option(home)}", "again: nothing is paid twice"),
    ]
    console = output.stdout()
    console.print()
    console.print(Text.assemble(("Look further", "bold"), (f"  the data is in {_short(home.root)}", "dim")))
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(no_wrap=True)
    for command, why in steps:
        made.add_row(Text(f"  {command}", style="cyan"), Text(why, style="dim"))
    console.print(made)


def _searches(program: str) -> list[tuple[str, str]]:
    return [
        (f"{program} search --text 'half price'", "ads that say such a thing"),
        (f"{program} duplicates", "creatives that are one, changed"),
        (f"{program} mismatches", "prices that contradict each other"),
        (f"{program} analyze AD.jpg --html ad.html", "a file of yours: what every analyzer says of it"),
    ]


def _home_option(home: DemoHome) -> str:
    return "" if home.root == Path(".build/demo").absolute() else f" --home {_short(home.root)}"


def _short(path: Path) -> str:
    """The path as one would type it here."""
    near = os.path.relpath(path)
    return shlex.quote(str(path) if near.startswith("..") else near)
