"""Batches at OpenAI: quoted, handed over, listed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from adology.cli import output
from adology.cli.model import BatchQuote, Reanalysis, VendorBatchLine

if TYPE_CHECKING:
    from rich.text import Text

    from adology.engine.analyzers import ReadyAnalyzer
    from adology.engine.batch_submit import BatchSubmitter
    from adology.runtime.engine import Engine
    from adology.settings.model import AdologySettings
    from adology.store.subjects import SubjectKind

Pages = AsyncIterator[list[tuple[str, str]]]

SAMPLE = 200
"""Subjects that a quote is made of."""
SHOWN = 50
"""Batches that are listed."""


async def hand_over(
    engine: Engine, analyzer: ReadyAnalyzer, kind: SubjectKind, pages: Pages, most: int, *, go: bool, reopen: bool
) -> BatchQuote:
    """Quote, or with `go` have the vendor asked.

    Raises:
        EngineError: the analyzer, as it is configured, asks nobody in batches.
    """
    from adology.engine.batch_submit import CANNOT  # noqa: PLC0415 - commands import when they run
    from adology.errors import EngineError  # noqa: PLC0415 - as above

    submitter = engine.make_batch_submitter()
    quote = (
        await _quote(submitter, analyzer, kind, pages, most)
        if not go
        else await _send(submitter, analyzer, kind, pages, most, reopen=reopen)
    )
    if not quote.requests and not quote.settled and CANNOT in quote.left:
        raise EngineError(
            f"analyzer {analyzer.name} asks nobody in batches as it is configured.",
            hint='text_embedding, labels and labels_copy do with provider = "openai". '
            "Without --batch workers do the work.",
            code="ADO-5532",
        )
    return quote


async def _quote(
    submitter: BatchSubmitter, analyzer: ReadyAnalyzer, kind: SubjectKind, pages: Pages, most: int
) -> BatchQuote:
    """From the first subjects to all: what they are asked with is made, and thrown away."""
    sample: list[str] = []
    async for page in pages:
        sample += [subject for subject, _ in page]
        if len(sample) >= SAMPLE:
            break
    chosen = sample[:SAMPLE]
    if not chosen:
        return BatchQuote()  # all of them lost their last ad meanwhile
    found = await submitter.quote(analyzer, kind, chosen)
    share = most / len(chosen)
    requests, size_bytes, inputs = (round(one * share) for one in (found.requests, found.size_bytes, found.inputs))
    return BatchQuote(
        requests=requests,
        batches=submitter.limits.batches(requests, size_bytes, inputs),
        at_most_usd=None if found.estimate_usd is None else round(float(found.estimate_usd) * share, 8),
        settled=round(found.settled * share),
        left={why: round(count * share) for why, count in found.left.items()},
    )


async def _send(
    submitter: BatchSubmitter, analyzer: ReadyAnalyzer, kind: SubjectKind, pages: Pages, most: int, *, reopen: bool
) -> BatchQuote:
    from rich.progress import Progress  # noqa: PLC0415 - commands import when they run

    with Progress(console=output.stderr(), transient=True) as progress:
        task = progress.add_task(f"handing over {analyzer.name}", total=most)
        done = await submitter.submit(
            analyzer, kind, pages, reopen=reopen, done=lambda count: progress.advance(task, count)
        )
    return BatchQuote(
        requests=done.requests,
        batches=done.batches,
        at_most_usd=None if done.estimate_usd is None else float(done.estimate_usd),
        unsure=done.unsure,
        settled=done.settled,
        left=dict(done.left),
    )


def show_quotes(quotes: Sequence[BatchQuote], *, went: bool) -> None:
    """What would be, or was, handed over, for people."""
    from adology.cli.reanalyze import dollars  # noqa: PLC0415 - it imports this module

    for quote in quotes:
        cost = "at an unknown price" if quote.at_most_usd is None else f"for {dollars(quote.at_most_usd)} at most"
        what = f"{output.count(quote.requests, 'request')} in {output.count(quote.batches, 'batch', 'batches')} {cost}"
        if went:
            output.stdout().print(f"[green]handed over[/] {what}, answered within a day; see --batches")
        else:
            output.stdout().print(f"by batch: {what}, half of the usual price")
        if quote.unsure:
            output.warn(f"{output.count(quote.unsure, 'batch', 'batches')} got no answer; the steward looks for them.")
        for why, count in quote.left.items():
            output.warn(f"{count:,} left: {why}")


def list_batches(settings: AdologySettings, *, json: bool) -> None:
    """Print the batches that are under way, and the newest others."""
    lines = asyncio.run(_read(settings))
    if json:
        output.print_json(Reanalysis(batches=lines))
        return
    if not lines:
        output.hint("No batch was ever handed over: adology reanalyze NAME --stale --batch")
        return
    numbers = ("requests", "done", "failed", "put off", "back", "cost")
    made = output.table(
        "batch", "analyzer", "state", "made", *numbers, "vendor's id", right=numbers, flexible=("state",)
    )
    for line in lines:
        made.add_row(*_cells(line))
    output.stdout().print(made)
    for line in lines:
        if line.error:
            output.warn(f"{line.id[:8]}: {line.error}")


def _cells(line: VendorBatchLine) -> list[Text]:
    from adology.cli.reanalyze import dollars  # noqa: PLC0415 - it imports this module

    at_work = line.ended_at is None
    state = f"{line.state}: {line.vendor_state}" if at_work and line.vendor_state else line.state
    counts = line.counts
    cost = f"≤ {dollars(line.estimate_usd)}" if at_work else dollars(line.cost_usd)
    return [
        output.cell(line.id[:8], "dim"),
        output.cut(line.analyzer, "bold"),
        output.cell(state, "cyan" if at_work else "green" if line.state == "completed" else "yellow"),
        output.cell(output.ago(line.created_at)),
        output.cell(f"{line.requests:,}"),
        *(
            output.cell("" if at_work else f"{counts.get(name, 0):,}", style if counts.get(name) else "dim")
            for name, style in (("done", "bold"), ("failed", "red"), ("deferred", "yellow"), ("missing", "yellow"))
        ),
        output.cell(cost),
        output.cell(line.vendor_id or "-", "dim"),
    ]


async def _read(settings: AdologySettings) -> list[VendorBatchLine]:
    from adology.cli.requests import open_database  # noqa: PLC0415 - commands import when they run
    from adology.money.prices import PriceTable  # noqa: PLC0415 - as above
    from adology.store import Spending  # noqa: PLC0415 - as above
    from adology.store.vendor_batches import VendorBatches  # noqa: PLC0415 - as above

    async with open_database(settings) as database:
        spending = Spending(database, PriceTable(settings.money.prices), settings.money.budgets)
        found = await VendorBatches(database, spending).list_batches(limit=SHOWN)
    names = VendorBatchLine.__struct_fields__
    return [
        VendorBatchLine(**{name: value for name, value in msgspec.structs.asdict(one).items() if name in names})
        for one in found
    ]
