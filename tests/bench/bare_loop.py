"""The analyzers alone: one loop over files in one process, nothing kept, nothing isolated.

``python -m tests.bench.bare_loop FILE…`` loads all installed analyzers of creatives, works once on the
first file so that models are loaded, says ``ready``, and for each line ``go`` on standard input runs
every analyzer on every file and says ``did SECONDS CPU_SECONDS``.
"""

from __future__ import annotations

import asyncio
import inspect
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from adology.abc.analyzer import MediaItem
from adology.context import Context
from adology.engine.analyzers import ReadyAnalyzer, prepare
from adology.engine.offline import read_media
from adology.errors import AdologyError
from adology.plugins import load_plugins


async def analyze(analyzers: list[ReadyAnalyzer], item: MediaItem, scratch: Path) -> None:
    """Every analyzer on one file, each with the results of those before it."""
    results: dict[str, Any] = {}
    for one in analyzers:
        known = {name: results[name] for name in one.needs.uses if name in results}
        context = Context(one.name, one.settings, scratch=scratch, section="analyzers")
        try:
            answer = one.analyzer.analyze(context, msgspec.structs.replace(item, results=known))
            if inspect.isawaitable(answer):
                answer = await answer
        except AdologyError:
            continue
        results[one.name] = msgspec.to_builtins(answer)


async def main(paths: list[Path]) -> None:
    """See the module."""
    loaded = load_plugins()
    analyzers = list(prepare(loaded.of_kind("analyzer"), {}).accepting("image"))
    items = [read_media(path) for path in paths]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        await analyze(analyzers, items[0], scratch)
        print("ready", flush=True)
        for _ in sys.stdin:
            started, before = time.perf_counter(), _cpu_s()
            for item in items:
                await analyze(analyzers, item, scratch)
            print(f"did {time.perf_counter() - started:.3f} {_cpu_s() - before:.3f}", flush=True)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    asyncio.run(main([Path(argument) for argument in sys.argv[1:]]))
