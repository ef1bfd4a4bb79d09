"""Seconds of CPU and bytes of memory of process trees."""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Self

import psutil

SAMPLE_S = 0.05


def cpu_s(pids: Iterable[int]) -> float:
    """CPU time that the trees under `pids` have used so far, ended children included once reaped."""
    total = 0.0
    for process in _trees(pids):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def rss_bytes(pids: Iterable[int]) -> int:
    """Resident memory of the trees; what processes share counts for each of them."""
    total = 0
    for process in _trees(pids):
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def _trees(pids: Iterable[int]) -> Iterator[psutil.Process]:
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(pid)
            yield root
            yield from root.children(recursive=True)


class Peak:
    """The resident memory of a tree while the block runs, looked at every 50 ms, and the highest of all."""

    def __init__(self, pid: int) -> None:
        self.seen: list[int] = []
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.is_set():
            self.seen.append(rss_bytes([self._pid]))
            self._ended.wait(SAMPLE_S)

    @property
    def bytes(self) -> int:
        """The highest."""
        return max(self.seen, default=0)

    def usual(self, part: int, of: int) -> float:
        """The median of the part of that number, from 0, of so many equal parts of the time."""
        return statistics.median(self.seen[len(self.seen) * part // of : len(self.seen) * (part + 1) // of])


class Timed:
    """Wall time and CPU time of trees between `start` and `stop`."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = tuple(pids)
        self._wall = time.monotonic()
        self._cpu = cpu_s(self._pids)

    def stop(self) -> tuple[float, float]:
        """Seconds of wall and of CPU since it was made."""
        return time.monotonic() - self._wall, cpu_s(self._pids) - self._cpu
