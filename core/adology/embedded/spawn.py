"""Starts children bound to the supervisor's life, writing to their own log files."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from adology.embedded.logs import open_log

_LAUNCHER = Path(__file__).with_name("launch.py")
_PASSED_ON = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "TZ", "SYSTEMROOT")


def launch_command(
    command: Sequence[str], *, identity: str = "same", death_signal: signal.Signals = signal.SIGTERM
) -> list[str]:
    """`command` behind the launcher: it dies with this process, under `identity`."""
    return [
        sys.executable,
        "-I",
        "-S",
        str(_LAUNCHER),
        str(os.getpid()),
        str(int(death_signal)),
        identity,
        *command,
    ]


def server_environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A small environment for a bundled server: nothing of the user's reaches it by accident."""
    scratch = home / "run" / "tmp"
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **kept,
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        **(extra or {}),
    }


async def spawn(
    command: Sequence[str],
    *,
    log: Path,
    cwd: Path,
    env: Mapping[str, str],
    identity: str = "same",
    death_signal: signal.Signals = signal.SIGTERM,
) -> asyncio.subprocess.Process:
    """Start `command` in a session of its own.

    To be called on the main thread: the system watches the *thread* that started a child.
    """
    fd = open_log(log)
    try:
        return await asyncio.create_subprocess_exec(
            *launch_command(command, identity=identity, death_signal=death_signal),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=fd,
            stderr=fd,
            cwd=cwd,
            env=dict(env),
            start_new_session=True,
        )
    finally:
        os.close(fd)


async def run_once(command: Sequence[str], *, log: Path, cwd: Path, env: Mapping[str, str], identity: str) -> int:
    """Run `command` to its end and return its exit code; killed if we are cancelled."""
    process = await spawn(command, log=log, cwd=cwd, env=env, identity=identity)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
