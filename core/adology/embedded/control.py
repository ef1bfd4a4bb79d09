"""Starting, stopping and looking at a stack from any process."""

from __future__ import annotations

import contextlib
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import psutil

from adology.embedded.home import Home, Lock, write_private
from adology.embedded.logs import read_tail
from adology.embedded.model import SERVERS, Options, Program, StackState, StartFailure
from adology.embedded.processes import find_process, get_create_time, is_alive, wait_gone
from adology.embedded.servers import AwsServer, MongoServer, PostgresServer
from adology.embedded.servers.base import check_installed
from adology.embedded.supervisor import stop_leftovers
from adology.errors import StackError

Watch = Callable[[StackState], None]
_POLL_S = 0.05
_LOG_HINT = "The whole log is"
_DETACH_S = 30.0
_KILLED_STOP_S = 10.0


def start_stack(
    home: Path,
    *,
    only: Sequence[str] = SERVERS,
    programs: Sequence[Program] = (),
    options: Options | None = None,
    timeout: float = 120.0,
    watch: Watch | None = None,
) -> StackState:
    """Start the servers of `home` and wait until all are ready; harmless when they already run.

    Args:
        home: folder of data, logs and state; made if absent.
        only: embedded servers to start.
        programs: services of ours to run beside them.
        options: the rest; its own `only` and `programs` are replaced.
        timeout: longest wait, seconds.
        watch: called with the state whenever it changes.

    Raises:
        StackError: a server cannot start, or not in time; then nothing of it is left running.
    """
    folder = Home(home)
    options = msgspec.structs.replace(options or Options(), only=tuple(only), programs=tuple(programs))
    check_servers_installed(options.only)
    folder.prepare()
    deadline = time.monotonic() + timeout
    with _only_starter(folder, deadline, timeout, watch):
        running = read_state(home)
        if running.state == "stopping":
            # A `down` of somebody else is under way: what it leaves behind is a stopped stack.
            wait_gone(running.pid, running.create_time, deadline - time.monotonic())
            running = read_state(home)
        if running.pid is not None:
            _check_same(folder, running, options)
            return _wait_ready(folder, running.token, running.pid, deadline, timeout, watch)
        write_private(folder.options_file, msgspec.json.encode(options))
        token = secrets.token_hex(8)
        pid = _launch(folder, token)
        try:
            return _wait_ready(folder, token, pid, deadline, timeout, watch)
        except BaseException:
            # A stack that did not come up whole is not left half up; this includes Ctrl-C.
            stop_stack(home, timeout=30.0)
            raise


def stop_stack(home: Path, *, timeout: float = 60.0, watch: Watch | None = None) -> StackState:
    """Stop everything that runs for `home`, programs first; harmless when nothing does.

    Args:
        home: folder of the stack.
        timeout: time for an orderly stop, seconds; what still runs then is killed.
        watch: called with the state whenever it changes.

    Returns:
        The last state; each service's `last_exit` says how it ended.
    """
    folder = Home(home)
    before = folder.read_state()
    supervisor = find_process(before.pid, before.create_time)
    if supervisor is None:
        for name, outcome in stop_leftovers(before).items():
            before.services[name].last_exit = outcome
        return _mark_stopped(before)
    with contextlib.suppress(psutil.NoSuchProcess):
        supervisor.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + timeout
    seen = b""
    while is_alive(before.pid, before.create_time) and time.monotonic() < deadline:
        seen = _notify(folder.read_state(), seen, watch)
        time.sleep(_POLL_S)
    if is_alive(before.pid, before.create_time):
        with contextlib.suppress(psutil.NoSuchProcess):
            supervisor.send_signal(signal.SIGTERM)  # the second one means: at once
        if not wait_gone(before.pid, before.create_time, _KILLED_STOP_S):
            supervisor.kill()
            wait_gone(before.pid, before.create_time, _KILLED_STOP_S)
            stop_leftovers(folder.read_state())
    final = folder.read_state()
    _notify(final, seen, watch)
    return _mark_stopped(final)


def read_state(home: Path) -> StackState:
    """What runs for `home` now, checked against the living processes.

    A state left by a killed supervisor is reported as stopped; services of it that are still
    on their way out keep their pid.
    """
    state = Home(home).read_state()
    if state.pid is not None and is_alive(state.pid, state.create_time):
        return state
    return _mark_stopped(state)


def check_servers_installed(only: Sequence[str]) -> None:
    """Raise `StackError` naming the first package that is missing for the servers in `only`."""
    for name, server in (("postgres", PostgresServer), ("mongo", MongoServer), ("aws", AwsServer)):
        if name in only:
            check_installed(server, name)


@contextlib.contextmanager
def _only_starter(folder: Home, deadline: float, timeout: float, watch: Watch | None) -> Iterator[None]:
    """Hold the right to start. Whoever comes second shows the first one's progress and waits for it."""
    lock = Lock(folder.start_lock_file)
    seen = b""
    while not lock.try_acquire():
        state = folder.read_state()
        seen = _notify(state, seen, watch)
        if time.monotonic() > deadline:
            raise _too_late(state, timeout)
        time.sleep(_POLL_S)
    try:
        yield
    finally:
        lock.release()


def _mark_stopped(state: StackState) -> StackState:
    state.pid = state.create_time = None
    state.state = "stopped"
    for service in state.services.values():
        service.state = "failed" if service.state == "failed" else "stopped"
        if not is_alive(service.pid, service.create_time):
            service.pid = service.create_time = None
    return state


def _check_same(folder: Home, running: StackState, options: Options) -> None:
    wanted = {*options.only, *(program.name for program in options.programs)}
    if wanted <= set(running.services):
        return
    missing = ", ".join(sorted(wanted - set(running.services)))
    raise StackError(
        f"a stack without {missing} already runs in {folder.root} (supervisor pid {running.pid}).",
        hint="Run `adology down` first, then start it with everything that is wanted.",
        code="ADO-5509",
    )


def _launch(folder: Home, token: str) -> int:
    for stale in folder.run.glob("failed-*"):
        stale.unlink(missing_ok=True)
    command = [sys.executable, "-m", "adology.embedded.supervisor"]
    done = subprocess.run(  # noqa: S603 - our own module
        [*command, "--home", str(folder.root), "--token", token, "--detach"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_DETACH_S,
        start_new_session=True,
        check=False,
    )
    if done.returncode != 0 or not done.stdout.strip().isdigit():
        raise StackError(
            f"the supervisor did not start: {done.stderr.decode('utf-8', 'replace').strip()}", code="ADO-5506"
        )
    return int(done.stdout)


def _wait_ready(folder: Home, token: str, pid: int, deadline: float, timeout: float, watch: Watch | None) -> StackState:
    failure = folder.failure_file(token)
    born = get_create_time(pid)
    seen = b""
    while True:
        alive = is_alive(pid, born)
        state = folder.read_state()
        if failure.exists():
            told = msgspec.json.decode(failure.read_bytes(), type=StartFailure)
            raise StackError(told.message, code=told.code)
        if state.token == token:
            seen = _notify(state, seen, watch)
            if state.is_ready:
                return state
            _check_none_failed(state)
        if not alive:
            tail = read_tail(folder.log("supervisor"))
            raise StackError(f"the supervisor ended before the servers were ready:\n{tail}", code="ADO-5506")
        if time.monotonic() > deadline:
            raise _too_late(state, timeout)
        time.sleep(_POLL_S)


def _check_none_failed(state: StackState) -> None:
    for service in state.services.values():
        if service.state == "failed":
            raise StackError(
                f"{service.name} does not start: {service.error}",
                hint=None if _LOG_HINT in service.error else f"{_LOG_HINT} {service.log}.",
                code="ADO-5506",
            )


def _too_late(state: StackState, timeout: float) -> StackError:
    late = [
        f"{s.name} ({s.state}{f', {s.error}' if s.error else ''}; log {s.log})"
        for s in state.services.values()
        if s.state != "ready"
    ]
    return StackError(
        f"not ready after {timeout:g} s: {'; '.join(late) or 'the supervisor'}.",
        hint="Give it more time with --timeout, or look at the log.",
        code="ADO-5514",
    )


def _notify(state: StackState, seen: bytes, watch: Watch | None) -> bytes:
    now = msgspec.json.encode(state)
    if watch is not None and now != seen:
        watch(state)
    return now
