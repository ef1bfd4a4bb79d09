"""What the stack is told and what it reports: plain structs, stored as JSON in the home folder."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import field

SERVERS = ("postgres", "mongo", "aws")
"""The embedded servers, in the order in which they are shown."""

Phase = Literal["waiting", "starting", "ready", "restarting", "failed", "stopping", "stopped"]


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A service of ours that the supervisor runs from a plain command line.

    ``{port}`` and ``{home}`` in `argv`, `env` and `settings` are replaced when it starts.

    Attributes:
        name: unique, lower case; names the log file.
        argv: command line; the first entry is an absolute path or found on PATH.
        env: variables added to the supervisor's own.
        port: None for a program that listens nowhere; 0 for a free port that is kept from then
            on; another number for exactly that port.
        health: path that answers 2xx when the program is ready, such as ``/healthz``. Without
            it (or without a port) a program counts as ready once it has lived `settle_s` seconds.
        after: services that must be ready first. Empty means all embedded servers.
        settle_s: see `health`.
        grace_s: time between SIGTERM and SIGKILL, seconds.
        settings: dotted settings that go to ``stack.toml``, such as ``registry.url``.
    """

    name: str
    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    port: int | None = None
    health: str = ""
    after: tuple[str, ...] = ()
    settle_s: float = 0.5
    grace_s: float = 30.0
    settings: dict[str, str] = field(default_factory=dict)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a stack runs.

    Attributes:
        only: embedded servers to start.
        programs: services of ours, started when the servers they need are ready.
        ports: fixed ports by service name; the others get free ones that are kept.
        provision: create the bucket and the queues whenever the emulator (re)starts.
        start_timeout_s: longest time for one service to become ready, seconds.
        max_quick_deaths: deaths in a row, each soon after the start, before giving up.
        owner: pid of a process; the stack stops when that process is gone.
        log_bytes: size at which a log file is turned over; one older file is kept.
    """

    only: tuple[str, ...] = SERVERS
    programs: tuple[Program, ...] = ()
    ports: dict[str, int] = field(default_factory=dict)
    provision: bool = True
    start_timeout_s: float = 60.0
    max_quick_deaths: int = 5
    owner: int | None = None
    log_bytes: int = 10 * 1024 * 1024


class ServiceState(msgspec.Struct, kw_only=True):
    """One service as the supervisor sees it. `create_time` tells a reused pid from ours."""

    name: str
    state: Phase = "waiting"
    pid: int | None = None
    create_time: float | None = None
    port: int | None = None
    restarts: int = 0
    ready_at: float | None = None
    last_exit: str = ""
    error: str = ""
    log: str = ""


class StartFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a supervisor ended at once, for whoever started it."""

    message: str
    code: str


class StackState(msgspec.Struct, kw_only=True):
    """The whole stack; `token` names one run of the supervisor."""

    token: str = ""
    pid: int | None = None
    create_time: float | None = None
    state: Phase = "stopped"
    error: str = ""
    warnings: list[str] = field(default_factory=list)
    services: dict[str, ServiceState] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Whether every service is ready."""
        return self.state == "ready" and all(s.state == "ready" for s in self.services.values())
