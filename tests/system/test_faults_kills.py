"""kill -9 of each process of a running stack in each phase of a gathering, and a lease that runs out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.system import rig
from tests.system.live import SHUT_GATE, WORKERS, Live, LiveRun, gathering, running
from tests.system.live_promises import check_hidden, check_promises
from tests.system.live_vendors import API, MEDIA

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120), pytest.mark.xdist_group("live")]

COMMIT = "select state from batches where id = % for update"
"""What a committer waits in while the ledger row is held, as a pattern."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("live")) as found:
        yield found


def play(live: Live, scenario: Callable[[LiveRun], Awaitable[None]]) -> None:
    """Run a scenario on a brand of its own, wait for the batch, and check every promise."""

    async def whole() -> None:
        async with gathering(live) as run:
            await scenario(run)
            await check_promises(run, await run.wait_ended())

    asyncio.run(whole())


def test_workers_killed_while_they_gather(live: Live) -> None:
    """GIVEN two pages in the manifest WHEN the next one's reader dies THEN no stored page is asked for again."""

    async def scenario(run: LiveRun) -> None:
        live.vendors.hold(API, after=2)
        await run.begin()
        await run.wait_held(1)
        run.kill(*WORKERS)
        live.vendors.release()

    play(live, scenario)


def test_workers_killed_while_they_acquire(live: Live) -> None:
    async def scenario(run: LiveRun) -> None:
        live.vendors.hold(MEDIA, after=4)
        await run.begin()
        await run.wait_held(4)
        run.kill(*WORKERS)
        live.vendors.release()

    play(live, scenario)


def test_workers_killed_while_one_commits(live: Live) -> None:
    async def scenario(run: LiveRun) -> None:
        async with run.commit_held():
            await run.wait_blocked(COMMIT)
            check_hidden(run)
            run.kill(*WORKERS)

    play(live, scenario)


def test_workers_killed_while_one_derives_insights(live: Live) -> None:
    async def scenario(run: LiveRun) -> None:
        with live.locked("lock table insights in access exclusive mode"):
            await run.begin()
            await run.wait_blocked("insert into insights")
            run.kill(*WORKERS)

    play(live, scenario)


def test_the_registry_killed_while_workers_acquire(live: Live) -> None:
    """Its memory is gone; what was counted is restored from the ledger."""

    async def scenario(run: LiveRun) -> None:
        await _kill_in_acquire(run, "registry")

    play(live, scenario)


@pytest.mark.parametrize("children", [False, True], ids=["postmaster", "every-process"])
def test_postgres_killed_while_workers_acquire(live: Live, children: bool) -> None:
    async def scenario(run: LiveRun) -> None:
        await _kill_in_acquire(run, "postgres", children=children)

    play(live, scenario)


def test_postgres_killed_while_workers_store_analyses(live: Live) -> None:
    """What was paid for is kept until the server is back: nothing runs twice."""

    async def scenario(run: LiveRun) -> None:
        with live.locked(SHUT_GATE):
            await run.begin()
            await run.wait_blocked("update analyses set state")
            run.kill("postgres", children=True)

    play(live, scenario)


def test_postgres_killed_while_a_worker_commits(live: Live) -> None:
    async def scenario(run: LiveRun) -> None:
        async with run.commit_held():
            await run.wait_blocked(COMMIT)
            check_hidden(run)
            run.kill("postgres", children=True)

    play(live, scenario)


def test_mongo_killed_while_workers_acquire(live: Live) -> None:
    """It is still away when the documents are to be written."""

    async def scenario(run: LiveRun) -> None:
        await _kill_in_acquire(run, "mongo")

    play(live, scenario)


def test_mongo_killed_while_a_worker_commits(live: Live) -> None:
    """Documents that it acknowledged just before are there when it is back."""

    async def scenario(run: LiveRun) -> None:
        async with run.commit_held():
            await run.wait_blocked(COMMIT)
            run.kill("mongo")

    play(live, scenario)


def test_the_aws_emulator_killed_while_workers_acquire(live: Live) -> None:
    """Every message is lost with it; the steward sends what the manifest has and nobody brought."""

    async def scenario(run: LiveRun) -> None:
        await _kill_in_acquire(run, "aws")
        batch = await run.wait_ended()
        assert batch.repairs >= 1

    play(live, scenario)


def test_the_steward_killed_in_the_middle_of_a_repair(live: Live) -> None:
    """GIVEN lost messages WHEN the steward that began to repair dies THEN the next one does it."""

    async def scenario(run: LiveRun) -> None:
        live.vendors.hold(MEDIA)
        await run.begin()
        await run.wait_queued()
        await run.wait_held(4)
        run.kill(*WORKERS)
        run.kill("aws")

        async def is_repaired() -> bool:
            batch = await run.batch()
            return batch is not None and batch.repairs >= 1

        await rig.wait_until(is_repaired, "the steward takes care of the batch")
        run.kill("steward")
        live.vendors.release()

    play(live, scenario)


@pytest.mark.slow
def test_everything_killed_at_once(live: Live) -> None:
    """GIVEN a machine that lost its power WHEN the stack is started again THEN the batch ends by itself."""

    async def scenario(run: LiveRun) -> None:
        live.vendors.hold(MEDIA, after=3)
        await run.begin()
        await run.wait_queued()
        await run.wait_held(4)
        run.strikes.append(live.kill_everything())
        live.vendors.release()
        await asyncio.to_thread(live.start)

    play(live, scenario)


def test_a_commit_lease_that_runs_out_in_the_middle_of_a_commit(live: Live) -> None:
    """GIVEN a committer frozen for longer than its lease WHEN another has won and it wakes up THEN one commits."""

    async def scenario(run: LiveRun) -> None:
        with contextlib.ExitStack() as frozen:
            async with run.commit_held():
                (first,) = await run.wait_blocked(COMMIT)
                frozen.enter_context(run.frozen(first))
                assert await run.wait_blocked(COMMIT, besides={first})
                check_hidden(run)

    play(live, scenario)


async def _kill_in_acquire(run: LiveRun, name: str, *, children: bool = False) -> None:
    """Kill a server while some files are done and others are on their way; then let those arrive."""
    vendors = run.live.vendors
    vendors.hold(MEDIA, after=4)
    await run.begin()
    await run.wait_held(4)
    run.kill(name, children=children)
    vendors.release()
