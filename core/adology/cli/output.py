"""What the command line prints: tables for people, JSON for programs, one line per error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich import box
from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from adology.errors import AdologyError, describe
from adology.log import REDACTOR

PIPE_WIDTH = 160
"""Columns where there is no terminal: room for whole ids and addresses."""
NARROW = 100
"""Columns below which tables save on the space between theirs."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def stdout() -> Console:
    """The console of the answer."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def stderr() -> Console:
    """The console of progress, warnings and errors."""
    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else PIPE_WIDTH)


def print_json(value: Any) -> None:
    """`value` as indented JSON on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_error(message: str, code: str = "") -> None:
    """One line on standard error."""
    line = Text("error: ", style="bold red")
    line.append(" ".join(message.split()), style="default")
    if code:
        line.append(f" [{code}]", style="dim")
    stderr().print(line, soft_wrap=True)


def warn(message: str) -> None:
    """One line on standard error, for something that does not stop the command."""
    stderr().print(Text.assemble(("warning: ", "yellow"), " ".join(message.split())), soft_wrap=True)


def warn_of(error: AdologyError, then: str) -> None:
    """A warning that an error does not stop the command, and what happens instead."""
    text = REDACTOR.redact(describe(error))
    warn(f"{text} {then}" if text.endswith((".", "?")) else f"{text}. {then}")


def hint(message: str) -> None:
    """A dim line on standard error saying what is going on or what can be done next."""
    stderr().print(Text(message, style="dim"), soft_wrap=True)


def table(*columns: str, right: Sequence[str] = (), flexible: Sequence[str] = ()) -> Table:
    """An empty table in the house style.

    The columns in `right` hold numbers; those in `flexible` give way where the terminal is too
    narrow, the others do not break.
    """
    is_narrow = stdout().width < NARROW
    made = Table(
        box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, border_style="dim", collapse_padding=is_narrow
    )
    for name in columns:
        justify: JustifyMethod = "right" if name in right else "left"
        made.add_column(name, justify=justify, overflow="fold", no_wrap=bool(flexible) and name not in flexible)
    return made


def cut(text: object, style: str = "") -> Text:
    """Text that ends in … where its column is too narrow."""
    return Text(str(text), style=style, no_wrap=True, overflow="ellipsis")


def cell(text: object, style: str = "") -> Text:
    """Text as it is, without markup."""
    return Text(str(text), style=style)


def plain(text: str) -> str:
    """`text` for use within markup."""
    return escape(text)


STATE_STYLES = {
    "ready": "green",
    "committed": "green",
    "ok": "green",
    "failed": "bold red",
    "partial": "yellow",
    "restarting": "yellow",
    "discovering": "cyan",
    "acquiring": "cyan",
    "starting": "cyan",
    "stopping": "cyan",
    "stopped": "dim",
    "waiting": "dim",
    "empty": "dim",
}


def state(name: str) -> Text:
    """A state in its colour."""
    return Text(name, style=STATE_STYLES.get(name, ""))


def amount(size_bytes: float) -> str:
    """A number of bytes for people, decimal units."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:  # noqa: PLR2004 - decimal units
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def span(seconds: float | None) -> str:
    """A length of time for people."""
    if seconds is None:
        return "-"
    if seconds < 10 and seconds != int(seconds):  # noqa: PLR2004 - tenths matter below ten seconds
        return f"{seconds:.1f} s"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return _two(seconds, _MINUTE, "min", 1, "s")
    if seconds < _DAY:
        return _two(seconds, _HOUR, "h", _MINUTE, "min")
    return _two(seconds, _DAY, "d", _HOUR, "h")


def _two(seconds: float, large: int, name: str, small: int, small_name: str) -> str:
    """Two units, or one where nothing is left of the smaller."""
    rest = int(seconds % large // small)
    return f"{int(seconds // large)} {name}" + (f" {rest} {small_name}" if rest else "")


def ago(moment: datetime | None) -> str:
    """How long ago, for people."""
    if moment is None:
        return "never"
    seconds = max(0.0, (datetime.now(UTC) - moment).total_seconds())
    unit = next((u for u in (_DAY, _HOUR, _MINUTE) if seconds >= u), 1)
    return f"{span(seconds // unit * unit)} ago"


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 ad``, ``2 ads``, ``12,345 ads``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
