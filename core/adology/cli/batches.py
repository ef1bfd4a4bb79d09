"""``batch``: what the ledger knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from adology.cli import output
from adology.cli.model import BatchDetail, BatchLine
from adology.cli.options import Command, Group, Json, answers, load

if TYPE_CHECKING:
    from adology.engine.model import Batch
    from adology.store import Database

app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode="markdown")
_SHORT = 8
"""Characters of an id that people get to see; every command takes the beginning of one."""


@app.callback()
def batch() -> None:
    """Look at batches: one gathering of one brand each.

    Example: `adology batch list --open`
    """


@app.command("list", cls=Command)
@answers(list[BatchLine])
def list_batches(
    *,
    brand: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this brand.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that are still at work.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most batches shown.")] = 20,
    json: Json = False,
) -> None:
    """List batches, newest first.

    Example: `adology batch list --brand nike --limit 5`
    """

    async def read() -> list[BatchLine]:
        from adology.cli.requests import check_brand, open_database  # noqa: PLC0415 - commands import when they run
        from adology.store import Catalogue, Ledger  # noqa: PLC0415 - as above

        async with open_database(load()) as database:
            if brand is not None:
                await check_brand(Catalogue(database), brand)
            found = await Ledger(database).list_batches(brand=brand, open_only=open_only, limit=limit)
            return [describe_batch(each) for each in found]

    lines = asyncio.run(read())
    if json:
        output.print_json(lines)
        return
    if not lines:
        if open_only:
            output.hint("No batch is at work. All batches: adology batch list")
        else:
            output.hint("No batches. Request one: adology brand gather NAME")
        return
    _show_batches(lines)


def _show_batches(lines: list[BatchLine]) -> None:
    numbers = ("ads", "assets", "failures", "seconds")
    made = output.table("batch", "brand", "state", "began", *numbers, right=numbers, flexible=("brand",))
    for line in lines:
        failures = int(line.counts.get("failures", 0))
        made.add_row(
            output.cell(line.id[:_SHORT], "dim"),
            output.cut(line.brand, "bold"),
            output.state(line.state),
            output.cell(output.ago(line.created_at)),
            output.cell(f"{int(line.counts.get('ads', 0)):,}"),
            output.cell(f"{int(line.counts.get('assets', 0)):,}"),
            output.cell(f"{failures:,}", "red" if failures else "dim"),
            output.cell(f"{line.seconds:.1f}"),
        )
    output.stdout().print(made)


@app.command(cls=Command)
@answers(BatchDetail)
def show(
    batch_id: Annotated[str, typer.Argument(metavar="ID", help="The batch's id, or its beginning.")],
    *,
    json: Json = False,
) -> None:
    """Show one batch: how its sources ended, what was counted, what failed and why, timing.

    Example: `adology batch show 3f2a9c1e`
    """

    async def read() -> BatchDetail:
        from adology.cli.requests import open_database  # noqa: PLC0415 - commands import when they run

        async with open_database(load()) as database:
            return await _read_detail(database, await _find(database, batch_id))

    detail = asyncio.run(read())
    if json:
        output.print_json(detail)
    else:
        from adology.cli.batchview import show_batch  # noqa: PLC0415 - commands import when they run

        show_batch(detail)


def describe_batch(batch: Batch) -> BatchLine:
    """A ledger row as it is printed."""
    from adology.cli.watch import seconds_of  # noqa: PLC0415 - commands import when they run

    return BatchLine(
        id=batch.id,
        brand=batch.brand,
        state=batch.state,
        origin=batch.origin,
        created_at=batch.created_at,
        committed_at=batch.committed_at,
        seconds=round(seconds_of(batch), 2),
        expected=batch.expected_count,
        counts=batch.counts,
        error=batch.error,
    )


async def _find(database: Database, batch_id: str) -> Batch:
    """The batch whose id begins so.

    Raises:
        EngineError: there is none, or more than one.
    """
    from adology.errors import EngineError  # noqa: PLC0415 - commands import when they run
    from adology.store import Ledger  # noqa: PLC0415 - as above

    async with database.connection("batch.find") as connection:
        found = await connection.execute(
            "select id from batches where starts_with(id, %s) order by created_at desc limit 3", [batch_id]
        )
        ids = [str(row[0]) for row in await found.fetchall()]
    if len(ids) > 1 and batch_id not in ids:
        raise EngineError(
            f"several batches begin with {batch_id!r}: {', '.join(ids)}.", hint="Give more of it.", code="ADO-5522"
        )
    batch = await Ledger(database).find_batch(batch_id if batch_id in ids else ids[0]) if ids else None
    if batch is None:
        raise EngineError(f"no batch begins with {batch_id!r}.", hint="See `adology batch list`.", code="ADO-5521")
    return batch


async def _read_detail(database: Database, batch: Batch) -> BatchDetail:
    from adology.cli.failures import list_failures  # noqa: PLC0415 - commands import when they run
    from adology.cli.watch import list_sources  # noqa: PLC0415 - as above
    from adology.store import Items  # noqa: PLC0415 - as above

    def between(begin: object, end: object) -> float | None:
        return round((end - begin).total_seconds(), 2) if begin and end else None  # type: ignore[operator]

    return BatchDetail(
        batch=describe_batch(batch),
        items=await Items(database).count(batch.id),
        sources=list_sources(batch),
        failures=await list_failures(database, batch),
        gather_s=between(batch.created_at, batch.queued_at),
        acquire_s=between(batch.queued_at, batch.committed_at),
        insight_s=between(batch.committed_at, batch.insight_at),
        repairs=batch.repairs,
    )
