"""``python -m tests.quality``: measures the local analyzers on labelled data and prints one table."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from adology.log import setup_logging
from tests.conftest import ROOT
from tests.quality import embeddings, labels, likeness, ocr, safety, scores, video

Row = tuple[str, Any, str, int, str]
"""What was measured, its value and unit, on how many, and what to know of it."""

PARTS: dict[str, Callable[[Path], Iterable[Row]]] = {
    "text": ocr.measure,
    "embeddings": embeddings.measure,
    "safety": safety.measure,
    "labels": labels.measure,
    "video": video.measure,
    "likeness": likeness.measure,
    "scores": scores.measure,
}


def main() -> int:
    """Exit status 2 where the data is absent."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    given = parser.parse_args()
    unknown = set(given.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    data = Path(os.environ.get("ADOLOGY_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (data / "manifest.tsv").exists():
        return 2
    setup_logging(level="ERROR", style="text")
    made = Table("measure", "value", "unit", "n", "note", header_style="dim", pad_edge=False)
    for name in given.parts or PARTS:
        time.monotonic()
        made.add_section()
        made.add_row(f"[bold]{name}[/]")
        for measure, value, unit, n, note in PARTS[name](data):
            shown = f"{value:.3f}" if isinstance(value, float) else str(value)
            made.add_row(f"  {measure}", shown, unit, f"{n:,}", f"[dim]{note}[/]")
    Console(width=None if sys.stdout.isatty() else 160, highlight=False).print(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
