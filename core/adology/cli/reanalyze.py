"""``reanalyze``: how many results are stale, what making them anew costs, and doing it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from adology.cli import output
from adology.cli.model import Reanalysis, StaleLine
from adology.cli.options import Json, answers, load

if TYPE_CHECKING:
    from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer
    from adology.runtime.engine import Engine
    from adology.settings.model import AdologySettings
    from adology.store.staleness import Staleness, Wanted

LEAST_SHOWN = 0.0001
"""US dollars; less is no nought, but too little to tell apart."""


@answers(Reanalysis)
def reanalyze(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME…", help="Analyzers; all if none is given.")] = None,
    *,
    stale: Annotated[bool, typer.Option("--stale", help="Results of another version or with other settings.")] = False,
    missing: Annotated[bool, typer.Option("--missing", help="What the analyzer never saw.")] = False,
    errors: Annotated[bool, typer.Option("--errors", help="What it failed on.")] = False,
    brand: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this brand; it pays.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most subjects of each analyzer and kind.")] = None,
    batch: Annotated[
        bool, typer.Option("--batch", help="Ask OpenAI in batches: half the price, within a day.")
    ] = False,
    go: Annotated[bool, typer.Option("--go", help="Queue the work. Without it nothing is done.")] = False,
    batches: Annotated[bool, typer.Option("--batches", help="Only list the batches at OpenAI.")] = False,
    json: Json = False,
) -> None:
    """Count results that are not current, quote what renewing them costs, and with `--go` queue it.

    Costs are averages of what the analyzer took so far with its present settings, else of what it paid with others.
    Workers with role `analyze` do the work. With `--batch` the work is handed over to OpenAI at once, and the steward
    fetches the results as they come.

    Example: `adology reanalyze labels --stale`, then the same with `--go`
    """
    if batches:
        from adology.cli.vendor_batches import list_batches  # noqa: PLC0415 - commands import when they run

        list_batches(load(), json=json)
        return
    chosen = [
        *(("version", "settings") if stale else ()),
        *(("missing",) if missing else ()),
        *(("failed",) if errors else ()),
    ]
    if go and not chosen:
        raise typer.BadParameter("--go needs --stale, --missing or --errors")
    if batch and not (chosen and names):
        raise typer.BadParameter("--batch needs the names of analyzers, and --stale, --missing or --errors")
    answer = asyncio.run(_run(load(), names or [], chosen, brand, limit, go=go, batch=batch))
    if json:
        output.print_json(answer)
        return
    _show(answer, chosen, went=go)


async def _run(
    settings: AdologySettings,
    names: list[str],
    reasons: list[str],
    brand: str | None,
    limit: int | None,
    *,
    go: bool,
    batch: bool = False,
) -> Reanalysis:
    from adology.cli.requests import check_brand, check_running  # noqa: PLC0415 - commands import when they run
    from adology.engine.renewal import cost_of  # noqa: PLC0415 - as above
    from adology.isolation import IsolatedPool  # noqa: PLC0415 - as above
    from adology.runtime import open_engine  # noqa: PLC0415 - as above
    from adology.store.staleness import Staleness  # noqa: PLC0415 - as above

    check_running(settings)
    worker = settings.worker
    async with (
        open_engine(settings) as engine,
        IsolatedPool(worker.isolation_processes, memory_bytes=worker.isolation_memory_bytes) as pool,
    ):
        engine.isolate(pool)  # what is asked in a batch may show pictures: strangers' files
        if brand is not None:
            await check_brand(engine.catalogue, brand)
        answer = Reanalysis()
        staleness = Staleness(engine.database)
        for analyzer, wanted in _wanted(engine.analyzers, names):
            counts = await staleness.count(wanted, brand=brand)
            line = StaleLine(
                analyzer=analyzer.name, subject=wanted.kind, current=counts.pop("current", 0), reasons=counts
            )
            line.chosen = sum(counts.get(reason, 0) for reason in reasons)
            line.chosen = line.chosen if limit is None else min(limit, line.chosen)
            rate = await staleness.rate(analyzer.name, analyzer.fingerprint)
            line.cost_usd = cost_of(analyzer, rate, line.chosen)
            line.seconds = None if rate.seconds is None else round(rate.seconds * line.chosen, 1)
            answer.lines.append(line)
            if batch and line.chosen:
                from adology.cli.vendor_batches import hand_over  # noqa: PLC0415 - commands import when they run

                pages = _payers(engine, wanted, staleness.subjects(wanted, reasons, brand=brand), line.chosen, brand)
                line.batch = await hand_over(
                    engine, analyzer, wanted.kind, pages, line.chosen, go=go, reopen="failed" in reasons
                )
            elif go and line.chosen:
                subjects = staleness.subjects(wanted, reasons, brand=brand)
                answer.queued += await _queue(engine, staleness, analyzer, wanted, subjects, line.chosen, brand)
        return answer


def _wanted(analyzers: AnalyzerSet, names: Sequence[str]) -> list[tuple[ReadyAnalyzer, Wanted]]:
    """The chosen analyzers, for each kind of subject that they accept."""
    from adology.engine.analyzers import UnknownAnalyzerError  # noqa: PLC0415 - commands import when they run
    from adology.engine.renewal import wanted_of  # noqa: PLC0415 - as above

    try:
        return wanted_of(analyzers, names)
    except UnknownAnalyzerError as error:
        raise typer.BadParameter(str(error)) from error


async def _payers(
    engine: Engine, wanted: Wanted, subjects: AsyncIterator[list[str]], most: int, brand: str | None
) -> AsyncIterator[list[tuple[str, str]]]:
    """Pages of `most` subjects together, each with who pays."""
    left = most
    async for page in subjects:
        chosen = page[:left]
        left -= len(chosen)
        payers = {} if brand else await engine.subjects.brands_of(wanted.kind, chosen)
        yield [(subject, brand or payers.get(subject, "")) for subject in chosen if brand or subject in payers]
        if left <= 0:
            return


async def _queue(
    engine: Engine,
    staleness: Staleness,
    analyzer: ReadyAnalyzer,
    wanted: Wanted,
    subjects: AsyncIterator[list[str]],
    most: int,
    brand: str | None,
) -> int:
    """Send a message for each subject; failed ones are opened again first."""
    from rich.progress import Progress  # noqa: PLC0415 - commands import when they run

    from adology.queues.messages import AnalyzeMessage, encode  # noqa: PLC0415 - as above

    sent = 0
    console = output.stderr()
    # Where there is no terminal it would write empty lines.
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"queueing {analyzer.name}", total=most)
        async for page in _payers(engine, wanted, subjects, most, brand):
            await staleness.reopen_failed([analyzer.claim(wanted.kind, subject).key for subject, _ in page])
            await engine.send(
                "analyze",
                [
                    encode(AnalyzeMessage(brand=payer, kind=wanted.kind, subject=subject, analyzers=(analyzer.name,)))
                    for subject, payer in page
                ],
            )
            sent += len(page)
            progress.advance(task, len(page))
    return sent


def _show(answer: Reanalysis, chosen: list[str], *, went: bool) -> None:
    from adology.store.staleness import REASONS  # noqa: PLC0415 - commands import when they run

    shown = [r for r in REASONS if r in chosen or any(line.reasons.get(r) for line in answer.lines)]
    numbers = ("current", *shown, "to do", "cost", "time")
    made = output.table("analyzer", "of", *numbers, right=numbers, flexible=("analyzer",))
    for line in answer.lines:
        made.add_row(
            output.cut(line.analyzer, "bold"),
            output.cell({"asset": "creatives", "ad": "copies"}[line.subject]),
            output.cell(f"{line.current:,}", "dim"),
            *(output.cell(f"{line.reasons.get(r, 0):,}", "yellow" if line.reasons.get(r) else "dim") for r in shown),
            output.cell(f"{line.chosen:,}", "bold"),
            output.cell(dollars(line.cost_usd)),
            output.cell(output.span(line.seconds), "dim"),
        )
    output.stdout().print(made)
    quoted = [line.batch for line in answer.lines if line.batch is not None]
    if quoted:
        from adology.cli.vendor_batches import show_quotes  # noqa: PLC0415 - commands import when they run

        show_quotes(quoted, went=went)
    if answer.queued:
        output.stdout().print(f"[green]queued[/] {answer.queued:,} for workers with role analyze")
        output.hint(
            "The same command without --go counts what is left. Workers keep the settings and plugins that they"
            " started with: after a change, `adology down` and `adology up` first."
        )
    elif not chosen:
        output.hint("Choose what to renew: --stale, --missing, --errors.")
    elif any(line.chosen for line in answer.lines) and not went:
        output.hint("Nothing was done. To do it: the same command with --go.")


def dollars(cost: float | None) -> str:
    """An amount for people."""
    if cost is None:
        return "?"
    if 0 < cost < LEAST_SHOWN:
        return f"< {LEAST_SHOWN} USD"
    return f"{cost:,.4f} USD" if cost else "0"
