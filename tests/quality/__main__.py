"""``python -m tests.quality``: measures the local analyzers on labelled data and holds them against their bars.

One table: what was measured, and beside it what it has to reach (`tests/quality/bars.py`).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from adology.log import setup_logging
from tests.conftest import ROOT
from tests.quality import bars, embeddings, labels, likeness, ocr, safety, scores, video
from tests.quality.bars import Row, Verdict

PARTS: dict[str, Callable[[Path], Iterable[Row]]] = {
    "text": ocr.measure,
    "embeddings": embeddings.measure,
    "safety": safety.measure,
    "labels": labels.measure,
    "video": video.measure,
    "likeness": likeness.measure,
    "scores": scores.measure,
}
MISSED, NO_DATA = 1, 2


def main(given: Sequence[str] | None = None) -> int:
    """Exit status 0 where every bar is reached, 1 where one is missed, 2 where the data is absent."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    chosen = parser.parse_args(given).parts
    unknown = set(chosen) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    data = Path(os.environ.get("ADOLOGY_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (data / "manifest.tsv").exists():
        print(f"quality: no labelled data in {data}: set ADOLOGY_TEST_DATA to its folder", file=sys.stderr)  # noqa: T201
        return NO_DATA
    setup_logging(level="ERROR", style="text")
    table = Table("measure", "value", "unit", "n", "bar", "note", header_style="dim", pad_edge=False)
    short: list[str] = []
    for name in chosen or PARTS:
        began = time.monotonic()
        print(f"{name} …", file=sys.stderr, flush=True)  # noqa: T201
        short += _add(table, name, list(PARTS[name](data)))
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)  # noqa: T201
    console = Console(width=None if sys.stdout.isatty() else 180, highlight=False)
    console.print(table)
    for line in short:
        console.print(f"[red]missed[/] {line}", soft_wrap=True)
    if not short:
        console.print("every bar is reached")
    return MISSED if short else 0


def _add(table: Table, part: str, rows: Sequence[Row]) -> list[str]:
    """A part's rows with their bars; what falls short."""
    verdicts = bars.hold(rows, bars.BARS[part])
    table.add_section()
    table.add_row(f"[bold]{part}[/]")
    for place, (measure, value, unit, n, note) in enumerate(rows):
        shown = f"{value:.3f}" if isinstance(value, float) else str(value)
        table.add_row(f"  {measure}", shown, unit, f"{n:,}", _shown(verdicts, place), f"[dim]{note}[/]")
    return [bars.describe(one) for one in verdicts if not one.passed]


def _shown(verdicts: Sequence[Verdict], place: int) -> str:
    """The bars of one row."""
    return ", ".join(f"[{'green' if one.passed else 'red'}]{one.shown}[/]" for one in verdicts if one.place == place)


if __name__ == "__main__":
    sys.exit(main())
