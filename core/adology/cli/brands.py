"""``brand``: add brands to the catalogue, list them, gather them."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from adology.cli import output
from adology.cli.model import BrandAdded, BrandLine, GatherRequested, Outcome
from adology.cli.options import Command, Group, Json, answers, load

if TYPE_CHECKING:
    from adology.settings.model import AdologySettings
    from adology.store.catalogue import BrandRow, Catalogue
    from adology.types import Brand

T = TypeVar("T")
_NO_BRANDS = "No brands yet. Add one: adology brand add nike --facebook 15087023444"

app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def brand() -> None:
    """Add brands to the catalogue, list them, gather them.

    Example: `adology brand add nike --facebook 15087023444`
    """


@app.command(cls=Command)
@answers(BrandAdded)
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the brand; its id is made from it.")],
    *,
    facebook: Annotated[list[str] | None, typer.Option(metavar="ID", help="Meta page id; repeatable.")] = None,
    serpapi: Annotated[
        list[str] | None, typer.Option(metavar="AR…", help="Google advertiser id or domain; repeatable.")
    ] = None,
    handle: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE=VALUE", help="What another source knows the brand by; repeatable."),
    ] = None,
    every: Annotated[
        str | None, typer.Option(metavar="TIME", help="Gather this often: 30m, 6h, 1d. [default: on request only]")
    ] = None,
    json: Json = False,
) -> None:
    """Add a brand, or add handles to one that is known.

    Example: `adology brand add nike --facebook 15087023444 --serpapi AR16735076323512287233 --every 6h`
    """
    from adology.cli.requests import parse_every  # noqa: PLC0415 - commands import when they run
    from adology.store.naming import slug  # noqa: PLC0415 - as above
    from adology.types import Brand  # noqa: PLC0415 - as above

    handles = _parse_handles(handle or [])
    for source, values in (("facebook", facebook), ("serpapi", serpapi)):
        handles.setdefault(source, []).extend(values or [])
    try:
        interval = parse_every(every) if every is not None else None
        made = Brand(
            id=slug(name),
            name=name if name != slug(name) else "",
            handles={source: tuple(values) for source, values in handles.items() if values},
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    settings = load()
    _warn_of_unknown_sources(settings, made)

    async def put() -> BrandAdded:
        from adology.cli.requests import open_database  # noqa: PLC0415 - commands import when they run
        from adology.store import Catalogue  # noqa: PLC0415 - as above

        async with open_database(settings) as database:
            catalogue = Catalogue(database)
            created = await catalogue.put_brand(made, refresh_every=interval)
            row = await catalogue.find_brand(made.id)
            if row is None:
                raise RuntimeError(f"brand {made.id} vanished while it was added")
            return BrandAdded(created=created, brand=_line(row))

    answer = asyncio.run(put())
    if json:
        output.print_json(answer)
        return
    _show_added(answer)


def _show_added(answer: BrandAdded) -> None:
    known = ", ".join(f"{source} {' '.join(values)}" for source, values in answer.brand.handles.items())
    verb = "added" if answer.created else "updated"
    output.stdout().print(
        f"[green]{verb}[/] [bold]{output.plain(answer.brand.id)}[/]  [dim]{output.plain(known) or 'no handles yet'}[/]",
        soft_wrap=True,
    )
    output.hint(f"Next: adology brand gather {answer.brand.id} --wait")


@app.command("list", cls=Command)
@answers(list[BrandLine])
def list_brands(*, json: Json = False) -> None:
    """List the brands with their handles, ads and refresh dates.

    Example: `adology brand list`
    """

    async def read() -> list[BrandLine]:
        from adology.cli.requests import open_database  # noqa: PLC0415 - commands import when they run
        from adology.store import Catalogue  # noqa: PLC0415 - as above

        async with open_database(load()) as database:
            return [_line(row) for row in await _read_all(Catalogue(database))]

    lines = asyncio.run(read())
    if json:
        output.print_json(lines)
        return
    if not lines:
        output.hint(_NO_BRANDS)
        return
    made = output.table(
        "brand", "handles", "ads", "every", "next", "last commit", right=("ads",), flexible=("brand", "handles")
    )
    for line in lines:
        handles = "  ".join(f"{source} {' '.join(values)}" for source, values in sorted(line.handles.items()))
        made.add_row(
            output.cell(line.id, "bold"),
            output.cut(handles, "dim"),
            output.cell(f"{line.ads:,}"),
            output.cell(output.span(line.refresh_every_s) if line.refresh_every_s else "", "dim"),
            output.cell(f"{line.next_refresh_at:%Y-%m-%d %H:%M}" if line.next_refresh_at else ""),
            output.cell(output.ago(line.last_committed_at)),
        )
    output.stdout().print(made)


@app.command(cls=Command)
@answers(list[GatherRequested] | list[Outcome])
def gather(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME…", help="Brand ids.")] = None,
    *,
    every_brand: Annotated[bool, typer.Option("--all", help="Every brand of the catalogue.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Show progress, and return when all are done.")] = False,
    json: Json = False,
) -> None:
    """Gather brands now.

    With `--wait` the exit code is 1 if a batch failed; Ctrl-C stops the watching, not the work.

    Example: `adology brand gather nike adidas --wait`
    """
    if bool(names) == every_brand:
        raise typer.BadParameter("give brand ids, or --all")
    sent, outcomes = run_watched(_gather(load(), names or [], wait=wait))
    if not sent and not json:
        output.hint(_NO_BRANDS)
        return
    if not wait:
        if json:
            output.print_json(sent)
            return
        for each in sent:
            output.stdout().print(f"[green]requested[/] [bold]{output.plain(each.brand)}[/]")
        output.hint("Follow: adology batch list --open")
        return
    finish(outcomes, json=json)


def run_watched(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`; Ctrl-C ends the watching, and says that the work goes on."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        output.hint("no longer watching; the work goes on: adology batch list --open")
        raise


def finish(outcomes: list[Outcome], *, json: bool) -> None:
    """Print how followed requests ended; exits with 1 if one failed."""
    from adology.cli.results import exit_code, show_outcomes  # noqa: PLC0415 - commands import when they run

    if json:
        output.print_json(outcomes)
    else:
        show_outcomes(outcomes)
    if exit_code(outcomes):
        raise typer.Exit(1)


async def _gather(
    settings: AdologySettings, names: list[str], *, wait: bool
) -> tuple[list[GatherRequested], list[Outcome]]:
    from adology.cli.progress import follow  # noqa: PLC0415 - commands import when they run
    from adology.cli.requests import check_brand, open_database, request_gathering  # noqa: PLC0415 - as above
    from adology.cli.watch import Request  # noqa: PLC0415 - as above
    from adology.store import Catalogue  # noqa: PLC0415 - as above

    async with open_database(settings) as database:
        catalogue = Catalogue(database)
        for name in names:
            await check_brand(catalogue, name)
        wanted = list(dict.fromkeys(names)) or [row.id for row in await _read_all(catalogue)]
        sent = await request_gathering(settings, wanted)
        if not wait:
            return sent, []
        requests = [Request(brand=each.brand, request_id=each.request_id) for each in sent]
        return sent, await follow(database, requests)


async def _read_all(catalogue: Catalogue) -> list[BrandRow]:
    rows: list[BrandRow] = []
    while page := await catalogue.list_brands(after=rows[-1].id if rows else ""):
        rows += page
    return rows


def _line(row: BrandRow) -> BrandLine:
    return BrandLine(
        id=row.id,
        name=row.name,
        handles={source: list(values) for source, values in row.handles.items()},
        file_roots=list(row.file_roots),
        refresh_every_s=row.refresh_every_s,
        next_refresh_at=row.next_refresh_at,
        ads=row.ads,
        last_committed_at=row.last_committed_at,
    )


def _parse_handles(given: list[str]) -> dict[str, list[str]]:
    handles: dict[str, list[str]] = {}
    for text in given:
        source, _, value = text.partition("=")
        if not source.strip() or not value.strip():
            raise typer.BadParameter(f"--handle {text!r} is not SOURCE=VALUE, such as crm=4711")
        handles.setdefault(source.strip(), []).append(value.strip())
    return handles


def _warn_of_unknown_sources(settings: AdologySettings, made: Brand) -> None:
    """A handle of a source that does not exist is most likely a slip, yet workers may know more."""
    from adology.cli.requests import load_quietly  # noqa: PLC0415 - commands import when they run

    known = {*settings.sources, *(p.name for p in load_quietly(settings).of_kind("source"))}
    for source in made.handles:
        if source not in known:
            near = difflib.get_close_matches(source, known, n=1)
            guess = f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(sorted(known)) or 'none'}."
            output.warn(f"no source is called {source!r}, so its handle is not gathered. {guess}")
