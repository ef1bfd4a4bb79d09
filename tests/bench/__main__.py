"""``python -m tests.bench``: runs the measurements and prints one table."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Awaitable, Callable

import msgspec
import uvloop

from adology.log import setup_logging
from tests.bench.api.growth import measure_growth
from tests.bench.api.requests import measure_requests
from tests.bench.commits import measure_commits
from tests.bench.creatives import measure_creatives
from tests.bench.fanout import measure_fanout
from tests.bench.lab import BenchError, Lab, open_lab
from tests.bench.memory import measure_memory
from tests.bench.messages import measure_messages
from tests.bench.model import FULL, SHORT, Line, Size
from tests.bench.submits import measure_submits
from tests.bench.table import show
from tests.bench.understanding import measure_understanding
from tests.bench.vectors import measure_vectors

FAILED = "failed"

Measurement = Callable[[Lab, Size], Awaitable[list[Line]]]

MEASUREMENTS: dict[str, Measurement] = {
    "creatives": measure_creatives,
    "messages": measure_messages,
    "registry": measure_submits,
    "commit": measure_commits,
    "vectors": measure_vectors,
    "analyzers": measure_understanding,
    "fanout": measure_fanout,
    "memory": measure_memory,
    "server": measure_requests,
    "growth": measure_growth,
}


async def run(lab: Lab, names: list[str], size: Size) -> list[Line]:
    """All lines of the named measurements; one that cannot be made says so in its place."""
    lines: list[Line] = []
    for name in names:
        started = time.monotonic()
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            lines += await MEASUREMENTS[name](lab, size)
        except BenchError as error:
            print(f"{name} failed: {error}", file=sys.stderr, flush=True)
            lines.append(Line(group=name, what=FAILED, note="see above"))
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return lines


def main() -> int:
    """Exit status 0 when everything ran and every target was met, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASUREMENTS)}; all by default")
    parser.add_argument("--reps", type=int, default=FULL.reps, help="interleaved repetitions [default: %(default)s]")
    parser.add_argument("--short", action="store_true", help="tiny sizes: does everything run?")
    given = parser.parse_args()
    unknown = set(given.names) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    size = SHORT if given.short else msgspec.structs.replace(FULL, reps=given.reps)
    setup_logging(level="ERROR", style="text")
    with open_lab() as lab:
        lines = uvloop.run(run(lab, given.names or list(MEASUREMENTS), size))
    print(show(lines))
    return 1 if any(line.is_met is False or line.what.endswith(FAILED) for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
