"""The program: its commands, what it does about errors, its exit codes.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted by Ctrl-C.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import click
import typer

from adology.cli import (
    analyze,
    batches,
    brands,
    costs,
    duplicates,
    ingest,
    migrate,
    mismatches,
    notify,
    operators,
    output,
    people,
    plugins,
    reanalyze,
    search,
    services,
    stack,
)
from adology.cli.options import Command, Group
from adology.errors import AdologyError, code_of, describe
from adology.log import REDACTOR, setup_logging

FAILED, USAGE, INTERRUPTED = 1, 2, 130


def _make_app() -> typer.Typer:
    made = typer.Typer(
        cls=Group,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    made.callback()(root)
    for panel, commands in (
        ("Stack", (stack.up, stack.down, stack.status, migrate.migrate)),
        ("Ads", (ingest.ingest,)),
        (
            "Analyses",
            (
                analyze.analyze,
                search.search,
                duplicates.duplicates,
                mismatches.mismatches,
                reanalyze.reanalyze,
                costs.costs,
            ),
        ),
        (
            "Services",
            (
                services.registry,
                services.worker,
                services.steward,
                services.follow,
                services.server,
                services.tasks,
                notify.notify,
            ),
        ),
    ):
        for command in commands:
            made.command(cls=Command, rich_help_panel=panel)(command)
    for name, group, panel in (
        ("brand", brands.app, "Ads"),
        ("batch", batches.app, "Ads"),
        ("org", people.orgs, "Customers"),
        ("user", people.users, "Customers"),
        ("operator", operators.operators, "Customers"),
        ("plugins", plugins.app, "Plugins"),
    ):
        made.add_typer(group, name=name, rich_help_panel=panel)
    return made


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"adology {version('adology')}")
        raise typer.Exit


def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Collect the ads of brands, archive every creative, analyse each one once.

    Example: `adology up`, then `adology ingest ./my-creatives --brand nike`
    """


def _sentence(message: str) -> str:
    """Click's message as one sentence: typer and click each add their guess at what was meant."""
    if message.count("Did you mean") > 1:
        message = re.sub(r" \(Did you mean [^()]*\)$", "", message)
    message = message.rstrip(".")
    return message if message.endswith(("?", "!")) else f"{message}."


app = _make_app()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    command = typer.main.get_command(app)
    debug = "--debug" in (sys.argv[1:] if arguments is None else arguments)
    try:
        setup_logging(level="WARNING", style="text")
        result = command.main(args=arguments, prog_name="adology", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError:
        return USAGE  # the help was printed
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "adology"
        output.print_error(f"{_sentence(error.format_message())} See `{path} --help`.")
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        output.print_error("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except click.ClickException as error:
        output.print_error(error.format_message())
        return FAILED
    except Exception as error:  # noqa: BLE001 - the last place that can turn it into one line
        if debug:
            sys.stderr.write(REDACTOR.redact(traceback.format_exc()))
        more = "" if debug or isinstance(error, AdologyError) else " (--debug shows where)"
        output.print_error(REDACTOR.redact(describe(error)) + more, code_of(error))
        return FAILED
    if result == INTERRUPTED:  # typer has caught Ctrl-C before us
        output.print_error("interrupted")
    return result if isinstance(result, int) else 0
