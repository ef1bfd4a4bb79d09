"""Processes told apart by pid *and* time of birth, so that a reused pid is never signalled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

import psutil

_SAME_BIRTH_S = 2.0
"""The system's idea of its boot time, which birth times are derived from, moves with the clock."""
_POLL_S = 0.02


def get_create_time(pid: int) -> float | None:
    """Time of birth of `pid`, seconds since the epoch; None when it is gone."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def find_process(pid: int | None, create_time: float | None) -> psutil.Process | None:
    """The living process that was `pid` at birth `create_time`; a zombie is not alive."""
    if pid is None or create_time is None:
        return None
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - create_time) > _SAME_BIRTH_S:
            return None
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.Error:
        return None


def is_alive(pid: int | None, create_time: float | None) -> bool:
    """Whether that very process lives."""
    return find_process(pid, create_time) is not None


def wait_gone(pid: int | None, create_time: float | None, timeout: float) -> bool:
    """Wait until that process is gone; False after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while is_alive(pid, create_time):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def stop_process(pid: int, create_time: float, sign: signal.Signals, grace: float) -> str:
    """Stop a process that is not our child, and its group if it leads one.

    Returns:
        ``"gone"`` (was not there), ``"stopped"`` (left by itself in time) or ``"killed"``.
    """
    process = find_process(pid, create_time)
    if process is None:
        return "gone"
    with contextlib.suppress(psutil.Error):
        process.send_signal(sign)
    if wait_gone(pid, create_time, grace):
        kill_group(pid)
        return "stopped"
    with contextlib.suppress(psutil.Error):
        process.kill()
    kill_group(pid)
    wait_gone(pid, create_time, 5.0)
    return "killed"


def kill_group(pid: int) -> None:
    """Kill what is left of the process group that `pid` led; harmless when nothing is."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if pid != os.getpgrp():
            os.killpg(pid, signal.SIGKILL)


def kill_inside(folder: Path, name: str) -> int:
    """Kill every process `name` whose working folder is `folder` and wait for their ends; how many there were."""
    wanted = folder.resolve()
    found: list[tuple[int, float]] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name() == name and Path(process.cwd()) == wanted:
                process.kill()
                found.append((process.pid, process.create_time()))
    for pid, born in found:
        wait_gone(pid, born, 5.0)
    return len(found)


async def stop_child(process: asyncio.subprocess.Process, sign: signal.Signals, grace: float) -> str:
    """Stop our own child within `grace` seconds; ``"stopped"`` or ``"killed"``."""
    outcome = "stopped"
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(sign)
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            outcome = "killed"
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    kill_group(process.pid)
    return outcome


def describe_exit(returncode: int) -> str:
    """``exit code 3`` or ``killed by SIGKILL``."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return f"killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"killed by signal {-returncode}"
