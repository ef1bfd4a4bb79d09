"""``costs``: what was paid, for what, for whom."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from adology.cli import output
from adology.cli.options import Json, answers, load
from adology.money.report import By, CostLine, CostReport

if TYPE_CHECKING:
    from rich.table import Table

    from adology.settings.model import AdologySettings


@answers(CostReport)
def costs(
    *,
    by: Annotated[By, typer.Option(help="What the lines stand for.")] = "analyzer",
    brand: Annotated[str | None, typer.Option(metavar="NAME", help="Only calls for this brand.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3660, help="Days back from today (UTC), today included.")] = 30,
    json: Json = False,
) -> None:
    """Show what vendors charged, by analyzer, model, brand, organisation or day.

    *set aside* are calls under way, *unknown* calls whose answer was lost: both count with their estimate. *spared* is
    what further ads with a creative or copy that was paid for would have cost.

    Example: `adology costs --by day --days 7`
    """
    report = asyncio.run(_read(load(), by, brand, days))
    if json:
        output.print_json(report)
        return
    if not report.lines:
        output.hint(f"No paid call in the last {days} days. Local analyzers cost nothing.")
    else:
        _show(by, report)
    for budget in report.budgets:
        output.hint(f"Budget of today for {budget.scope}: {budget.used_usd:.4f} of {budget.limit_usd:g} USD used.")


async def _read(settings: AdologySettings, by: By, brand: str | None, days: int) -> CostReport:
    from adology.cli.requests import check_brand, open_database  # noqa: PLC0415 - commands import when they run
    from adology.store import Catalogue  # noqa: PLC0415 - as above
    from adology.store.costs import Costs  # noqa: PLC0415 - as above

    today = datetime.now(UTC).date()
    async with open_database(settings) as database:
        if brand is not None:
            await check_brand(Catalogue(database), brand)
        costs = Costs(database)
        lines = await costs.lines(by, since=today - timedelta(days=days - 1), brand=brand)
        return CostReport(
            by=by, days=days, lines=lines, budgets=await costs.budgets(today, settings.money.budgets, brand=brand)
        )


def _show(by: By, report: CostReport) -> None:
    numbers = ("calls", "failed", "unknown", "set aside", "paid", "spared")
    made = output.table(by, *numbers, right=numbers, flexible=(by,))
    whole = report.total()
    for line in report.lines:
        _add(made, line, "bold")
    if len(report.lines) > 1:
        made.add_section()
        _add(made, whole, "")
    output.stdout().print(made)
    if whole.unpriced:
        output.warn(f"{whole.unpriced:,} calls have no price: add their models to money.prices.")


def _add(made: Table, line: CostLine, style: str) -> None:
    made.add_row(
        output.cut(line.name, style),
        output.cell(f"{line.calls:,}"),
        output.cell(f"{line.failed:,}", "red" if line.failed else "dim"),
        output.cell(f"{line.unknown:,}", "yellow" if line.unknown else "dim"),
        output.cell(_usd(line.open_usd), "dim"),
        output.cell(_usd(line.paid_usd), "bold"),
        output.cell("" if line.spared_usd is None else _usd(line.spared_usd), "green"),
    )


def _usd(amount: float) -> str:
    return f"{amount:,.4f} USD" if amount else "0"
