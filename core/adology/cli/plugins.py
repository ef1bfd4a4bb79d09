"""``plugins``: what is installed, whether it keeps its promises, a try, a new one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from adology.cli import output
from adology.cli.model import CheckLine, FailedPlugin, PluginLine, PluginList
from adology.cli.options import Command, Group, Json, answers, load
from adology.errors import ConfigError, EngineError
from adology.types import Ad

if TYPE_CHECKING:
    from adology.plugins import Kind, LoadedPlugin, Plugins
    from adology.settings.model import AdologySettings
    from adology.testing import CheckResult, Conformance

app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode="markdown")
_MARKS = {"passed": "[green]✓[/]", "failed": "[bold red]✗[/]", "skipped": "[dim]·[/]"}


@app.callback()
def plugins() -> None:
    """List, check, try and write plugins.

    Example: `adology plugins list`
    """


@app.command("list", cls=Command)
@answers(PluginList)
def list_plugins(*, json: Json = False) -> None:
    """List the installed plugins, and those that failed to load with the stage and the error.

    Works with every plugin broken, and exits with 0 all the same.

    Example: `adology plugins list --json`
    """
    settings = _settings_or_defaults()
    answer = _describe(_load_quietly(settings), settings.analyzers)
    if json:
        output.print_json(answer)
    else:
        _show_plugins(answer)


def _describe(found: Plugins, configured: Mapping[str, Mapping[str, Any]]) -> PluginList:
    return PluginList(
        plugins=[
            PluginLine(
                kind=plugin.kind,
                name=plugin.name,
                version=plugin.version,
                entry_point=plugin.entry_point,
                distribution=plugin.distribution,
                distribution_version=plugin.distribution_version,
                description=(plugin.cls.__doc__ or "").strip().partition("\n")[0],
                lacks=_lacks(plugin, configured.get(plugin.name, {})),
            )
            for kind in ("source", "analyzer", "sink")
            for plugin in found.of_kind(kind)
        ],
        failures=[
            FailedPlugin(
                entry_point=failure.entry_point,
                distribution=failure.distribution,
                version=failure.version,
                stage=failure.stage,
                error=failure.error,
            )
            for failure in found.failures
        ],
    )


def _lacks(plugin: LoadedPlugin, configured: Mapping[str, Any]) -> list[str]:
    """Modules that are not installed, of those needed with the settings; with the defaults where they are wrong."""
    from adology.plugins import missing  # noqa: PLC0415 - commands import when they run
    from adology.settings import convert  # noqa: PLC0415 - as above

    if plugin.kind != "analyzer":
        return []
    for fields in (configured, {}):
        try:
            return missing(plugin.needs(convert(fields, plugin.settings_type, where="the settings")).packages)
        except Exception:  # noqa: BLE001, S112 - listed all the same: `check` tells what is wrong
            continue
    return missing(plugin.cls.packages)


def _show_plugins(answer: PluginList) -> None:
    made = output.table("kind", "name", "version", "distribution", "status", "", right=("version",), flexible=("",))
    for line in answer.plugins:
        made.add_row(
            output.cell(line.kind, "dim"),
            output.cell(line.name, "bold"),
            output.cell(line.version),
            output.cell(f"{line.distribution} {line.distribution_version}".strip(), "dim"),
            output.cell("left out", "yellow") if line.lacks else output.cell("ok", "green"),
            output.cut(f"not installed: {', '.join(line.lacks)}" if line.lacks else line.description, "dim"),
        )
    for failed in answer.failures:
        made.add_row(
            output.cell("?", "dim"),
            output.cell(failed.entry_point, "bold"),
            "",
            output.cell(f"{failed.distribution} {failed.version}".strip(), "dim"),
            output.cell(f"failed at {failed.stage}", "bold red"),
            output.cell(failed.error, "red"),
        )
    output.stdout().print(made)


@app.command(cls=Command)
@answers(list[CheckLine])
def check(
    target: Annotated[str, typer.Argument(metavar="NAME|PATH", help="Plugin name, or its folder or test file.")],
    *,
    live: Annotated[bool, typer.Option("--live", help="Also test the configured credentials at the vendor.")] = False,
    json: Json = False,
) -> None:
    """Run the conformance kit: each check, its result, how to fix what it finds.

    With a path, the kits in its tests run. With a name, what can be checked without a stand-in
    vendor does. Exits with 1 if a check failed.

    Example: `adology plugins check ./adology-mysource`
    """
    from adology.testing import list_checks  # noqa: PLC0415 - commands import when they run
    from adology.testing.checks import run_check  # noqa: PLC0415 - as above

    lines: list[CheckLine] = []
    for kit in _find_kits(target, live=live):
        name = str(getattr(kit.plugin, "name", kit.plugin.__name__))
        if not json:
            output.stdout().print(f"\n[bold]{output.plain(name)}[/]  [dim]{kit.kind}, {output.plain(kit.__name__)}[/]")
        for each in list_checks(kit):
            result = run_check(kit, each)
            lines.append(
                CheckLine(
                    plugin=name, check=result.check, outcome=result.outcome, problem=result.problem, fix=result.fix
                )
            )
            if not json:
                _show_result(result)
    failed = sum(line.outcome == "failed" for line in lines)
    if json:
        output.print_json(lines)
    else:
        passed, skipped = (sum(line.outcome == kind for line in lines) for kind in ("passed", "skipped"))
        style = "red" if failed else "green"
        output.stdout().print(f"\n[{style}]{passed} passed, {failed} failed[/], [dim]{skipped} skipped[/]")
    if failed:
        raise typer.Exit(1)


@app.command(cls=Command)
@answers(list[Ad])
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Source instance or analyzer.")],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", exists=True, dir_okay=False, help="What an analyzer is run on.")
    ] = None,
    *,
    handle: Annotated[
        list[str] | None, typer.Option(metavar="VALUE", help="What a source knows the brand by; repeatable.")
    ] = None,
    brand: Annotated[str | None, typer.Option(metavar="NAME", help="A brand of the catalogue instead.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Ads to show.")] = 5,
    json: Json = False,
) -> None:
    """Try a plugin outside the engine: the first ads of a source, or one result of an analyzer.

    Nothing is stored. Sources need their settings, and ask the real vendor. With `--json` a source
    prints its ads, an analyzer its own result.

    Example: `adology plugins run facebook --handle 15087023444 --limit 5`
    """
    from adology.cli.tryout import read_ads, read_brand, run_analyzer, show_ads  # noqa: PLC0415 - when they run

    settings = _settings_or_defaults()
    found = _load_quietly()
    instance = settings.sources.get(name, {})
    source = found.find("source", str(instance.get("plugin", name)))
    if source is not None and file is None:
        if not handle and not brand:
            raise typer.BadParameter("a source needs --handle VALUE or --brand NAME")
        wanted = asyncio.run(read_brand(settings, name, handle or [], brand))
        ads = asyncio.run(read_ads(settings, source, name, wanted, limit=limit))
        show_ads(ads, json=json)
        return
    if source is not None and found.find("analyzer", name) is None:
        raise typer.BadParameter(f"source {name} takes no FILE; give --handle VALUE or --brand NAME")
    analyzer = _get_plugin(found, name, ("analyzer", "source"))
    if file is None:
        raise typer.BadParameter(f"analyzer {name} needs a FILE")
    result = asyncio.run(run_analyzer(settings, found, analyzer, file))
    if json:
        output.print_json(result)
    else:
        import msgspec  # noqa: PLC0415 - commands import when they run

        output.stdout().print_json(msgspec.json.encode(result).decode())


@app.command(cls=Command)
def new(
    kind: Annotated[Literal["source", "analyzer", "sink"], typer.Argument(help="What the plugin is.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name: a-z, 0-9 and _.")],
    *,
    into: Annotated[Path, typer.Option(metavar="FOLDER", file_okay=False, help="Where to put the package.")] = Path(),
) -> None:
    """Write a small plugin package with one class and a test that passes.

    Example: `adology plugins new source mylibrary`
    """
    from adology.cli.scaffold import write_package  # noqa: PLC0415 - commands import when they run

    taken = _load_quietly().find(kind, name)
    if taken is not None:
        owner = taken.distribution or taken.entry_point
        raise EngineError(f"{owner} has a plugin of the kind {kind} called {name!r}.", hint="Give another name.")
    written = write_package(kind, name, into)
    for path in written:
        output.stdout().print(f"[green]wrote[/] {output.plain(str(path))}", soft_wrap=True)
    output.hint(f"Next: adology plugins check {written[0].parent}")


def _find_kits(target: str, *, live: bool) -> list[type[Conformance]]:
    from adology.cli.kits import find_kits, make_kit  # noqa: PLC0415 - commands import when they run

    path = Path(target)
    if path.exists():
        return find_kits(path)
    settings = _settings_or_defaults()
    plugin = _get_plugin(_load_quietly(), target)
    sections = {"source": settings.sources, "analyzer": settings.analyzers, "sink": settings.sinks}
    own = {key: value for key, value in sections[plugin.kind].get(target, {}).items() if key != "plugin"}
    if live:
        from adology.cli.tryout import check_live  # noqa: PLC0415 - commands import when they run

        asyncio.run(check_live(plugin, target, own))
        output.hint(f"{target}: the vendor takes the configured credentials")
    return [make_kit(plugin, own)]


def _get_plugin(found: Plugins, name: str, kinds: Sequence[Kind] = ()) -> LoadedPlugin:
    """The plugin of that name, of the first of `kinds` that has it; without kinds, of any.

    Raises:
        EngineError: there is none, naming the nearest, or why it did not load.
    """
    import difflib  # noqa: PLC0415 - commands import when they run

    known = [plugin for kind in kinds for plugin in found.of_kind(kind)] if kinds else found.loaded
    for plugin in known:
        if plugin.name == name:
            return plugin
    for failure in found.failures:
        if failure.entry_point == name:
            raise EngineError(f"plugin {name} failed at {failure.stage}: {failure.error}", code="ADO-1006")
    names = sorted({plugin.name for plugin in known})
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(names) or 'none'}."
    raise EngineError(f"no {' or '.join(kinds) or 'plugin or path'} is called {name!r}.", hint=hint, code="ADO-1006")


def _settings_or_defaults() -> AdologySettings:
    """The settings; the defaults, with a warning, where they are broken."""
    from adology.settings import AdologySettings  # noqa: PLC0415 - commands import when they run

    try:
        return load()
    except ConfigError as error:
        output.warn_of(error, "Going on with the defaults.")
        return AdologySettings()


def _load_quietly(settings: AdologySettings | None = None) -> Plugins:
    from adology.cli.requests import load_quietly  # noqa: PLC0415 - commands import when they run

    return load_quietly(settings or _settings_or_defaults())


def _show_result(result: CheckResult) -> None:
    console = output.stdout()
    style = "" if result.outcome == "failed" else "dim" if result.outcome == "skipped" else "default"
    console.print(f"  {_MARKS[result.outcome]} ", output.cell(result.title, style), sep="", soft_wrap=True)
    if result.outcome == "failed":
        console.print(output.cell(f"      {result.problem}", "red"), soft_wrap=True)
        if result.fix:
            console.print("      [bold]fix:[/]", output.cell(result.fix), soft_wrap=True)
    elif result.outcome == "skipped":
        console.print(output.cell(f"      skipped: {result.problem}", "dim"), soft_wrap=True)
