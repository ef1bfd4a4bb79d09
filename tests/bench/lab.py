"""The servers, and programs on them: each with a database, bucket and queues of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from adology.embedded import Options, read_state, start_stack, stop_stack
from adology.settings import AdologySettings, load_settings
from tests.conftest import HEAVY
from tests.system.conftest import Stack, _discard, _make_template, _provision

ROOT = Path(__file__).resolve().parents[2]
READY_S = 60.0
STOP_S = 30.0
POLL_S = 0.02


class BenchError(Exception):
    """A measurement cannot be made, or a side did not do its work: its number would mean nothing."""


class Program:
    """A process with its output in a file. Ready once `ready` stands there."""

    def __init__(self, argv: list[str], log: Path, ready: str, env: Mapping[str, str] | None = None) -> None:
        self._log = log
        self._ready = ready
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=out, stderr=out, cwd=ROOT, env={**os.environ, **(env or {})}
            )
        self.pid = self._process.pid

    def say(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    async def wait_line(self, text: str, *, timeout_s: float = READY_S) -> str:
        """The first line with `text`."""
        deadline = time.monotonic() + timeout_s
        while True:
            for line in self._log.read_text(errors="replace").splitlines(keepends=True):
                if text in line and line.endswith("\n"):
                    return line
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = self._log.read_text(errors="replace")[-2000:]
                raise BenchError(f"{self._log.name} did not say {text!r} (exit {self._process.poll()}):\n{tail}")
            await asyncio.sleep(POLL_S)

    async def wait_file(self, path: Path, *, timeout_s: float) -> None:
        """Until it has written `path`."""
        deadline = time.monotonic() + timeout_s
        while not path.exists():  # noqa: ASYNC240 - a stat
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = self._log.read_text(errors="replace")[-2000:]
                raise BenchError(f"{path.name} was not written (exit {self._process.poll()}):\n{tail}")
            await asyncio.sleep(POLL_S)

    async def ready(self, *, timeout_s: float = READY_S) -> str:
        """The line that said it is ready."""
        return await self.wait_line(self._ready, timeout_s=timeout_s)

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL when that does not help."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Lab:
    """What measurements run on: the embedded servers and a folder."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self._count = 0

    def server_pids(self) -> list[int]:
        """The roots of the servers' process trees."""
        return [s.pid for s in read_state(self.stack.home).services.values() if s.pid is not None]

    def new_folder(self, name: str) -> Path:
        """An empty folder."""
        self._count += 1
        path = self.folder / f"{self._count:03}-{name}"
        path.mkdir(parents=True)
        return path

    @contextlib.contextmanager
    def database(self) -> Iterator[AdologySettings]:
        """Settings of a new, migrated database; no bucket, no queues."""
        done = False
        try:
            with self.stack.fresh() as settings:
                yield settings
                done = True
        except psycopg.errors.InsufficientPrivilege:
            # Autovacuum works in it, and is not ours to end. The database goes with the servers.
            if not done:
                raise

    @contextlib.asynccontextmanager
    async def space(self) -> AsyncIterator[AdologySettings]:
        """Settings of a new database, bucket and queues, gone afterwards."""
        with self.database() as settings:
            await _provision(settings)
            try:
                yield settings
            finally:
                await _discard(settings)

    @contextlib.asynccontextmanager
    async def command(
        self, settings: AdologySettings, arguments: list[str], ready: str, *, timeout_s: float = READY_S
    ) -> AsyncIterator[tuple[Program, str]]:
        """``adology …`` with these settings, as its users run it, and the line that said it is ready."""
        folder = self.new_folder(arguments[0])
        config = folder / "adology.toml"
        config.write_text(as_toml(settings), "utf-8")
        argv = [sys.executable, "-m", "adology.cli", "--config", str(config), *arguments]
        async with self._running(Program(argv, folder / "log", ready), timeout_s) as found:
            yield found

    @contextlib.asynccontextmanager
    async def module(
        self,
        name: str,
        arguments: list[str],
        ready: str,
        *,
        say: str = "",
        env: Mapping[str, str] | None = None,
        timeout_s: float = READY_S,
    ) -> AsyncIterator[tuple[Program, str]]:
        """``python -m name …``, told `say`, and the line that said it is ready, or done."""
        log = self.new_folder(name.rpartition(".")[2]) / "log"
        program = Program([sys.executable, "-m", name, *arguments], log, ready, env)
        if say:
            program.say(say)
        async with self._running(program, timeout_s) as found:
            yield found

    @contextlib.asynccontextmanager
    async def registry(self, settings: AdologySettings) -> AsyncIterator[tuple[AdologySettings, int]]:
        """The settings with the address of a registry of their own, and its pid."""
        free = msgspec.structs.replace(settings, registry=msgspec.structs.replace(settings.registry, port=0))
        async with self.command(free, ["registry"], '"address"') as (program, line):
            address = json.loads(line)["address"]
            own = msgspec.structs.replace(settings.registry, url=address)
            yield msgspec.structs.replace(settings, registry=own), program.pid

    @contextlib.asynccontextmanager
    async def _running(self, program: Program, timeout_s: float = READY_S) -> AsyncIterator[tuple[Program, str]]:
        try:
            yield program, await program.ready(timeout_s=timeout_s)
        finally:
            await asyncio.to_thread(program.stop)


@contextlib.contextmanager
def open_lab() -> Iterator[Lab]:
    """Servers in a new folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="adology-bench-") as name:
        home = Path(name) / "stack"
        home.mkdir()
        start_stack(home, options=Options(owner=os.getpid(), provision=False))
        try:
            stack = Stack(
                home, load_settings(overrides={"home": str(home), "plugins": {"without": HEAVY}}, env={}, cwd=home)
            )
            _make_template(stack)
            yield Lab(stack, Path(name))
        finally:
            stop_stack(home)


def as_toml(settings: AdologySettings) -> str:
    """Settings as the file that a program reads them from."""
    lines: list[str] = []
    _add_table(lines, (), {**msgspec.to_builtins(settings), "log": {"level": "INFO", "format": "json"}})
    return "\n".join(lines) + "\n"


def _add_table(lines: list[str], path: tuple[str, ...], values: Mapping[str, Any]) -> None:
    if path:
        lines.append("[" + ".".join(json.dumps(part) for part in path) + "]")
    tables = {key: value for key, value in values.items() if isinstance(value, dict)}
    # JSON's strings, numbers, booleans and arrays are TOML's.
    plain = {key: value for key, value in values.items() if key not in tables and value is not None}
    lines.extend(f"{key} = {json.dumps(value)}" for key, value in plain.items())
    for key, value in tables.items():
        _add_table(lines, (*path, key), value)
