"""The options that every command takes, before its name or after it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import click
import msgspec
import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.models import ArgumentInfo

from adology.errors import ConfigError
from adology.log import setup_logging

if TYPE_CHECKING:
    from adology.settings.model import AdologySettings

LEVELS = ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR")
DEFAULT_HOME = ".adology"
_META = "adology.common"


class Common(msgspec.Struct, kw_only=True):
    """What the user said, None where nothing."""

    config: Path | None = None
    home: Path | None = None
    log_level: str | None = None
    debug: bool = False


def common() -> Common:
    """The common options of the command that runs."""
    context = click.get_current_context(silent=True)
    return context.meta.setdefault(_META, Common()) if context is not None else Common()


def load(**overrides: Any) -> AdologySettings:
    """The settings as the common options select them; `overrides` are other options given."""
    from adology.settings import load_settings  # noqa: PLC0415 - commands import when they run

    given = common()
    if given.home is not None:
        overrides["home"] = str(given.home.absolute())
    return load_settings(given.config, overrides=overrides)


def find_home() -> Path:
    """The stack's folder, also where the settings are broken: recovery must not depend on them."""
    from adology.cli.output import warn_of  # noqa: PLC0415 - see load()

    try:
        return Path(load().home)
    except ConfigError as error:
        home = common().home or Path(os.environ.get("ADOLOGY_HOME", DEFAULT_HOME))
        warn_of(error, f"Going on with home {home}.")
        return home.absolute()


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value not in (None, False):
            setattr(context.meta.setdefault(_META, Common()), name, value)
            if name == "log_level":
                setup_logging(level=value, style="text")

    return callback


def _common_parameters() -> list[click.Parameter]:
    shared: dict[str, Any] = {"expose_value": False, "rich_help_panel": "Common options"}
    return [
        TyperOption(
            param_decls=["--config"],
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Settings file. [default: ADOLOGY_CONFIG, else adology.toml]",
            callback=_remember("config"),
            **shared,
        ),
        TyperOption(
            param_decls=["--home"],
            type=click.Path(path_type=Path, file_okay=False),
            metavar="FOLDER",
            help="Data, logs and state of the embedded servers. [default: ADOLOGY_HOME, else .adology]",
            callback=_remember("home"),
            **shared,
        ),
        TyperOption(
            param_decls=["--log-level"],
            type=click.Choice(LEVELS, case_sensitive=False),
            metavar="LEVEL",
            help="Log from trace, debug, info, warning or error on. [default: log.level for services, else warning]",
            callback=_remember("log_level"),
            **shared,
        ),
        TyperOption(
            param_decls=["--debug"],
            is_flag=True,
            help="Show the traceback of an error.",
            callback=_remember("debug"),
            **shared,
        ),
    ]


def _restore_help(parameters: list[click.Parameter], callback: Callable[..., Any] | None) -> None:
    """Give arguments their help text back.

    click 8.5 has a `help` of its own for arguments, whose None overwrites what typer 0.24 set.
    """
    hints = get_type_hints(inspect.unwrap(callback), include_extras=True) if callback is not None else {}
    for parameter in parameters:
        if isinstance(parameter, TyperArgument) and parameter.help is None:
            marks = getattr(hints.get(parameter.name or ""), "__metadata__", ())
            parameter.help = next((mark.help for mark in marks if isinstance(mark, ArgumentInfo)), None)


class Command(TyperCommand):
    """A command with the common options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _restore_help(self.params, self.callback)
        self.params.extend(_common_parameters())


class Group(TyperGroup):
    """A group with the common options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_common_parameters())


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def answers(kind: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declares the struct that a command prints with ``--json``; docs/cli.md shows it."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.json_type = kind  # type: ignore[attr-defined]  # read by adology.cli.docs
        return function

    return mark
