"""One event to thousands of WebSocket clients of one organisation, beside a broadcaster with Node's `ws`."""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import msgspec

from adology.settings import AdologySettings
from adology_server.callers import TICKET, digest, make_secret
from tests.bench.lab import ROOT, Lab, Program
from tests.bench.meter import cpu_s
from tests.bench.model import Goal, Line, Size, ratios
from tests.server.live_rig import add_task
from tests.server.rig import LINKS, Client, World, log_in

GROUP = "fan-out"
HERE = Path(__file__).parent / "node"
PACKAGES = ROOT / ".build" / "bench-node"
"""Where `make bench` installs `ws`."""
GOAL = Goal(sense="at most", limit=1.3)
PEER = "Node ws"
WARM = 3


class Side(NamedTuple):
    """A server with its clients."""

    listeners: Program
    pid: int
    request: str
    """The id that its notices name."""


async def measure_fanout(lab: Lab, size: Size) -> list[Line]:
    """Lines of this group."""
    absent = why_absent()
    ours: list[float] = []
    peers: list[float] = []
    spent: list[float] = []
    peer_spent: list[float] = []
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(_server(lab, size.listeners))
        peer = None if absent else await stack.enter_async_context(_peer(lab, size.listeners))
        for rep in range(size.reps):
            before = [cpu_s([side.pid]) for side in (server, peer or server)]
            pairs = [await _pair(server, peer, f"r{rep}n{number}x") for number in range(WARM + size.rounds)]
            events = len(pairs) * size.listeners
            spent.append((cpu_s([server.pid]) - before[0]) / events * 1e6)
            ours.append(statistics.median(pair[0] for pair in pairs[WARM:]) * 1000)
            if peer is not None:
                peers.append(statistics.median(pair[1] for pair in pairs[WARM:]) * 1000)
                peer_spent.append((cpu_s([peer.pid]) - before[1]) / events * 1e6)
    clients = f"{size.listeners} clients"
    lines = [
        Line(group=GROUP, what=f"POST /notify until the last of {clients} has it", unit="ms", samples=tuple(ours)),
        Line(group=GROUP, what="CPU of the server", unit="us/client", samples=tuple(spent)),
    ]
    if peer is None:
        return [*lines, Line(group=GROUP, what=PEER, note=absent)]
    return [
        *lines,
        Line(group=GROUP, what=f"{PEER}, the same", unit="ms", samples=tuple(peers)),
        Line(group=GROUP, what=f"{PEER}, CPU", unit="us/client", samples=tuple(peer_spent)),
        Line(group=GROUP, what=f"beside {PEER}", unit="of its time", samples=_beside(ours, peers), goal=GOAL),
    ]


def _beside(ours: list[float], peers: list[float]) -> tuple[float, ...]:
    return ratios(tuple(ours), tuple(peers))


def why_absent(packages: Path = PACKAGES) -> str:
    """Why the peer cannot be measured here; empty if it can."""
    if shutil.which("node") is None:
        return "not measured: Node is not installed"
    if not (packages / "node_modules" / "ws").is_dir():
        return "not measured: ws is not installed; `make bench` does that where npm is"
    return ""


async def _pair(server: Side, peer: Side | None, word: str) -> tuple[float, float]:
    """One event at both, one after the other."""
    return await _round(server, word), await _round(peer, word) if peer is not None else 0.0


async def _round(side: Side, word: str) -> float:
    notice = {"request_id": side.request, "status": "processing", "progress": {"word": word, "about": "x" * 60}}
    side.listeners.say(f"{word} {json.dumps(notice, separators=(',', ':'))}")
    return float((await side.listeners.wait_line(f"{word} took ")).split()[-1])


@contextlib.asynccontextmanager
async def _server(lab: Lab, count: int) -> AsyncIterator[Side]:
    with lab.database() as given, contextlib.closing(LINKS):
        settings = _settings(given, count)
        world = World(settings)
        world.add_org("acme")
        world.add_user("acme", "owner@acme.example")
        world.add_brands("nike")
        async with lab.command(settings, ["server"], '"address"') as (program, line), aiohttp.ClientSession() as http:
            address = json.loads(line)["address"]
            await log_in(Client(http, address), "owner@acme.example")
            tickets = [make_secret(TICKET) for _ in range(count)]
            world.rows(
                "insert into ws_tickets (ticket_hash, org_id, user_id, session_id, expires_at)"
                " select hash, org_id, user_id, id, now() + interval '1 hour' from sessions, unnest(%s) as hash",
                [[digest(ticket) for ticket in tickets]],
            )
            headers = {"authorization": f"Bearer {world.add_service()}"}
            paths = [f"/v1/ws?ticket={ticket}" for ticket in tickets]
            async with _listening(lab, address, paths, headers) as listeners:
                yield Side(listeners, program.pid, add_task(world))


def _settings(given: AdologySettings, count: int) -> AdologySettings:
    replace = msgspec.structs.replace
    # Without pings, whose answers would come between; the peer sends none either.
    own = replace(given.server, port=0, sockets_per_user=count, ping_s=3600.0)
    return replace(given, server=own)


@contextlib.asynccontextmanager
async def _peer(lab: Lab, count: int) -> AsyncIterator[Side]:
    node = shutil.which("node") or "node"
    log = lab.new_folder("node") / "log"
    program = Program([node, str(HERE / "broadcaster.mjs"), str(PACKAGES)], log, '"address"')
    try:
        address = json.loads(await program.ready())["address"]
        async with _listening(lab, address, ["/"] * count, {}) as listeners:
            yield Side(listeners, program.pid, "2f1c9a52-3a0e-4a53-9c39-5a1d8a9f7b10")
    finally:
        program.stop()


@contextlib.asynccontextmanager
async def _listening(lab: Lab, address: str, paths: list[str], headers: dict[str, Any]) -> AsyncIterator[Program]:
    where = urlsplit(address)
    job = json.dumps({"host": where.hostname, "port": where.port, "paths": paths, "headers": headers})
    async with lab.module("tests.bench.listeners", [], "ready", say=job) as (program, _):
        yield program
