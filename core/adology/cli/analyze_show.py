"""Results of analyzers for people: a few words for any result, whatever its shape."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from adology.cli import output
from adology.cli.model import AnalyzedItem, AnalyzerSaid

_FEW = 4
_LONG_TEXT = 70
_BLOB = 200
_TITLES = ("text", "label", "id", "name", "amount", "url", "code", "category", "raw", "hex", "kind")
"""Fields that name an entry of a list, the best first."""


def show(items: Sequence[AnalyzedItem]) -> None:
    """Print a table for each item."""
    for item in items:
        head = Text(item.name if len(item.name) <= _LONG_TEXT * 2 else f"{item.name[: _LONG_TEXT * 2]}…", style="bold")
        about = f"{item.content_type}, {output.amount(item.size_bytes)}" if item.sha256 else "copy"
        head.append(f"  {about}", style="dim")
        output.stdout().print()
        output.stdout().print(head, soft_wrap=True)
        made = output.table("analyzer", "says", "time", right=("time",), flexible=("says",))
        for said in item.analyses:
            made.add_row(
                output.cell(said.analyzer, "bold"),
                _told(said),
                output.cell(f"{said.seconds * 1000:,.0f} ms", "dim"),
            )
        output.stdout().print(made)


def _told(said: AnalyzerSaid) -> Text:
    if said.skipped:
        return Text(said.error or "", style="dim")
    if said.error is not None:
        return Text(f"{said.error} [{said.error_code}]", style="red")
    told = Text()
    for number, (name, value) in enumerate(summary(said.result)):
        told.append(
            "\n" if number and len(told.plain.rpartition("\n")[2]) + len(value) > _LONG_TEXT else "  " * bool(number)
        )
        told.append(f"{name} ", style="dim")
        told.append(value)
    if said.derived:
        told.append(f"\nfiles {len(said.derived)}", style="dim")
    if said.cost_usd:
        told.append(f"\n{said.cost_usd:.6f} USD", style="yellow")
    return told


def summary(result: Any) -> Iterator[tuple[str, str]]:
    """Names and short values of a result; what is empty is left out."""
    if not isinstance(result, Mapping):
        yield "result", _short(result)
        return
    for name, value in result.items():
        if value not in (None, "", [], {}):
            yield str(name).replace("_", " "), _short(value)


def _short(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}" if math.isfinite(value) else str(value)
        case str():
            return _text(value)
        case Mapping():
            inner = ", ".join(
                f"{key} {_short(each)}" for key, each in list(value.items())[:_FEW] if each not in (None, "")
            )
            return f"{inner}{' …' if len(value) > _FEW else ''}"
        case list() | tuple():
            return _list(value)
        case _:
            return str(value)


def _text(value: str) -> str:
    if len(value) > _BLOB and " " not in value[:_BLOB]:
        return f"{len(value):,} characters"
    line = " ".join(value.split())
    return line if len(line) <= _LONG_TEXT else f"{line[:_LONG_TEXT]}…"


def _list(values: Sequence[Any]) -> str:
    if all(isinstance(each, int | float) for each in values) and len(values) > 2 * _FEW:
        return f"{len(values):,} numbers"
    shown = ", ".join(_entry(each) for each in values[:_FEW])
    return shown if len(values) <= _FEW else f"{shown} … ({len(values):,})"


def _entry(value: Any) -> str:
    if isinstance(value, Mapping):
        title = next((value[name] for name in _TITLES if value.get(name)), None)
        if title is not None:
            return _short(title)
    return _short(value)
