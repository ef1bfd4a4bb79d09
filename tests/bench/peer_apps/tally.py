"""Counts the tasks of a worker process and says how long they took, first to last."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path


class Tally:
    """Ready after as many tasks as `BENCH_COUNT` says."""

    def __init__(self) -> None:
        self._wanted = int(os.environ["BENCH_COUNT"])
        self._path = Path(os.environ["BENCH_TALLY"])
        self._lock = threading.Lock()
        self._count = 0
        self._wall = self._cpu = 0.0

    def add(self) -> None:
        """One task ran."""
        with self._lock:
            if not self._count:
                self._wall, self._cpu = time.monotonic(), time.process_time()
            self._count += 1
            if self._count == self._wanted:
                self._write()

    def _write(self) -> None:
        found = {
            "count": self._count,
            "seconds": time.monotonic() - self._wall,
            "cpu_s": time.process_time() - self._cpu,
        }
        unfinished = self._path.with_suffix(".part")
        unfinished.write_text(json.dumps(found), "utf-8")
        unfinished.rename(self._path)
