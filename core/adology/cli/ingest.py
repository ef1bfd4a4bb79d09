"""``ingest``: a folder of the user's own images and videos becomes ads of a brand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adology.cli import output
from adology.cli.model import GatherRequested, Outcome
from adology.cli.options import Json, answers, load

if TYPE_CHECKING:
    from adology.settings.model import AdologySettings

TABLES = (".jsonl", ".ndjson", ".csv", ".tsv")
SOURCE = "files"


@answers(list[Outcome] | list[GatherRequested])
def ingest(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", exists=True, help="Folder of images and videos, or JSON lines or CSV.")
    ],
    *,
    brand: Annotated[str, typer.Option(metavar="NAME", help="Brand they belong to; made if it is new.")],
    metadata: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="JSON lines or CSV with one ad a line."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Show progress until all is analysed.")] = True,
    json: Json = False,
) -> None:
    """Ingest a folder of your own creatives: archive each file once, analyse it, show the result.

    Starts the stack when it does not run, and leaves it running.

    Example: `adology ingest ./my-creatives --brand nike --metadata ads.csv`
    """
    from adology.store.naming import slug  # noqa: PLC0415 - commands import when they run

    _check_paths(path, metadata)
    try:
        name = slug(brand)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    settings = ensure_running(load())
    from adology.cli.brands import finish, run_watched  # noqa: PLC0415 - commands import when they run

    sent, outcomes = run_watched(
        _ingest(settings, path.resolve(), name, brand, metadata.resolve() if metadata else None, wait=wait)
    )
    if wait:
        finish(outcomes, json=json)
    elif json:
        output.print_json(sent)
    else:
        output.stdout().print(f"[green]requested[/] [bold]{output.plain(name)}[/]")
        output.hint("Follow: adology batch list --open")


def _check_paths(path: Path, metadata: Path | None) -> None:
    tables = ", ".join(TABLES)
    if not path.is_dir() and path.suffix.lower() not in TABLES:
        raise typer.BadParameter(f"{path} is neither a folder nor one of {tables}")
    if metadata is not None and metadata.suffix.lower() not in TABLES:
        raise typer.BadParameter(f"--metadata {metadata} is not one of {tables}")
    if metadata is not None and not path.is_dir():
        raise typer.BadParameter("--metadata describes a folder; a table of its own is given as PATH")
    if path.is_dir() and not any(path.iterdir()):
        raise typer.BadParameter(f"{path} is empty")


def ensure_running(settings: AdologySettings) -> AdologySettings:
    """The settings with a stack behind them: the embedded one is started when it does not run."""
    from adology.cli.requests import is_embedded, is_running  # noqa: PLC0415 - commands import when they run

    if not is_embedded(settings) or is_running(settings):
        return settings
    from adology.cli.stack import start  # noqa: PLC0415 - commands import when they run

    output.hint("the stack does not run: starting it, as `adology up` does; `adology down` stops it")
    start(settings)
    return load()


async def _ingest(
    settings: AdologySettings, path: Path, brand: str, given: str, metadata: Path | None, *, wait: bool
) -> tuple[list[GatherRequested], list[Outcome]]:
    from adology.cli.progress import follow  # noqa: PLC0415 - commands import when they run
    from adology.cli.requests import open_database, request_gathering  # noqa: PLC0415 - as above
    from adology.cli.watch import Request  # noqa: PLC0415 - as above
    from adology.store import Catalogue  # noqa: PLC0415 - as above
    from adology.types import Brand  # noqa: PLC0415 - as above

    # The files source's own notation; a media file is read from these roots only.
    handle = str(path) if metadata is None else f"{path}::{metadata}"
    roots = [str(path if path.suffix.lower() not in TABLES else path.parent)]
    async with open_database(settings) as database:
        await Catalogue(database).put_brand(
            Brand(id=brand, name=given if given != brand else "", handles={SOURCE: (handle,)}), file_roots=roots
        )
        sent = await request_gathering(settings, [brand])
        if not wait:
            return sent, []
        return sent, await follow(database, [Request(brand=brand, request_id=sent[0].request_id)])
