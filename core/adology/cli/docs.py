"""``python -m adology.cli.docs``: `docs/cli.md` from the program's commands."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Any, get_args, get_origin

import click
import msgspec
import typer
from typer.core import TyperOption

from adology.cli.app import app

_HEAD = """\
# Command line

<!-- Written by `python -m adology.cli.docs`. Change the commands in core/adology/cli instead. -->

`adology COMMAND --help` says the same as this page.

**Exit codes:** 0 done · 1 failed (`status`: not everything is ready) · 2 wrong usage · 130 interrupted.

**Output:** the answer goes to standard output, progress and errors to standard error. An error is
one line, `error: what happened, to what, what to do [ADO-code]`; `--debug` adds the traceback. With
`--json` the answer is JSON of the shape given below; fields may be added, these keep their meaning.

**Recovery:** `status`, `down` and `plugins list` work with broken settings, broken plugins and
servers that are down.
"""


def render() -> str:
    """The page as Markdown."""
    root = typer.main.get_command(app)
    context = click.Context(root, info_name="adology")
    parts = [_HEAD, "## Common options\n", "Every command takes these, before its name or after it.\n"]
    parts.append(_options(context, [p for p in root.params if _is_common(p)]))
    structs: dict[str, type[msgspec.Struct]] = {}
    for path, command, command_context in _walk(root, context):
        parts.append(_command(path, command, command_context))
        kind = getattr(command.callback, "json_type", None)
        if kind is not None:
            parts.append(f"`--json` prints {_shape(kind)}.\n")
            structs.update(_structs(kind))
    parts.append("## JSON\n")
    parts += [_struct(name, struct) for name, struct in sorted(structs.items())]
    return "\n".join(parts)


def _walk(group: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    for name, command in getattr(group, "commands", {}).items():
        below = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _walk(command, below)
        else:
            yield below.command_path, command, below


def _command(path: str, command: click.Command, context: click.Context) -> str:
    parts = [f"## `{path}`\n", inspect.cleandoc(command.help or "") + "\n"]
    usage = " ".join(command.collect_usage_pieces(context))
    parts.append(f"```\n{path} {usage}\n```\n")
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    if arguments:
        lines = ["| argument | |", "|---|---|"]
        lines += [f"| `{_cell(p.make_metavar(context))}` | {getattr(p, 'help', '') or ''} |" for p in arguments]
        parts.append("\n".join(lines) + "\n")
    own = [p for p in command.params if isinstance(p, click.Option) and not _is_common(p)]
    if own:
        parts.append(_options(context, own))
    return "\n".join(parts)


def _options(context: click.Context, options: Sequence[click.Parameter]) -> str:
    lines = ["| option | default | meaning |", "|---|---|---|"]
    for option in options:
        if not isinstance(option, click.Option) or option.name in ("install_completion", "show_completion"):
            continue
        names = " / ".join((*option.opts, *option.secondary_opts))
        value = "" if option.is_flag else f" {option.make_metavar(context)}".removesuffix(" RANGE")
        about, _, default = (option.help or "").partition(" [default: ")
        default = default.rstrip("]") or _default(option)
        lines.append(f"| `{_cell(names + value)}` | {default} | {about} |")
    return "\n".join(lines) + "\n"


def _default(option: click.Option) -> str:
    value = option.default
    if option.required:
        return "required"
    if isinstance(value, (bool, type(None))) or callable(value):
        return "on" if value is True else ""
    return f"`{value}`" if isinstance(value, (str, int, float)) and value != "" else ""


def _is_common(parameter: click.Parameter) -> bool:
    return isinstance(parameter, TyperOption) and parameter.rich_help_panel == "Common options"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _shape(kind: Any) -> str:
    """A type as words: a link to a struct, a list of them, one or the other."""
    if get_origin(kind) is UnionType:
        return ", or ".join(_shape(each) for each in get_args(kind))
    if get_origin(kind) is list:
        return f"a list of {_shape(get_args(kind)[0])}"
    return f"[{kind.__name__}](#{kind.__name__.lower()})" if _is_struct(kind) else f"`{kind}`"


def _structs(kind: Any) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """The structs within a type, and within their fields."""
    if _is_struct(kind):
        yield kind.__name__, kind
        for field in msgspec.structs.fields(kind):
            yield from _structs(field.type)
    for each in get_args(kind):
        yield from _structs(each)


def _is_struct(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, msgspec.Struct)


def _struct(name: str, struct: type[msgspec.Struct]) -> str:
    lines = [f"### {name}\n", (inspect.getdoc(struct) or "") + "\n", "| field | type |", "|---|---|"]
    fields = msgspec.structs.fields(struct)
    lines += [f"| `{field.encode_name}` | {_cell(_field_type(field.type))} |" for field in fields]
    return "\n".join(lines) + "\n"


def _field_type(kind: Any) -> str:
    if _is_struct(kind) or (get_origin(kind) is list and _is_struct(get_args(kind)[0])):
        return _shape(kind)
    shown = kind.__name__ if inspect.isclass(kind) and not get_args(kind) else str(kind)
    return f"`{shown.replace('typing.', '').replace('datetime.datetime', 'datetime').replace('NoneType', 'None')}`"


if __name__ == "__main__":
    sys.stdout.write(render())
