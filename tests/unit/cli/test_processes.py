from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from adology.cli import processes
from adology.cli.processes import supervise
from adology.log import logger

CHILD = """
import os, signal, sys, time
folder, behaviour = sys.argv[1], sys.argv[2]
def end(*_):
    if behaviour == "stubborn":
        return
    sys.exit(3 if behaviour == "dirty" else 0)
signal.signal(signal.SIGTERM, end)
open(os.path.join(folder, str(os.getpid())), "w").close()
if behaviour == "crashes" and len(os.listdir(folder)) < 4:
    sys.exit(9)
while True:
    time.sleep(0.02)
"""


def children(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir()]


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(0.02)


def supervised(folder: Path, behaviour: str, number: int, when: Callable[[], bool], grace_s: float = 10.0) -> bool:
    """Whether anything was abandoned, after `when` was true and the stop came."""

    async def main() -> bool:
        stop = asyncio.Event()
        command = (sys.executable, "-c", CHILD)
        task = asyncio.create_task(supervise([str(folder), behaviour], number, stop, grace_s=grace_s, command=command))
        await until(when)
        stop.set()
        return await task

    return asyncio.run(main())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(processes, "FIRST_PAUSE_S", 0.05)
    (tmp_path / "pids").mkdir()
    return tmp_path / "pids"


def test_so_many_children_run_and_all_end_on_stop(folder: Path) -> None:
    assert supervised(folder, "good", 3, lambda: len(children(folder)) == 3) is False
    assert not any(psutil.pid_exists(pid) for pid in children(folder))


def test_a_crashed_child_is_started_again(folder: Path) -> None:
    assert supervised(folder, "crashes", 1, lambda: len(children(folder)) == 4) is False


def test_a_child_that_ends_badly_after_stop_makes_the_whole_fail(folder: Path) -> None:
    assert supervised(folder, "dirty", 2, lambda: len(children(folder)) == 2) is True


def test_a_child_that_does_not_end_in_time_is_killed_and_counts_as_abandoned(folder: Path) -> None:
    began = time.monotonic()
    assert supervised(folder, "stubborn", 1, lambda: len(children(folder)) == 1, grace_s=0.3) is True
    assert time.monotonic() - began < 10
    assert not any(psutil.pid_exists(pid) for pid in children(folder))


def test_a_stop_while_waiting_to_restart_ends_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "FIRST_PAUSE_S", 60.0)

    told: list[str] = []
    sink = logger.add(told.append, format="{message}")
    began = time.monotonic()
    try:
        assert supervised(folder, "crashes", 1, lambda: any("died; restarting" in line for line in told)) is False
    finally:
        logger.remove(sink)
    assert time.monotonic() - began < 20


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal of a parent is Linux's")
def test_children_do_not_outlive_a_killed_supervisor(folder: Path) -> None:
    code = (
        "import asyncio, sys\nfrom adology.cli.processes import supervise\n"
        "command = (sys.executable, '-c', sys.argv[1])\n"
        "asyncio.run(supervise(sys.argv[2:], 2, asyncio.Event(), grace_s=5, command=command))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, CHILD, str(folder), "good"])
    asyncio.run(until(lambda: len(children(folder)) == 2))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    def gone() -> bool:
        return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in children(folder))

    asyncio.run(until(gone))
