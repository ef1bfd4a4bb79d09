"""How one batch looks."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from adology.cli import output
from adology.cli.model import BatchDetail
from adology.cli.results import show_failures

_COUNTS = (
    ("ads", "ads"),
    ("urls", "URLs"),
    ("media", "media"),
    ("assets", "assets"),
    ("duplicates", "duplicates spared"),
    ("analyses_run", "analyses"),
    ("analyses_reused", "analyses reused"),
    ("failures", "failures"),
)


def show_batch(detail: BatchDetail) -> None:
    """Print the batch: heading, counts, timing, sources, failures."""
    console = output.stdout()
    batch = detail.batch
    console.print(
        Text.assemble((batch.brand, "bold"), "  ", output.state(batch.state), (f"  {batch.id}", "dim")), soft_wrap=True
    )
    if batch.error:
        console.print(output.cell(batch.error, "red"), soft_wrap=True)
    console.print(_facts(detail))
    if detail.sources:
        made = output.table("source", "outcome", "pages", "ads", "reason", right=("pages", "ads"), flexible=("reason",))
        for source in detail.sources:
            reason = f"{source.reason} [{source.code}]" if source.code else source.reason
            made.add_row(
                output.cell(source.source),
                output.state(source.outcome),
                output.cell(f"{source.pages:,}"),
                output.cell(f"{source.ads:,}"),
                output.cell(reason, "dim"),
            )
        console.print(made)
    show_failures(detail.failures)


def _facts(detail: BatchDetail) -> Table:
    batch, counts = detail.batch, detail.batch.counts
    made = Table.grid(padding=(0, 2))
    made.add_row("", "")

    def fact(name: str, value: str) -> None:
        made.add_row(Text(name, style="dim"), value)

    fact("began", f"{batch.created_at:%Y-%m-%d %H:%M:%S} UTC, {output.ago(batch.created_at)}")
    for name, seconds in (
        ("gather", detail.gather_s),
        ("acquire", detail.acquire_s),
        ("insight", detail.insight_s),
    ):
        if seconds is not None:
            fact(name, output.span(seconds))
    if batch.state in ("discovering", "acquiring"):
        done = detail.items.get("ok", 0) + detail.items.get("failed", 0)
        fact("items", f"{done:,} of {batch.expected or 0:,}, {detail.items.get('failed', 0):,} failed")
    for key, name in _COUNTS:
        if counts.get(key):
            fact(name, f"{int(counts[key]):,}")
    if counts.get("bytes"):
        fact("fetched", output.amount(counts["bytes"]))
    if detail.repairs:
        fact("repairs", f"{detail.repairs:,}")
    return made
