"""The table that `make bench` prints."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.model import Line

WHOLE_FROM = 100
TENTHS_FROM = 10


def show(lines: Sequence[Line]) -> str:
    """One table of all lines, groups divided by their names."""
    rows: list[tuple[str, ...]] = []
    group = ""
    for line in lines:
        if line.group != group:
            group = line.group
            rows.append((group.upper(), "", "", "", "", ""))
        rows.append(_cells(line))
    head = ("", "median", "[min..max]", "unit", "target", "met")
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return "\n".join(_join(row, widths) for row in [head, *rows])


def _cells(line: Line) -> tuple[str, ...]:
    if not line.samples:
        return (f"  {line.what}", line.note, "", "", "", "")
    spread = f"[{number(min(line.samples))}..{number(max(line.samples))}]" if len(line.samples) > 1 else ""
    target = f"{line.goal.sense} {number(line.goal.limit)}" if line.goal else ""
    met = {None: "", True: "yes", False: "NO"}[line.is_met]
    unit = f"{line.unit} ({line.note})" if line.note else line.unit
    return (f"  {line.what}", number(line.value), spread, unit, target, met)


def _join(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def number(value: float) -> str:
    """Three digits or so."""
    if abs(value) >= WHOLE_FROM:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= TENTHS_FROM else f"{value:.2f}"
