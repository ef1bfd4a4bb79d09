"""How many sockets and streams are let in: of a user over all replicas, and of one process."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from adology.settings import AdologySettings
from adology_server.live import seats
from adology_server.service import OTHER_FILES, _within
from tests.server.live_rig import address, events, is_let_in, let_in_soon, refused, socket, ticket
from tests.server.rig import Client, World, log_in, serving
from tests.server.tasks_rig import process
from tests.system.rig import wait_until

pytestmark = pytest.mark.timeout(60)
OWNER = "owner@acme.example"


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    made = World(store_settings)
    made.add_org("acme")
    made.add_user("acme", OWNER)
    made.add_user("acme", "member@acme.example", "member")
    return made


def counted(world: World) -> int:
    """Connections, as the database has them."""
    ((count,),) = world.rows("select coalesce(sum(open), 0) from live_sockets")
    return int(count)


def held(world: World) -> tuple[int, int]:
    """Connections and processes, as the database has them."""
    ((processes,),) = world.rows("select count(*) from live_replicas")
    return counted(world), int(processes)


def test_a_users_connections_are_counted_over_all_replicas(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        limits = {"sockets_per_user": 3}
        async with serving(store_settings, **limits) as one, serving(store_settings, **limits) as other:
            owner = await log_in(one, OWNER)
            there = other.as_(owner.token)
            key = await owner.post("/v1/keys", {"name": "script", "scopes": ["read"]})
            script = other.as_(key["secret"])
            async with socket(owner), events(there), socket(script) as last:
                for who in (owner, there, script):
                    assert await refused(address(who, await ticket(who))) == (429, "too-many")
                    answer = await who.ask("GET", "/v1/events")
                    assert (answer.status, answer.kind, answer.headers["retry-after"]) == (429, "too-many", "10")
                async with socket(await log_in(other, "member@acme.example")):
                    pass
                await last.link.close()
                await let_in_soon(owner)
            await wait_until(lambda: counted(world) == 0, "all are given back")

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_many_at_once_get_as_many_as_there_are(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        limits = {"sockets_per_user": 4}
        async with (
            contextlib.AsyncExitStack() as stack,
            serving(store_settings, **limits) as one,
            serving(store_settings, **limits) as other,
        ):
            owner = await log_in(one, OWNER)
            asked = [(owner, other.as_(owner.token))[number % 2] for number in range(16)]
            tickets = [await ticket(who) for who in asked]
            opened = await asyncio.gather(
                *(connect(address(who, secret)) for who, secret in zip(asked, tickets, strict=True)),
                return_exceptions=True,
            )
            let_in = [link for link in opened if not isinstance(link, BaseException)]
            for link in let_in:
                stack.push_async_callback(link.close)
            # Those that are refused may have counted for each other; nobody is let in above the limit.
            assert 1 <= len(let_in) <= 4
            async with asyncio.timeout(10):
                while len(let_in) < 4:
                    with contextlib.suppress(InvalidStatus):
                        let_in.append(await connect(address(owner, await ticket(owner))))
                        stack.push_async_callback(let_in[-1].close)
            assert not await is_let_in(owner)

    asyncio.run(scenario())


def test_what_a_killed_replica_held_counts_until_its_lease_ends(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings, sockets_per_user=2) as here:
            owner = await log_in(here, OWNER)
            with process(store_settings, "server") as replica:
                started = msgspec.json.decode(await replica.wait_line("server listening"))
                there = Client(here.http, started["address"], owner.token)
                async with contextlib.AsyncExitStack() as stack:
                    for _ in range(2):
                        stack.enter_context(contextlib.suppress(Exception))
                        await stack.enter_async_context(socket(there))
                    replica.kill()
            assert not await is_let_in(owner), "it could be alive, and slow"
            world.rows(
                "update live_replicas r set seen_at = now() - %s * interval '1 s'"
                " where exists (select from live_sockets s where s.replica = r.id)",
                [seats.STALE_S],
            )
            assert await is_let_in(owner)

    asyncio.run(scenario())


def test_counts_that_went_wrong_are_set_right(
    store_settings: AdologySettings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats, "HOLD_S", 0.5)
    monkeypatch.setattr(seats, "FREE_S", 0.1)

    async def scenario() -> None:
        async with serving(store_settings) as here:
            owner = await log_in(here, OWNER)
            async with socket(owner):
                assert counted(world) == 1
                for wrong in (
                    "delete from live_replicas",  # as a crash of the database leaves them
                    "insert into live_sockets select gen_random_uuid(), id, 7, 0 from live_replicas",  # said late
                    "insert into live_replicas values (gen_random_uuid(), now() - interval '2 hours')",
                ):
                    # In a thread: the server in this one may hold what the statement waits for.
                    assert await asyncio.to_thread(world.rows, f"{wrong} returning 1")
                    await wait_until(lambda: held(world) == (1, 1), "set right")
        assert world.rows("select id from live_replicas") == [], "an orderly end gives all back at once"

    asyncio.run(scenario())


def test_a_process_takes_no_more_than_it_can(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings, sockets_per_process=2) as here:
            owner = await log_in(here, OWNER)
            member = await log_in(here, "member@acme.example")
            async with socket(owner), events(member):
                secret = await ticket(member)
                try:
                    async with connect(address(member, secret)):
                        raise AssertionError("was let in")
                except InvalidStatus as error:
                    response = error.response
                assert (response.status_code, response.headers["retry-after"]) == (503, "10")
                assert msgspec.json.decode(response.body)["type"] == "urn:adology:problem:full"
                answer = await member.ask("GET", "/v1/events")
                assert (answer.status, answer.kind, answer.headers["retry-after"]) == (503, "full", "10")
                assert (await member.ask("GET", "/v1/me")).status == 200, "requests are taken all the same"
            await wait_until(lambda: counted(world) == 0, "all are given back")
            async with connect(address(member, secret)):
                pass  # what was refused for want of room did not use the ticket up

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_streams_whose_client_leaves_give_their_seat_back(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings, sockets_per_user=1) as here:
            owner = await log_in(here, OWNER)
            for _ in range(3):
                async with asyncio.timeout(5):
                    while True:
                        try:
                            async with events(owner, 0):
                                break
                        except AssertionError:
                            await asyncio.sleep(0.05)

    asyncio.run(scenario())


def test_a_process_takes_no_more_than_the_system_lets_it_open(store_settings: AdologySettings) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (100, 700))\n"
        "from adology.http.serving import raise_file_limit\n"
        "print(raise_file_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["700", "700"]
    assert _within(store_settings, 700).server.sockets_per_process == 700 - OTHER_FILES
    assert _within(store_settings, 20_000) is store_settings
