"""The runner of tasks beside a server: in this process, or in one that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from adology.settings import AdologySettings
from adology_server.tasks.runner import run_tasks
from tests.server.rig import Client


def quick(settings: AdologySettings, **changes: Any) -> AdologySettings:
    """Short leases and polls: what is lost comes back within seconds."""
    replace = msgspec.structs.replace
    return replace(
        settings,
        queues=replace(settings.queues, visibility_s=6, wait_s=1),
        server=replace(settings.server, task_lease_s=2.0, **changes),
    )


@contextlib.asynccontextmanager
async def running(settings: AdologySettings) -> AsyncIterator[None]:
    """A runner of this process for the length of the block."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_tasks(settings, stop))
    try:
        yield
    finally:
        stop.set()
        await task


def environment(settings: AdologySettings) -> dict[str, str]:
    """By which another process has these settings."""
    given = {
        "POSTGRES__URL": settings.postgres.url,
        "MONGO__URL": settings.mongo.url,
        "AWS__ENDPOINT_URL": settings.aws.endpoint_url,
        "AWS__ACCESS_KEY_ID": settings.aws.access_key_id,
        "AWS__SECRET_ACCESS_KEY": settings.aws.secret_access_key,
        "S3__BUCKET": settings.s3.bucket,
        "QUEUES__PREFIX": settings.queues.prefix,
        "QUEUES__VISIBILITY_S": settings.queues.visibility_s,
        "QUEUES__WAIT_S": settings.queues.wait_s,
        "SERVER__TASK_LEASE_S": settings.server.task_lease_s,
        "SERVER__PORT": 0,
        "LOG__FORMAT": "json",
        "HOME": settings.home,
    }
    return {**os.environ, **{f"ADOLOGY_{name}": str(value) for name, value in given.items()}}


class Program:
    """A command of ours in a process of its own; its log goes to a file, which is never full."""

    def __init__(self, popen: subprocess.Popen[bytes], log: Path) -> None:
        self._popen = popen
        self._log = log

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._popen.kill()
        self._popen.wait()

    async def end(self, *, timeout_s: float = 30.0) -> int:
        """Wait until it has ended by itself; its exit status."""
        return await asyncio.to_thread(self._popen.wait, timeout_s)

    def terminate(self) -> None:
        """SIGTERM."""
        self._popen.terminate()

    async def wait_line(self, containing: str, *, timeout_s: float = 30.0) -> str:
        """The first line of its log with that text."""
        async with asyncio.timeout(timeout_s):
            while True:
                for line in self._log.read_text("utf-8").splitlines():
                    if containing in line:
                        return line
                assert self._popen.poll() is None, f"the process ended without {containing!r}"
                await asyncio.sleep(0.05)


@contextlib.contextmanager
def process(settings: AdologySettings, *arguments: str) -> Iterator[Program]:
    """A command of ours in a process of its own, which is killed at the end if it is still there."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as stderr:
            command = [sys.executable, "-m", "adology.cli", *arguments]
            popen = subprocess.Popen(command, env=environment(settings), stdout=subprocess.DEVNULL, stderr=stderr)
        program = Program(popen, log)
        try:
            yield program
        finally:
            program.kill()


async def wait_task(
    client: Client, task: str, wanted: Callable[[dict[str, Any]], bool], *, timeout_s: float = 40.0
) -> dict[str, Any]:
    """The task, once it is as wanted."""
    found: dict[str, Any] = {}
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                found = await client.get(f"/v1/tasks/{task}")
                if wanted(found):
                    return found
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"the task stays {found}") from None


def is_(status: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a task has that status."""
    return lambda task: bool(task["status"] == status)
