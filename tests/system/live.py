"""A whole stack as `adology up` runs it, of real processes that tests kill, and what they hold up in it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psutil
import psycopg

from adology.embedded import Options, Program, read_state, start_stack, stop_stack
from adology.embedded.processes import wait_gone
from adology.engine.model import Batch
from adology.log import logger
from adology.migrations import migrate
from adology.runtime import open_engine
from adology.runtime.engine import Engine
from adology.settings import AdologySettings, load_settings
from adology.types import Brand
from tests.conftest import HEAVY
from tests.system import rig
from tests.system.live_vendors import MEDIA, Case, Vendors
from upstreams.meta import USER_TOKEN

with warnings.catch_warnings():
    # typer 0.24 still imports names that click 8.5 deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    from adology.cli.stack import make_programs

BRANDS = 20
WORKERS = ("worker-1", "worker-2")
CONFIG = """
[log]
level = "DEBUG"
format = "json"
[queues]
visibility_s = 6
wait_s = 1
[registry]
commit_lease_s = 4.0
[worker]
concurrency = 3
prefetch = 1
gather_lease_s = 4.0
analysis_lease_s = 6.0
item_timeout_s = 40.0
drain_s = 5.0
[plugins]
without = {without}
[steward]
interval_s = 0.5
stalled_after_s = 5.0
outbox_after_s = 0.5
[fetch]
stand_ins = ["{media}"]
[sources.facebook]
token = "env:LIVE_META_TOKEN"
base_url = "{meta}"
site_url = "{meta}"
countries = ["DE"]
limit = 5
snapshot_interval_s = 0.0
calls_per_hour = 1000000
burst = 1000
backoff_s = 0.1
"""
AUDIT = """
create table commits_seen (batch_id text not null, at timestamptz not null default now());
create function note_commit() returns trigger language plpgsql as
    $$ begin insert into commits_seen (batch_id) values (new.id); return null; end $$;
create trigger note_commit after update of state on batches for each row
    when (new.state = 'committed') execute function note_commit();
create function wait_at_gate() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock_shared(1); return new; end $$;
create trigger wait_at_gate before update of state on analyses for each row
    when (new.state <> 'pending') execute function wait_at_gate();
"""
"""Counts every transaction that declares a batch committed; results of analyses pass a gate that tests can shut."""
SHUT_GATE = "select pg_advisory_lock(1)"
IN_FLIGHT = timedelta(seconds=1)
"""A statement that a dead process sent may still take effect for this long."""


class Strike(msgspec.Struct, frozen=True):
    """One blow: when it fell, the services that were hit, and the processes to be replaced."""

    at: datetime
    names: frozenset[str]
    pids: dict[str, int]

    @property
    def hit_worker(self) -> bool:
        """Whether a worker was hit, with whatever it had in hand."""
        return not self.names.isdisjoint(WORKERS)

    def fell_between(self, begun: datetime, ended: datetime) -> bool:
        """Whether work from `begun` to `ended` was under way when the blow fell."""
        return begun <= self.at + IN_FLIGHT and ended >= self.at


class Live:
    """The running stack; `LiveRun` is one gathering in it."""

    def __init__(self, home: Path, vendors: Vendors) -> None:
        self.home = home
        self.vendors = vendors
        self.config = home / "live.toml"
        media, meta = vendors.media.origin, vendors.meta.origin
        self.config.write_text(CONFIG.format(media=media.removeprefix("http://"), meta=meta, without=json.dumps(HEAVY)))

    @property
    def settings(self) -> AdologySettings:
        """The settings that the stack's own processes have."""
        return load_settings(self.config, overrides={"home": str(self.home)}, env={}, cwd=self.home)

    def start(self) -> None:
        """Start whatever does not run."""
        env = {"ADOLOGY_CONFIG": str(self.config), "LIVE_META_TOKEN": USER_TOKEN}
        programs: list[Program] = make_programs(self.settings, len(WORKERS))
        start_stack(
            self.home,
            programs=[msgspec.structs.replace(program, env={**program.env, **env}) for program in programs],
            options=Options(owner=os.getpid(), log_bytes=200 * 1024 * 1024),
        )

    def audit(self) -> None:
        """Put the tests' own triggers into the database."""
        migrate(self.settings.postgres.url)
        with psycopg.connect(self.settings.postgres.url, autocommit=True) as link:
            link.execute(AUDIT)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the database, read past the engine."""
        return rig.rows(self.settings, query, *values)

    def pid(self, name: str) -> int:
        """The process of a service.

        Raises:
            AssertionError: it does not run.
        """
        found = read_state(self.home).services[name].pid
        assert found is not None, f"{name} does not run"
        return found

    def kill(self, *names: str, children: bool = False) -> Strike:
        """Kill these services' processes, and with `children` all that they started, at once."""
        pids = {name: self.pid(name) for name in names}
        doomed = [*pids.values()]
        if children:
            doomed += [child.pid for pid in pids.values() for child in psutil.Process(pid).children(recursive=True)]
        return _strike(pids, doomed)

    def kill_everything(self) -> Strike:
        """Kill the supervisor with everything it started. Frozen first, it can start nothing again meanwhile."""
        state = read_state(self.home)
        assert state.pid is not None
        os.kill(state.pid, signal.SIGSTOP)
        pids = {name: service.pid for name, service in state.services.items() if service.pid is not None}
        children = [child.pid for child in psutil.Process(state.pid).children(recursive=True)]
        strike = _strike(pids, [*children, state.pid])
        assert wait_gone(state.pid, state.create_time, 10.0)
        return strike

    async def wait_restarted(self, strike: Strike) -> None:
        """Return once every service that was hit is ready as another process, and the whole stack with it."""

        def is_back() -> bool:
            state = read_state(self.home)
            fresh = all(state.services[name].pid not in {None, pid} for name, pid in strike.pids.items())
            return fresh and state.is_ready

        await rig.wait_until(is_back, f"{', '.join(strike.pids)} started again", timeout_s=40)

    @contextlib.contextmanager
    def locked(self, statement: str, *values: Any) -> Iterator[None]:
        """Hold the locks of a statement inside the block; the server may be killed meanwhile."""
        link = psycopg.connect(self.settings.postgres.url)
        try:
            link.execute(statement.encode(), values)
            yield
        finally:
            with contextlib.suppress(psycopg.Error):
                link.rollback()
            link.close()

    def blocked(self, statement: str) -> set[str]:
        """The services that wait for a lock in a statement like this one, by the ports of their connections."""
        found = self.rows(
            "select client_port from pg_stat_activity where datname = current_database() and query ilike %s"
            " and cardinality(pg_blocking_pids(pid)) > 0",
            f"%{statement}%",
        )
        ports = {row[0] for row in found}
        return {name for name in (*WORKERS, "steward") if ports & self._ports(name)}

    def _ports(self, name: str) -> set[int]:
        """The local ports of a service's connections; none of one that does not run."""
        pid = read_state(self.home).services[name].pid
        try:
            return {c.laddr.port for c in psutil.Process(pid).net_connections("tcp") if c.laddr} if pid else set()
        except psutil.NoSuchProcess:
            return set()


class LiveRun:
    """One brand's gathering in the running stack."""

    def __init__(self, live: Live, engine: Engine, case: Case) -> None:
        self.live = live
        self.engine = engine
        self.case = case
        self.request = f"live-{case.id}"
        self.strikes: list[Strike] = []

    async def begin(self) -> None:
        """Ask for the gathering."""
        await self.engine.catalogue.put_brand(
            Brand(id=self.case.id, handles={"facebook": (self.case.brand.meta_page_id,)})
        )
        await rig.ask(self.engine, self.request, self.case.id)

    async def batch(self) -> Batch | None:
        """The gathering's batch, once there is one."""
        return await self.engine.ledger.find_request(self.case.id, self.request)

    async def wait_queued(self) -> Batch:
        """The batch, once all its URLs are in the queue."""

        async def is_queued() -> bool:
            found = await self.batch()
            return found is not None and found.queued_at is not None

        await rig.wait_until(is_queued, "the batch is queued")
        found = await self.batch()
        assert found is not None
        return found

    @contextlib.asynccontextmanager
    async def commit_held(self) -> AsyncIterator[Batch]:
        """Gather and acquire; the commit waits for the ledger row as long as the block lasts.

        Results may still be written meanwhile: their foreign key does not mind this lock.
        """
        self.live.vendors.hold(MEDIA)
        await self.begin()
        batch = await self.wait_queued()
        with self.live.locked("select 1 from batches where id = %s for no key update", batch.id):
            self.live.vendors.release()
            yield batch

    async def wait_held(self, count: int) -> None:
        """Return once that many requests wait at the vendor."""
        await rig.wait_until(lambda: self.live.vendors.held() >= count, f"{count} requests are held")

    async def wait_blocked(self, statement: str, *, besides: set[str] = frozenset()) -> set[str]:  # type: ignore[assignment]  # an empty default
        """The services that wait for a lock in such a statement, once one more than `besides` does."""
        await rig.wait_until(
            lambda: self.live.blocked(statement) - besides, f"a process waits for a lock in {statement!r}", timeout_s=40
        )
        return self.live.blocked(statement) - besides

    def kill(self, *names: str, children: bool = False) -> Strike:
        """As `Live.kill`, remembered for the promises."""
        self.strikes.append(self.live.kill(*names, children=children))
        return self.strikes[-1]

    @contextlib.contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """A service that stands still inside the block, and goes on after it as if nothing had happened."""
        pid = self.live.pid(name)
        os.kill(pid, signal.SIGSTOP)
        self.strikes.append(Strike(datetime.now(UTC), frozenset({name}), {}))
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    async def wait_ended(self) -> Batch:
        """The batch with its insights, everything that was killed being back."""
        for strike in self.strikes:
            await self.live.wait_restarted(strike)
        return await rig.wait_ended(self.engine, self.request, brand=self.case.id, timeout_s=60)


@contextlib.contextmanager
def running(home: Path) -> Iterator[Live]:
    """A stack of servers, registry, steward and two workers with their vendor, until the block ends."""
    with Vendors(home / "world", BRANDS) as vendors:
        live = Live(home, vendors)
        try:
            live.start()
            live.audit()
            yield live
        finally:
            stop_stack(home)


@contextlib.asynccontextmanager
async def gathering(live: Live) -> AsyncIterator[LiveRun]:
    """A brand that no test has used, ready to be gathered; nothing is held back after the block."""
    # This process does nothing but look, over and over; what the stack does is in its own logs.
    logger.disable("adology")
    async with open_engine(live.settings, plugins=rig.plugins()) as engine:
        try:
            yield LiveRun(live, engine, live.vendors.next_case())
        finally:
            live.vendors.release()
            logger.enable("adology")


def _strike(pids: dict[str, int], doomed: list[int]) -> Strike:
    at = datetime.now(UTC)
    for pid in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return Strike(at, frozenset(pids), pids)
