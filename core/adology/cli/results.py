"""The table at the end: what was collected, spared, analysed, what failed and why, how fast."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from adology.cli import output
from adology.cli.model import FailureLine, Outcome

MAX_REASONS = 12
WIDE = 112
"""Columns that the table with one row per brand takes with room for a brand of some length."""
_NARROWEST = len("failed") + len("   ")
"""The least that a brand takes in the other one."""
_ENDLESS = 10_000


def show_outcomes(outcomes: Sequence[Outcome], *, next_steps: bool = True) -> None:
    """Print how the requests ended, the reasons of failures, and how to look further."""
    console = output.stdout()
    for made in [_wide(outcomes)] if console.width >= WIDE else _narrow(outcomes, console):
        console.print(made)
    for outcome in outcomes:
        if outcome.error:
            console.print(output.cell(f"{outcome.brand} failed: {outcome.error}", "red"), soft_wrap=True)
        else:
            _show_sources(outcome)
    show_failures([failure for outcome in outcomes for failure in outcome.failures])
    if next_steps:
        _show_next(outcomes)


def _show_sources(outcome: Outcome) -> None:
    """Name the sources of a committed batch that gave less than everything."""
    console = output.stdout()
    for source in outcome.sources:
        if source.outcome == "empty":
            console.print(output.cell(f"{outcome.brand}: {source.source} found nothing", "dim"), soft_wrap=True)
        elif source.outcome != "ok":
            code = f" [{source.code}]" if source.code else ""
            reason = source.reason.removeprefix(f"{source.source}: ")
            text = f"{outcome.brand}: {source.source} {source.outcome}: {reason}{code}"
            console.print(output.cell(text, "yellow"), soft_wrap=True)


def _wide(outcomes: Sequence[Outcome]) -> Table:
    """One row per brand."""
    made = output.table("brand", "state", *_MEASURES, right=tuple(_MEASURES))
    for outcome in outcomes:
        cells = (measure(outcome) for measure in _MEASURES.values())
        made.add_row(output.cell(outcome.brand, "bold"), output.state(outcome.state), *cells)
    if len(outcomes) > 1:
        made.add_section()
        all_of_them = total(outcomes)
        made.add_row(output.cell("all", "bold"), "", *(measure(all_of_them) for measure in _MEASURES.values()))
    return made


def _narrow(outcomes: Sequence[Outcome], console: Console) -> Iterator[Table]:
    """One column per brand, for terminals that the wide one does not fit; as many tables as that takes."""
    rest = [*outcomes, total(outcomes)] if len(outcomes) > 1 else list(outcomes)
    endless = console.options.update(max_width=_ENDLESS)
    while rest:
        most = min(len(rest), console.width // _NARROWEST)
        tables = ((count, _columns(rest[:count], outcomes)) for count in range(most, 1, -1))
        fits = (pair for pair in tables if console.measure(pair[1], options=endless).maximum <= console.width)
        count, made = next(fits, (1, _columns(rest[:1], outcomes)))
        yield made
        rest = rest[count:]


def _columns(shown: Sequence[Outcome], outcomes: Sequence[Outcome]) -> Table:
    """A table with one column for each in `shown`; the total is none of the `outcomes`."""
    names = [outcome.brand for outcome in shown]
    made = output.table("", *names, right=names)
    made.add_row(output.cell("state", "dim"), *(output.state(o.state) if o in outcomes else "" for o in shown))
    for name, measure in _MEASURES.items():
        made.add_row(output.cell(name.replace("\n", " "), "dim"), *(measure(outcome) for outcome in shown))
    return made


def total(outcomes: Sequence[Outcome]) -> Outcome:
    """The sum. Batches run side by side, so its seconds are the longest one's."""
    seconds = max((o.seconds for o in outcomes), default=0.0)
    media = sum(o.creatives_per_s * o.seconds for o in outcomes)
    return Outcome(
        brand="all",
        ads=sum(o.ads for o in outcomes),
        assets=sum(o.assets for o in outcomes),
        duplicates=sum(o.duplicates for o in outcomes),
        analyses_run=sum(o.analyses_run for o in outcomes),
        analyses_reused=sum(o.analyses_reused for o in outcomes),
        failures=[failure for o in outcomes for failure in o.failures],
        bytes=sum(o.bytes for o in outcomes),
        seconds=seconds,
        creatives_per_s=round(media / seconds, 2) if seconds else 0.0,
    )


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """1 if any batch failed."""
    return int(any(outcome.state == "failed" for outcome in outcomes))


def _failures(outcome: Outcome) -> Text:
    failed = sum(failure.count for failure in outcome.failures)
    return output.cell(f"{failed:,}", "red" if failed else "dim")


_MEASURES: dict[str, Callable[[Outcome], RenderableType]] = {
    "ads": lambda o: f"{o.ads:,}",
    "assets": lambda o: f"{o.assets:,}",
    "duplicates\nspared": lambda o: f"{o.duplicates:,}",
    "analyses": lambda o: f"{o.analyses_run:,}",
    "analyses\nreused": lambda o: f"{o.analyses_reused:,}",
    "failures": _failures,
    "bytes": lambda o: output.amount(o.bytes),
    "seconds": lambda o: f"{o.seconds:.1f}",
    "creatives\nper second": lambda o: f"{o.creatives_per_s:.1f}",
}


def show_failures(failures: Sequence[FailureLine]) -> None:
    """Print failures by reason, most frequent first."""
    if not failures:
        return
    console = output.stdout()
    ordered = _merge(failures)
    console.print(_failures_table(ordered[:MAX_REASONS], wide=console.width >= WIDE))
    if len(ordered) > MAX_REASONS:
        console.print(output.cell(f"and {output.count(len(ordered) - MAX_REASONS, 'more reason')}", "dim"))


def _merge(failures: Sequence[FailureLine]) -> list[FailureLine]:
    """One line per code and reason, over all brands."""
    merged: dict[tuple[str, str], FailureLine] = {}
    for failure in failures:
        known = merged.get((failure.code, failure.reason))
        merged[failure.code, failure.reason] = FailureLine(
            code=failure.code,
            reason=failure.reason,
            count=failure.count + (known.count if known else 0),
            example=known.example if known else failure.example,
        )
    return sorted(merged.values(), key=lambda failure: -failure.count)


def _failures_table(failures: Sequence[FailureLine], *, wide: bool) -> Table:
    """Examples stand in a column of their own, or below the reason where there is little room."""
    columns = ("reason", "for example") if wide else ("reason",)
    made = output.table("failed", "code", *columns, right=("failed",), flexible=columns)
    for failure in failures:
        # Queries of media addresses are long, and often hold signatures.
        address = failure.example.partition("?")[0]
        reason, example = output.cell(failure.reason), output.cut(address, "dim")
        if wide:
            told: tuple[RenderableType, ...] = (reason, example)
        else:
            # A reason often names its address already.
            told = (reason if address in failure.reason else Group(reason, example),)
        made.add_row(output.cell(f"{failure.count:,}", "red"), output.cell(failure.code, "dim"), *told)
    return made


def _show_next(outcomes: Sequence[Outcome]) -> None:
    batch = next((outcome.batch for outcome in outcomes if outcome.batch), None)
    if batch is None:
        return
    console = output.stdout()
    console.print("Look further:", style="bold")
    steps = (
        (f"adology batch show {batch[:8]}", "sources, failures and timing of a batch"),
        ("adology brand list", "brands with their ads and refresh dates"),
        ("adology status", "what runs, on which ports"),
    )
    widest = max(len(command) for command, _ in steps)
    for command, why in steps:
        console.print(f"  [cyan]{output.plain(command):<{widest}}[/]  [dim]{why}[/]", soft_wrap=True)
