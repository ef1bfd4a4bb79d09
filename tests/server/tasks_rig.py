"""The runner of tasks beside a server: in this process, or in one that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from adology.settings import AdologySettings
from adology_server.tasks.runner import run_tasks
from tests.server.rig import Client, World
from tests.system.rig import wait_until


def quick(settings: AdologySettings, **changes: Any) -> AdologySettings:
    """Short leases and polls: what is lost comes back within seconds."""
    replace = msgspec.structs.replace
    return replace(
        settings,
        queues=replace(settings.queues, visibility_s=6, wait_s=1),
        server=replace(settings.server, task_lease_s=2.0, **changes),
    )


@contextlib.asynccontextmanager
async def running(settings: AdologySettings, **how: Any) -> AsyncIterator[None]:
    """A runner of this process for the length of the block."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_tasks(settings, stop, **how))
    try:
        yield
    finally:
        stop.set()
        await task


STALL_LOCK = 77
_STALLED = (
    "from pg_locks where objid = %s and locktype = 'advisory' and not granted"
    " and database = (select oid from pg_database where datname = current_database())"  # others test on this server too
)


class Stall:
    """Whoever makes a certain change of a row waits in the middle of it, until the block ends."""

    def __init__(self, world: World, link: psycopg.Connection[Any]) -> None:
        self._world = world
        self._link = link

    def release(self) -> None:
        """Let them go on."""
        self._link.execute("select pg_advisory_unlock_all()")

    async def wait(self) -> None:
        """Return once somebody waits."""
        waiting = "select pid " + _STALLED
        await wait_until(lambda: self._world.rows(waiting, [STALL_LOCK]), "somebody is stalled", timeout_s=60)

    def end(self) -> None:
        """End the connections of those who wait, as the end of their process does in a while: nothing is written."""
        self._world.rows("select pg_terminate_backend(pid) " + _STALLED, [STALL_LOCK])


@contextlib.contextmanager
def stalling(world: World, change: str, when: str, table: str = "tasks") -> Iterator[Stall]:
    """A trigger before `change` (such as `update of progress`) where `when` holds of the row."""
    world.rows(
        "create function stall() returns trigger language plpgsql as $$ begin"
        f" perform pg_advisory_xact_lock({STALL_LOCK}); return new; end $$;"
        f" create trigger stall before {change} on {table} for each row when ({when}) execute function stall()"
    )
    with psycopg.connect(world.url, autocommit=True) as link:
        link.execute("select pg_advisory_lock(%s)", [STALL_LOCK])
        yield Stall(world, link)
    world.rows(f"drop trigger stall on {table}; drop function stall")


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
        "S3__MULTIPART_THRESHOLD_BYTES": settings.s3.multipart_threshold_bytes,
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

    async def wait_line(self, containing: str, *, timeout_s: float = 60.0) -> str:
        """The first line of its log with that text."""
        async with asyncio.timeout(timeout_s):
            while True:
                for line in self._log.read_text("utf-8").splitlines():
                    if containing in line:
                        return line
                assert self._popen.poll() is None, f"the process ended without {containing!r}"
                await asyncio.sleep(0.05)


@contextlib.contextmanager
def process(settings: AdologySettings, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[Program]:
    """A command of ours in a process of its own, which is killed at the end if it is still there."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as stderr:
            command = [sys.executable, "-m", "adology.cli", *arguments]
            whole = {**environment(settings), **(env or {})}
            popen = subprocess.Popen(command, env=whole, stdout=subprocess.DEVNULL, stderr=stderr)
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
