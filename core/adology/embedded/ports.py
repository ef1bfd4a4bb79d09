"""Loopback ports: chosen free once, kept from then on, so that addresses stay the same."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from adology.embedded.home import Home
from adology.errors import StackError

HOST = "127.0.0.1"
_FILE = "ports.json"
_LOWEST, _HIGHEST = 15000, 31999
_TRIES = 200


def assign_ports(home: Home, names: Sequence[str], fixed: Mapping[str, int]) -> dict[str, int]:
    """A free port for each of `names`; the one of last time where that is still free.

    Args:
        home: where chosen ports are remembered.
        names: services that listen.
        fixed: ports that the user insists on.

    Raises:
        StackError: a fixed port is taken, naming the service, the port and its holder if known.
    """
    kept = {k: v for k, v in home.read_json(_FILE).items() if isinstance(v, int)}
    ports: dict[str, int] = {}
    for name in names:
        if fixed.get(name):
            _check_free(name, fixed[name])
            ports[name] = fixed[name]
    taken = set(ports.values())
    for name in names:
        if name in ports:
            continue
        port = kept.get(name)
        if port is None or port in taken or not is_free(port):
            port = choose_port(taken)
        ports[name] = port
        taken.add(port)
    home.write_json(_FILE, {**kept, **{k: v for k, v in ports.items() if not fixed.get(k)}})
    return ports


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(taken: set[int]) -> int:
    """A free port outside the range that the system gives to outgoing connections.

    A port from that range could be taken by any client while our server restarts, and a client
    that keeps trying such a port may even connect to itself.
    """
    low, high = _LOWEST, min(_HIGHEST, _ephemeral_start() - 1)
    if high - low < _TRIES:
        low, high = _LOWEST, _HIGHEST
    pick = random.SystemRandom()
    for _ in range(_TRIES):
        port = pick.randint(low, high)
        if port not in taken and is_free(port):
            return port
    raise StackError(
        f"no free port was found on {HOST} between {low} and {high} in {_TRIES} tries.",
        hint="Stop what holds them, or give fixed ports.",
        code="ADO-5502",
    )


def find_holder(port: int) -> str:
    """Who listens on `port`, as ``name (pid 12)``; empty when the system does not say."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            local = connection.laddr
            if local and local.port == port and connection.status == psutil.CONN_LISTEN and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return ""


def _check_free(name: str, port: int) -> None:
    if is_free(port):
        return
    holder = find_holder(port)
    raise StackError(
        f"port {port}, asked for by {name}, is in use{f' by {holder}' if holder else ''}.",
        hint=f"Stop its holder, give {name} another port, or leave the port out to get a free one.",
        code="ADO-5502",
    )


def _ephemeral_start() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return _HIGHEST + 1
