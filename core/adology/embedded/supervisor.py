"""The supervisor: ``python -m adology.embedded.supervisor --home DIR --token NAME [--detach]``.

It owns the processes of one home: starts them, starts again what dies, writes ``state.json``, and
stops them in order on SIGTERM. If it is killed itself, the system tells its children to stop.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from adology.embedded.home import Home, Lock, write_private
from adology.embedded.logs import open_log, turn_over
from adology.embedded.model import SERVERS, Options, StackState, StartFailure
from adology.embedded.ports import assign_ports
from adology.embedded.processes import get_create_time, is_alive, stop_process
from adology.embedded.servers import AwsServer, MongoServer, PostgresServer, ProgramServer, Server
from adology.embedded.service import Service
from adology.embedded.stackfile import write_stack_file
from adology.errors import StackError, describe
from adology.log import logger, setup_logging

_HOUSEKEEPING_S = 1.0
_LEFTOVER_GRACE_S = 10.0
_LOCK_WAIT_S = 10.0
_LOCK_POLL_S = 0.05


class Supervisor:
    """Runs the services of one home until told to stop."""

    def __init__(self, home: Home, options: Options, token: str) -> None:
        pid = os.getpid()
        self._home = home
        self._options = options
        self._state = StackState(token=token, pid=pid, create_time=get_create_time(pid), state="starting")
        self._services: dict[str, Service] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Start everything, wait for the signal to stop, stop everything.

        Raises:
            StackError: the stack cannot start at all (ports, names).
        """
        stop_leftovers(self._home.read_state())
        self._services = self._make_services()
        self._state.services = {name: service.state for name, service in self._services.items()}
        self._write_state()
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, self._on_signal)
        for name, service in self._services.items():
            after = [self._services[other] for other in service.server.after if other in self._services]
            self._tasks[name] = asyncio.create_task(service.run(after), name=name)
        keeper = asyncio.create_task(self._keep_house())
        await self._stop.wait()
        await self._stop_all()
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        self._state.state = "stopped"
        self._state.pid = self._state.create_time = None
        self._write_state()

    def _make_services(self) -> dict[str, Service]:
        options, home = self._options, self._home
        names = [name for name in SERVERS if name in options.only]
        programs = {program.name: program for program in options.programs}
        _check_names(options, programs)
        fixed = {**{p.name: p.port for p in programs.values() if p.port}, **options.ports}
        listening = [*names, *(p.name for p in programs.values() if p.port is not None)]
        ports = assign_ports(home, listening, fixed)
        servers = [_make_server(name, home, ports[name], options) for name in names]
        servers += [ProgramServer(p, home, ports.get(p.name), tuple(names)) for p in programs.values()]
        settings: dict[str, str] = {}
        for server in servers:
            settings.update(server.settings())
        write_stack_file(home, settings)
        return {server.name: Service(server, options, self._write_state) for server in servers}

    async def _stop_all(self) -> None:
        """Stop each service after those that need it."""
        self._state.state = "stopping"
        self._write_state()
        needed_by: dict[str, list[str]] = {name: [] for name in self._services}
        for name, service in self._services.items():
            for other in service.server.after:
                if other in needed_by:
                    needed_by[other].append(name)

        async def stop(name: str) -> None:
            await asyncio.gather(*(self._tasks[user] for user in needed_by[name]), return_exceptions=True)
            self._services[name].stop()
            await self._tasks[name]

        await asyncio.gather(*(stop(name) for name in self._services), return_exceptions=True)

    async def _keep_house(self) -> None:
        """Bound the logs, watch the disk, and stop when the process we belong to is gone."""
        owner = self._options.owner
        born = get_create_time(owner) if owner else None
        while True:
            if not self._home.root.is_dir():
                logger.error("home is gone", home=str(self._home.root))
                self._stop.set()
                return
            if owner and not is_alive(owner, born):
                logger.info("owner is gone", pid=owner)
                self._stop.set()
                return
            for log in self._home.logs.glob("*.log"):
                turn_over(log, self._options.log_bytes)
            low = self._home.find_low_disk()
            if [low] * bool(low) != self._state.warnings or self._home.read_state().token != self._state.token:
                self._state.warnings = [low] * bool(low)
                self._write_state()
            await asyncio.sleep(_HOUSEKEEPING_S)

    def _on_signal(self) -> None:
        if self._stop.is_set():
            for service in self._services.values():
                service.hurry()
        self._stop.set()

    def _write_state(self) -> None:
        services = self._state.services.values()
        if self._state.state in ("starting", "ready", "failed"):
            if any(service.state == "failed" for service in services):
                self._state.state = "failed"
            else:
                ready = all(service.state == "ready" for service in services)
                self._state.state = "ready" if ready else "starting"
        try:
            write_private(self._home.state_file, msgspec.json.encode(self._state), durable=False)
        except OSError as error:
            # A full disk must not take the servers down; `_keep_house` writes it again.
            logger.error("state not written", error=describe(error))


def stop_leftovers(state: StackState) -> dict[str, str]:
    """Stop what a killed supervisor left behind; programs before servers. Outcome by service."""
    found: dict[str, str] = {}
    order = sorted(state.services.values(), key=lambda service: service.name in SERVERS)
    for service in order:
        if service.pid is None or service.create_time is None:
            continue
        if not is_alive(service.pid, service.create_time):
            continue
        sign = signal.SIGINT if service.name == "postgres" else signal.SIGTERM
        found[service.name] = stop_process(service.pid, service.create_time, sign, _LEFTOVER_GRACE_S)
        logger.warning("stopped a leftover", service=service.name, pid=service.pid, outcome=found[service.name])
    return found


def _make_server(name: str, home: Home, port: int, options: Options) -> Server:
    if name == "postgres":
        return PostgresServer(name, home, port)
    if name == "mongo":
        return MongoServer(name, home, port)
    return AwsServer(name, home, port, provision=options.provision)


def _check_names(options: Options, programs: Mapping[str, object]) -> None:
    unknown = [name for name in options.only if name not in SERVERS]
    if unknown:
        raise StackError(
            f"there is no embedded server {unknown[0]!r}.",
            hint=f"Known: {', '.join(SERVERS)}.",
            code="ADO-5508",
        )
    if len(programs) != len(options.programs) or set(programs) & set(SERVERS):
        names = ", ".join(program.name for program in options.programs)
        raise StackError(f"program names must be unique and unlike the servers' own; got {names}.", code="ADO-5508")


def main() -> None:
    """Run a supervisor; faults at the start are left where the starter looks for them."""
    parser = argparse.ArgumentParser(prog="adology.embedded.supervisor", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--detach", action="store_true")
    given = parser.parse_args()
    home = Home(given.home)
    if given.detach:
        _detach(home)
    setup_logging(level="INFO", style="json", service="supervisor")
    lock = Lock(home.lock_file)
    try:
        _acquire(lock, home)
        options = msgspec.json.decode(home.options_file.read_bytes(), type=Options)
        asyncio.run(Supervisor(home, options, given.token).run())
    except (StackError, OSError, msgspec.DecodeError) as error:
        logger.error("supervisor failed", error=describe(error))
        code = error.code if isinstance(error, StackError) else "ADO-5506"
        told = StartFailure(message=describe(error), code=code)
        write_private(home.failure_file(given.token), msgspec.json.encode(told))
        sys.exit(1)
    finally:
        lock.release()


def _acquire(lock: Lock, home: Home) -> None:
    """Wait a little: a supervisor that has just been stopped is still on its way out."""
    deadline = time.monotonic() + _LOCK_WAIT_S
    while not lock.try_acquire():
        if time.monotonic() > deadline:
            raise StackError(
                f"another supervisor is at work on {home.root}.",
                hint="`adology down` stops it.",
                code="ADO-5509",
            )
        time.sleep(_LOCK_POLL_S)


def _detach(home: Home) -> None:
    """Continue as a grandchild that nobody waits for, and say its pid on standard output."""
    child = os.fork()
    if child:
        os.write(1, str(child).encode())
        os._exit(0)
    with contextlib.suppress(PermissionError):
        os.setsid()
    log = open_log(home.log("supervisor"))
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(log)
    os.close(null)


if __name__ == "__main__":
    main()
