"""``analyze``: what every analyzer says about files and texts, without servers."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adology.cli import output
from adology.cli.model import AnalyzedItem, AnalyzerSaid
from adology.cli.options import Json, answers, common, load
from adology.log import setup_logging

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
    if any(not one.strip() for one in text or []):
        raise typer.BadParameter("--text is empty")
    if html is not None:
        _check_page(html)
    if common().log_level is None:
        setup_logging(level="ERROR", style="text")  # what an analyzer fails on stands in the answer
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


def _check_page(path: Path) -> None:
    """Refuse a page that cannot be written before minutes, and perhaps money, are spent on what it shows."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise typer.BadParameter(f"--html {path}: there is no folder {folder}")
    if path.is_dir():
        raise typer.BadParameter(f"--html {path} is a folder, not a file")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise typer.BadParameter(f"--html {path} cannot be written")


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
    console = output.stderr()
    names = [path.name for path in files] + list(texts)
    # Where there is no terminal nothing is drawn, and not even an empty line is written.
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("", total=len(names))
        try:
            progress.update(task, description=_short(names[0]))
            async for one in workbench.analyze(files, texts, only=only, settings=settings, scratch=scratch):
                found.append((_describe(one.name, one.subject, one.said), list(one.said)))
                following = names[len(found) : len(found) + 1]
                progress.update(task, advance=1, description=_short(*following))
        except workbench.UnknownAnalyzerError as error:
            raise typer.BadParameter(str(error)) from error
    return found


def _short(name: str = "") -> str:
    """A name for the bar, as words and not as markup."""
    return output.plain(" ".join(name.split())[:40])


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
