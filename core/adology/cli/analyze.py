"""``analyze``: what every analyzer says about files and texts, without servers."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adology.cli import output
from adology.cli.model import AnalyzedItem, AnalyzerSaid
from adology.cli.options import Json, answers, load

if TYPE_CHECKING:
    from adology.abc.analyzer import MediaItem
    from adology.engine.offline import Said
    from adology.settings.model import AdologySettings
    from adology.types import Ad


@answers(list[AnalyzedItem])
def analyze(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE…", help="Images, videos; .txt is copy, .json an ad.")
    ] = None,
    *,
    text: Annotated[list[str] | None, typer.Option("--text", help="Copy of an ad; may be repeated.")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Only this analyzer and what it uses.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with boxes drawn on the pictures.")
    ] = None,
    json: Json = False,
) -> None:
    """Show what each analyzer says about images, videos and texts. Nothing is stored.

    The exit code is 1 if an analyzer failed on a file.

    Example: `adology analyze ad.jpg film.mp4 --text "50% off" --html ads.html`
    """
    if not files and not text:
        raise typer.BadParameter("give files, or --text")
    if html is not None and not html.absolute().parent.is_dir():
        raise typer.BadParameter(f"--html {html}: there is no folder {html.absolute().parent}")
    with tempfile.TemporaryDirectory(prefix="adology-") as scratch:
        found = asyncio.run(_analyze(load(), files or [], text or [], only or [], Path(scratch), quiet=json))
        if html is not None:
            from adology.cli.analyze_page import render  # noqa: PLC0415 - commands import when they run

            html.write_text(render(found), "utf-8")
    items = [item for item, _ in found]
    if json:
        output.print_json(items)
    else:
        from adology.cli.analyze_show import show  # noqa: PLC0415 - as above

        show(items)
    if html is not None:
        output.hint(f"Page: {html}")
    if any(said.error and not said.skipped for item in items for said in item.analyses):
        raise typer.Exit(1)


async def _analyze(
    settings: AdologySettings,
    files: Sequence[Path],
    texts: Sequence[str],
    only: Sequence[str],
    scratch: Path,
    *,
    quiet: bool,
) -> list[tuple[AnalyzedItem, list[Said]]]:
    from rich.progress import Progress  # noqa: PLC0415 - commands import when they run

    from adology import workbench  # noqa: PLC0415 - as above

    found: list[tuple[AnalyzedItem, list[Said]]] = []
    try:
        workbench.choose(settings, only)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    with Progress(console=output.stderr(), transient=True, disable=quiet) as progress:
        task = progress.add_task("analysing", total=len(files) + len(texts))
        async for one in workbench.analyze(files, texts, only=only, settings=settings, scratch=scratch):
            found.append((_describe(one.name, one.subject, one.said), list(one.said)))
            progress.update(task, advance=1, description=Path(one.name).name[:40])
    return found


def _describe(name: str, subject: MediaItem | Ad, said: Sequence[Said]) -> AnalyzedItem:
    from adology.abc.analyzer import MediaItem  # noqa: PLC0415 - commands import when they run

    item = AnalyzedItem(name=name, kind="ad", analyses=_lines(said))
    if isinstance(subject, MediaItem):
        item.kind, item.content_type = subject.kind, subject.content_type
        item.size_bytes, item.sha256 = subject.size_bytes, subject.sha256
    return item


def _lines(said: Sequence[Said]) -> list[AnalyzerSaid]:
    return [
        AnalyzerSaid(
            analyzer=one.analyzer,
            version=one.version,
            result=one.result,
            error_code=one.error_code,
            error=one.error,
            skipped=one.skipped,
            derived=[path.name for path in one.derived],
            seconds=one.seconds,
            cost_usd=one.cost_usd,
        )
        for one in said
    ]
