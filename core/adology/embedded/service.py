"""One supervised service: start, wait until it serves, watch, start again, stop in order."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from adology.embedded.logs import read_tail
from adology.embedded.model import Options, Phase, ServiceState
from adology.embedded.processes import describe_exit, get_create_time, kill_group, stop_child
from adology.embedded.servers.base import Server
from adology.embedded.spawn import spawn
from adology.errors import describe
from adology.log import logger

_FIRST_BACKOFF_S = 0.2
_LAST_BACKOFF_S = 5.0
_QUICK_DEATH_S = 2.0
"""A process that dies this soon after becoming ready died quickly."""
_PROBE_EVERY_S = 0.05
_PROBE_TIMEOUT_S = 5.0


class Service:
    """Runs one `Server` until told to stop."""

    def __init__(self, server: Server, options: Options, changed: Callable[[], None]) -> None:
        self.server = server
        self.log: Path = server.home.log(server.name)
        self.state = ServiceState(name=server.name, port=server.port, log=str(self.log))
        self.ready = asyncio.Event()
        self._options = options
        self._changed = changed
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._quick_deaths = 0

    async def run(self, after: list[Service]) -> None:
        """Live until `stop`, or until giving up; never raises for faults of the server."""
        try:
            for other in after:
                await self._unless_stopping(other.ready.wait())
            while not self._stopping.is_set():
                await self._live_once()
                if not self._stopping.is_set():
                    await self._back_off()
        except _StoppingError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the state says it and the others live on
            self._fail(describe(error))
        finally:
            self.ready.clear()
            if self.state.state != "failed":
                self._enter("stopped")

    def stop(self) -> None:
        """Ask for an orderly stop; `run` returns when it is done."""
        self._stopping.set()

    def hurry(self) -> None:
        """Do not wait out the grace period."""
        self._stopping.set()
        self._hurry.set()

    async def _live_once(self) -> None:
        """One life of the process, from preparation to its exit."""
        self.state.error = ""
        self._enter("starting" if self.state.restarts == 0 else "restarting")
        await self._unless_stopping(self.server.prepare())
        process = self._process = await spawn(
            self.server.command(),
            log=self.log,
            cwd=self.server.cwd,
            env=self.server.environment(),
            identity=self.server.identity,
            death_signal=self.server.stop_signal,
        )
        self.state.pid, self.state.create_time = process.pid, get_create_time(process.pid)
        self._changed()
        ended = asyncio.create_task(process.wait())
        try:
            problem = await self._watch(ended)
        except _StoppingError:
            self._enter("stopping")
            self.state.last_exit = await self._stop_process(process)
            raise
        finally:
            self.ready.clear()
            ended.cancel()
            if process.returncode is None:
                # Only a fault of our own leads here; the child must not outlive it, nor lose data by it.
                await stop_child(process, self.server.stop_signal, self.server.grace_s)
            self.state.pid = self.state.create_time = self.state.ready_at = None
        self.state.last_exit = problem
        kill_group(process.pid)

    async def _watch(self, ended: asyncio.Task[int]) -> str:
        """Wait for readiness, then for the exit; returns why the process is gone."""
        problem = await self._wait_ready(ended)
        if problem:
            self._quick_deaths += 1
            return problem
        self.state.ready_at = time.time()
        self._enter("ready")
        self.ready.set()
        started = time.monotonic()
        await self._unless_stopping(asyncio.shield(ended))
        died_soon = time.monotonic() - started < _QUICK_DEATH_S
        self._quick_deaths = self._quick_deaths + 1 if died_soon else 1
        return describe_exit(ended.result())

    async def _wait_ready(self, ended: asyncio.Task[int]) -> str:
        """Empty once the server serves, else why it never will in this life."""
        trying = asyncio.create_task(self._probe_until_ready())
        try:
            both = asyncio.wait(
                {trying, ended},
                timeout=self._options.start_timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            await self._unless_stopping(both)
            if trying.done():
                trying.result()
                return ""
            if ended.done():
                return f"died before it was ready, {describe_exit(ended.result())}"
            process = self._process
            if process is not None:
                await stop_child(process, self.server.stop_signal, 2.0)
            return f"not ready after {self._options.start_timeout_s:g} s ({self.state.error or 'no answer'})"
        finally:
            trying.cancel()
            await asyncio.gather(trying, return_exceptions=True)

    async def _probe_until_ready(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self.server.probe(), _PROBE_TIMEOUT_S)
            except Exception as error:  # noqa: BLE001 - whatever it raises, the server is not ready yet
                self.state.error = f"last probe: {describe(error)}"[:300]
                await asyncio.sleep(_PROBE_EVERY_S)
            else:
                break
        await self.server.provision()
        self.state.error = ""

    async def _back_off(self) -> None:
        """Pause before the next life, longer each time, or give up."""
        exit_ = self.state.last_exit
        logger.warning("service ended", service=self.server.name, reason=exit_, deaths=self._quick_deaths)
        if self._quick_deaths >= self._options.max_quick_deaths:
            self._fail(f"gave up after {self._quick_deaths} quick deaths in a row; the last: {exit_}")
            raise _StoppingError
        self.state.restarts += 1
        self._enter("restarting")
        pause = min(_LAST_BACKOFF_S, _FIRST_BACKOFF_S * 2 ** max(0, self._quick_deaths - 1))
        await self._unless_stopping(asyncio.sleep(pause))

    async def _stop_process(self, process: asyncio.subprocess.Process) -> str:
        orderly = asyncio.create_task(stop_child(process, self.server.stop_signal, self.server.grace_s))
        hurried = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({orderly, hurried}, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not orderly.done():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        return await orderly

    def _fail(self, message: str) -> None:
        tail = read_tail(self.log)
        self.state.error = f"{message}\n{tail}".strip() if tail else message
        logger.error("service failed", service=self.server.name, reason=message)
        self._enter("failed")

    def _enter(self, state: Phase) -> None:
        self.state.state = state
        logger.info("service state", service=self.server.name, state=state, pid=self.state.pid)
        self._changed()

    async def _unless_stopping(self, work: Awaitable[Any]) -> None:
        """Wait for `work`; raise as soon as the service is to stop."""
        task = asyncio.ensure_future(work)
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise _StoppingError
            task.result()
        finally:
            stopping.cancel()
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


class _StoppingError(Exception):
    """The wait was cut short because the service is to stop, or has given up."""
