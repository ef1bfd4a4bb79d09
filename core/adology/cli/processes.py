"""Several workers under one command: started, restarted after a crash, stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence

from adology.embedded import launch
from adology.log import logger

FIRST_PAUSE_S = 0.5
LAST_PAUSE_S = 30.0
STEADY_S = 30.0
"""A child that lived this long crashes anew: its next start does not wait longer."""


async def supervise(
    arguments: Sequence[str], processes: int, stop: asyncio.Event, *, grace_s: float, command: Sequence[str] = ()
) -> bool:
    """Keep `processes` children running until `stop`; True if any ended other than cleanly then.

    Args:
        arguments: what each child is told.
        processes: how many.
        stop: set to end them: SIGTERM first, SIGKILL after `grace_s` seconds.
        grace_s: see `stop`.
        command: the program; this interpreter's `adology` by default.
    """
    program = [*(command or (sys.executable, "-m", "adology.cli")), *arguments]
    lives = [_live(n, program, stop, grace_s) for n in range(1, processes + 1)]
    return any(await asyncio.gather(*lives))


async def _live(number: int, program: Sequence[str], stop: asyncio.Event, grace_s: float) -> bool:
    """One child, again and again. True if its last end, after `stop`, was not a clean one."""
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        started = time.monotonic()
        process = await _spawn(program)
        logger.bind(worker=number, pid=process.pid).info("worker process started")
        code = await _wait(process, stop, grace_s)
        if stop.is_set():
            logger.bind(worker=number, pid=process.pid, exit=code).info("worker process ended")
            return code != 0
        if time.monotonic() - started > STEADY_S:
            pause_s = FIRST_PAUSE_S
        logger.bind(worker=number, pid=process.pid, exit=code, pause_s=pause_s).error("worker process died; restarting")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause_s)
        pause_s = min(LAST_PAUSE_S, pause_s * 2)
    return False


async def _spawn(program: Sequence[str]) -> asyncio.subprocess.Process:
    """A child that ends with us, even when we are killed."""
    guard = [sys.executable, "-I", "-S", str(launch.__file__), str(os.getpid()), str(int(signal.SIGTERM)), "same"]
    return await asyncio.create_subprocess_exec(*guard, *program, stdin=asyncio.subprocess.DEVNULL)


async def _wait(process: asyncio.subprocess.Process, stop: asyncio.Event, grace_s: float) -> int:
    """The exit code, after an orderly stop when `stop` is set meanwhile."""
    ended = asyncio.ensure_future(process.wait())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            process.terminate()
            await asyncio.wait({ended}, timeout=grace_s)
        if not ended.done():
            logger.bind(pid=process.pid, grace_s=grace_s).error("worker process did not end in time; killed")
            process.kill()
        return await ended
    finally:
        stopping.cancel()
        if process.returncode is None:
            process.kill()
