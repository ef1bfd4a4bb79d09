"""What analyzers said of files and texts as tables, one for each."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from adology.cli import output
from adology.cli.analyze_flow import Flow, Told
from adology.cli.analyze_told import tell
from adology.cli.analyze_words import clean, cut
from adology.cli.model import AnalyzedItem, AnalyzerSaid


def show(items: Sequence[AnalyzedItem]) -> None:
    """Print a table for each item."""
    for item in items:
        console = output.stdout()
        about = f"{item.content_type}, {output.amount(item.size_bytes)}" if item.sha256 else "copy"
        # A path is printed whole, to be copied; of a copy the beginning will do.
        name = clean(item.name) if item.sha256 else cut(item.name, max(20, console.width - len(about) - 4))
        console.print()
        console.print(Text.assemble((name, "bold"), (f"  {about}", "dim")), soft_wrap=True)
        if not item.analyses:
            kind = "copy" if item.kind == "ad" else f"{item.kind}s"
            console.print(Text(f"  none of the analyzers chosen takes {kind}", style="yellow"))
            continue
        made = output.table("analyzer", "says", "time", right=("time",), flexible=("says",))
        for said in item.analyses:
            time = output.cell(f"{said.seconds * 1000:,.0f} ms", "dim")
            made.add_row(output.cell(said.analyzer, "bold"), Told(_flows(said)), time)
        console.print(made)


def _flows(said: AnalyzerSaid) -> list[Flow]:
    if said.error is not None:
        code = "" if said.skipped else f" [{said.error_code}]"
        style = "dim" if said.skipped else "red"
        words = f"{clean(said.error)}{code}".split()
        return [Flow([Text(word, style=style) for word in words], rows=4, gap=" ")]
    flows = tell(said.result)
    after = [Text(f"files {len(said.derived)}", style="dim")] if said.derived else []
    after += [Text(f"{said.cost_usd:.6f} USD", style="yellow")] if said.cost_usd else []
    return [*flows, Flow(after)]
