"""The picture of running requests: a bar per brand and phase, fitted to the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from adology.cli import output
from adology.cli.watch import Progress

IDLE_S = 20.0
"""A request that nobody has taken for this long gets a remark."""
PHASES = ("gather", "acquire", "commit", "insight")
_ORDER = {"queued": -1, "gather": 0, "acquire": 1, "commit": 2, "insight": 3, "done": 4}
_LINES_EACH = 2
_FRAME_LINES = 4
_LONGEST_NAME = 22
_CLOCK = 7
_GAPS = 2 * (len(PHASES) + 2)
"""Between the columns, and at the end, where a terminal writes ^C: it must not wrap there."""
_SHARES = {"gather": 0.36, "acquire": 0.34, "commit": 0.15, "insight": 0.15}
_LEAST, _MOST = 7, 28


def draw(progress: Sequence[Progress], *, width: int = 80, height: int = 25, trouble: str = "") -> RenderableType:
    """The live view. On a low terminal brands that have ended give way to those at work."""
    room = max(1, (height - _FRAME_LINES) // _LINES_EACH)
    shown = {id(p) for p in sorted(progress, key=lambda p: p.ended is not None)[:room]}
    name_width = min(_LONGEST_NAME, max((len(p.brand) for p in progress), default=0), max(_LEAST, width // 5))
    name_width = max(name_width, _LEAST)
    bars = {phase: _bar_width(width - name_width - _CLOCK - _GAPS, share) for phase, share in _SHARES.items()}
    made = Table.grid(padding=(0, 2, 0, 0))
    for column in (name_width, *bars.values(), _CLOCK):
        made.add_column(width=column, no_wrap=True, overflow="ellipsis")
    made.add_row("", *(Text(phase, style="dim") for phase in PHASES), "")
    for each in progress:
        if id(each) in shown:
            style = "red" if each.is_failed else "green" if each.phase == "done" else "bold"
            clock = Text(_clock(each.elapsed_s), style="dim")
            made.add_row(Text(each.brand, style=style), *(_bar(each, p, w) for p, w in bars.items()), clock)
            labels = (_label(each, phase, width) for phase, width in bars.items())
            made.add_row(Text(each.phase, style="dim"), *labels, "")
    return Group(made, *_remarks(progress, len(progress) - len(shown), trouble))


def _bar_width(room: int, share: float) -> int:
    return min(_MOST, max(_LEAST, int(room * share)))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"  # noqa: PLR2004


def _remarks(progress: Sequence[Progress], hidden: int, trouble: str) -> list[RenderableType]:
    lines: list[RenderableType] = []
    if hidden:
        lines.append(Text(f"and {output.count(hidden, 'more brand')}", style="dim"))
    idle = [p for p in progress if p.phase == "queued" and p.elapsed_s > IDLE_S]
    if idle:
        text = f"no worker has taken {idle[0].brand} yet: `adology status` shows whether workers run"
        lines.append(Text(text, style="yellow"))
    if trouble:
        lines.append(Text(trouble, style="yellow"))
    return lines


def detail(progress: Progress, phase: str) -> str:
    """What can be said about one phase in a few words; empty before it began."""
    batch = progress.batch
    if batch is None:
        return ""
    if phase == "gather":
        ads, pages = int(batch.counts.get("ads", 0)), int(batch.counts.get("pages", 0))
        return f"{output.count(ads, 'ad')}" + (f", {output.count(pages, 'page')}" if pages else "")
    if phase == "acquire":
        return "" if batch.expected_count is None else f"{progress.done:,}/{batch.expected_count:,}"
    if progress.is_committed and (phase == "commit" or batch.insight_at is not None):
        return "done"
    return "now" if progress.phase == phase else ""


def _label(progress: Progress, phase: str, width: int) -> Text:
    text = detail(progress, phase)
    label = Text(text if len(text) <= width else text.partition(", ")[0], style="dim")
    if phase == "acquire" and progress.failed:
        label.append(f" ✗{progress.failed:,}", style="red")
    return label


def _bar(progress: Progress, phase: str, width: int) -> RenderableType:
    """Full when the phase is over, filled as far as is known, moving where nobody can know."""
    if progress.is_failed:
        return ProgressBar(total=1, completed=0, width=width, style="red")
    here = _ORDER[progress.phase]
    if here > _ORDER[phase]:
        return ProgressBar(total=1, completed=1, width=width, finished_style="green")
    if here < _ORDER[phase]:
        return ProgressBar(total=1, completed=0, width=width)
    if phase == "acquire" and progress.batch is not None and progress.batch.expected_count:
        return ProgressBar(total=progress.batch.expected_count, completed=progress.done, width=width)
    return ProgressBar(total=None, pulse=True, width=width, pulse_style="cyan")
