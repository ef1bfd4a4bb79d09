"""Runs one plugin outside the engine: nothing is stored, nothing is queued."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

from adology.cli import output
from adology.cli.requests import check_brand, open_database
from adology.context import Context
from adology.engine.analyzers import prepare
from adology.engine.invoke import Invoker
from adology.engine.offline import analyze, read_subject
from adology.errors import ConfigError, EngineError
from adology.http import HttpClient, Pacers
from adology.plugins import LoadedPlugin, Plugins
from adology.settings import AdologySettings, convert
from adology.store import Catalogue
from adology.types import Ad, Brand


async def read_brand(settings: AdologySettings, source: str, handles: Sequence[str], brand: str | None) -> Brand:
    """The brand of the catalogue, or one made of handles."""
    if brand is None:
        return Brand(id="tryout", handles={source: tuple(handles)})
    async with open_database(settings) as database:
        catalogue = Catalogue(database)
        await check_brand(catalogue, brand)
        row = await catalogue.find_brand(brand)
        return row.brand() if row is not None else Brand(id=brand)


async def read_ads(settings: AdologySettings, plugin: LoadedPlugin, name: str, brand: Brand, *, limit: int) -> list[Ad]:
    """The first ads that the source yields for the brand."""
    own = _own(settings.sources, name)
    converted = convert(own, plugin.settings_type, where="the settings", prefix=f"sources.{name}.")
    ads: list[Ad] = []
    async with HttpClient() as http:
        context: Context[Any] = Context(name, converted, http=http, pacers=Pacers(time.monotonic))
        pages = plugin.cls().pages(context, brand, None)
        async with aclosing(cast("Any", pages)):
            async for page in pages:
                ads += page.ads
                if len(ads) >= limit:
                    break
    return ads[:limit]


async def check_live(plugin: LoadedPlugin, name: str, own: Mapping[str, Any]) -> None:
    """Test a source's configured credentials at its vendor.

    Raises:
        ConfigError: they do not work.
        EngineError: the plugin is no source.
    """
    if plugin.kind != "source":
        raise EngineError(f"--live asks a source's vendor, but {name} is of the kind {plugin.kind}.")
    converted = convert(own, plugin.settings_type, where="the settings", prefix=f"sources.{name}.")
    async with HttpClient() as http:
        await plugin.cls().check(Context(name, converted, http=http, pacers=Pacers(time.monotonic)))


async def run_analyzer(settings: AdologySettings, found: Plugins, plugin: LoadedPlugin, file: Path) -> Any:
    """The analyzer's result for a file, after the analyzers that it uses."""
    ready = prepare(found.of_kind("analyzer"), settings.analyzers)
    by_name = {each.name: each for each in ready}
    if plugin.name not in by_name:
        convert(
            settings.analyzers.get(plugin.name, {}),
            plugin.settings_type,
            where="the settings",
            prefix=f"analyzers.{plugin.name}.",
        )
        raise ConfigError(f"analyzers.{plugin.name}", "cannot be set up; --log-level ERROR shows why")
    subject = read_subject(file)
    kind = "ad" if isinstance(subject, Ad) else subject.kind
    if kind not in plugin.cls.accepts:
        seen = "an ad's copy" if isinstance(subject, Ad) else subject.content_type
        accepted = ", ".join(plugin.cls.accepts)
        raise EngineError(f"{file} is {seen}, but {plugin.name} accepts {accepted}.", code="ADO-1007")
    with tempfile.TemporaryDirectory() as scratch:
        # In this very process, also if it asks for another: an author may set a breakpoint.
        said = await analyze(Invoker(None), ready.only([plugin.name]), subject, Path(scratch))
    if said[-1].error is not None:
        raise EngineError(said[-1].error, code=said[-1].error_code)
    return said[-1].result


def show_ads(ads: Sequence[Ad], *, json: bool) -> None:
    """Print ads: all of each as JSON, or one row each."""
    if json:
        output.print_json(ads)
        return
    made = output.table(
        "id", "advertiser", "status", "started", "copy", "media", right=("media",), flexible=("id", "copy")
    )
    for ad in ads:
        copy = " · ".join((*ad.titles, *ad.bodies))
        made.add_row(
            output.cut(ad.id, "dim"),
            output.cell(ad.advertiser),
            output.cell(ad.status),
            output.cell(ad.started_on or ""),
            output.cell(copy[:117] + ("…" if len(copy) > 117 else "")),  # noqa: PLR2004 - about two lines
            output.cell(len(ad.media) or ad.outcome()),
        )
    output.stdout().print(made)


def _own(sections: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Any]:
    return {key: value for key, value in sections.get(name, {}).items() if key != "plugin"}
