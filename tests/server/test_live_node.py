"""WebSockets by clients in Node: one that misbehaves at will, and the client of `examples/clients`."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from adology.http import sockets
from adology.settings import AdologySettings
from tests.server.live_rig import add_task, address, change_task, ticket
from tests.server.node_rig import Node, OneAddress, node, opened
from tests.server.rig import World, log_in, serving
from tests.server.tasks_rig import process

pytestmark = pytest.mark.timeout(90)
OWNER = "owner@acme.example"


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    made = World(store_settings)
    made.add_org("acme")
    made.add_user("acme", OWNER)
    made.add_brands("nike")
    return made


@pytest.mark.usefixtures("world")
def test_a_ticket_opens_once_and_pages_elsewhere_are_refused(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings, origins=("https://app.example",)) as nobody:
            owner = await log_in(nobody, OWNER)
            url = address(owner, await ticket(owner))
            async with opened(url, origin="https://app.example"), node("socket.mjs") as again:
                again.do("open", url=url)
                assert await again.line() == {"refused": 401, "problem": "not-authenticated"}
            for origin in ("https://evil.example", "null", ""):
                async with node("socket.mjs") as foreign:
                    foreign.do("open", url=address(owner, await ticket(owner)), origin=origin)
                    assert await foreign.line() == {"refused": 403, "problem": "foreign-origin"}

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_floods_and_large_messages_are_closed(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, OWNER)
            async with opened(address(owner, await ticket(owner))) as good:
                async with opened(address(owner, await ticket(owner))) as flood:
                    flood.do("flood", text='{"type":"ping"}', times=500)
                    assert await flood.until("closed") == {"closed": 1008, "reason": "more than 60 messages in 10 s"}
                async with opened(address(owner, await ticket(owner))) as large:
                    large.do("send", size=70_000)
                    assert (await large.until("closed"))["closed"] == 1009
                async with opened(address(owner, await ticket(owner))) as fits:
                    fits.do("send", size=60_000)
                    assert (await fits.line())["heard"]["problem"] == "invalid"
                good.do("send", text='{"type":"ping"}')
                assert await good.line() == {"heard": {"type": "pong"}}

    asyncio.run(scenario())


def test_who_stops_reading_is_closed_and_takes_up_where_it_was(
    store_settings: AdologySettings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CLOSE_S", 60.0)  # this machine may be slow, too
    statement = (
        "insert into events (org_id, kind, body) select 'acme', 'task', json_build_object("
        "'request_id', n, 'status', 'processing', 'result', repeat('x', 30000)) from generate_series(1, 20) n"
    )

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, OWNER)
            async with (
                opened(address(owner, await ticket(owner))) as slow,
                opened(address(owner, await ticket(owner))) as quick,
            ):
                slow.do("pause")
                numbers: list[int] = []
                for _ in range(20):
                    await asyncio.to_thread(world.rows, statement)
                    numbers += [(await quick.event())["seq"] for _ in range(20)]
                slow.do("resume")
                heard = []
                while "closed" not in (said := await slow.line()):
                    heard.append(said["heard"]["seq"])
                assert said == {"closed": 1013, "reason": "too slow: connect again and resume"}
                assert 0 < len(heard) < 400
                assert heard == numbers[: len(heard)], "what came before the end is whole"
            missed = numbers[len(heard) :]
            async with opened(address(owner, await ticket(owner), heard[-1])) as again:
                assert [(await again.event())["seq"] for _ in missed] == missed

    asyncio.run(scenario())


def test_the_client_hears_what_it_missed_once_and_in_order(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody, OneAddress(nobody.origin).listening() as door:
            task = add_task(world)
            async with node("follow.mjs", door.origin, OWNER) as client:
                await client.about("hello")
                for broken in range(3):
                    first = broken * 10
                    await asyncio.to_thread(change_task, world, task, *range(first, first + 5))
                    assert [await step_of(client) for _ in range(5)] == list(range(first, first + 5))
                    door.cut()
                    await asyncio.to_thread(change_task, world, task, *range(first + 5, first + 10))
                    assert [await step_of(client) for _ in range(5)] == list(range(first + 5, first + 10))

    asyncio.run(scenario())


def test_the_client_goes_on_at_another_replica_when_its_own_is_killed(
    store_settings: AdologySettings, world: World
) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as other:
            owner = await log_in(other, OWNER)
            with process(store_settings, "server") as replica:
                started = msgspec.json.decode(await replica.wait_line("server listening"))
                async with OneAddress(started["address"]).listening() as door:
                    task = add_task(world)
                    async with node("follow.mjs", door.origin, OWNER) as client:
                        await client.about("hello")
                        # A worker tells one replica, the client hears it at the other.
                        notice = {"request_id": task, "status": "processing", "progress": {"step": 1}}
                        (await other.as_(world.add_service()).ask("POST", "/notify", notice)).expect(204)
                        assert await step_of(client) == 1
                        replica.kill()
                        await asyncio.to_thread(change_task, world, task, *range(2, 5))
                        door.target = other.origin
                        assert [await step_of(client) for _ in range(3)] == [2, 3, 4]
                        await owner.post(f"/v1/tasks/{task}/cancel", status=200)
                        assert (await client.event())["status"] == "cancelled"

    asyncio.run(scenario())


def test_the_client_ends_when_its_session_does(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, OWNER)
            task = add_task(world)
            async with node("follow.mjs", nobody.origin, OWNER) as client:
                await client.about("hello")
                change_task(world, task, 1)
                assert await step_of(client) == 1
                await owner.post("/v1/auth/logout-everywhere", status=204)
                assert await client.until("ended") == {"ended": "session-ended"}

    asyncio.run(scenario())


def test_the_client_goes_on_behind_what_is_not_kept_any_more(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody, OneAddress(nobody.origin).listening() as door:
            task = add_task(world)
            change_task(world, task, *range(20))
            ((oldest, newest),) = world.rows("select min(id), max(id) from events")
            world.rows("delete from events where id < %s", [newest])
            async with node("follow.mjs", door.origin, OWNER, f'{{"after":{oldest}}}') as client:
                gap = await client.about("gap")
                assert (gap["after"], gap["latest"]) == (oldest, newest)
                # Nothing happens until the connection breaks: it must not be told of the same gap again.
                door.cut()
                assert (await client.until("heard"))["heard"]["type"] == "hello"
                await asyncio.to_thread(change_task, world, task, 20)
                assert (await client.until("heard"))["heard"]["progress"] == {"step": 20}

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_the_client_notices_a_connection_that_fell_silent(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with (
            serving(store_settings) as nobody,
            OneAddress(nobody.origin).listening() as door,
            node("follow.mjs", door.origin, OWNER, '{"silent":1500}') as client,
        ):
            await client.about("hello")
            with pytest.raises(TimeoutError):  # the server answers its pings: there is nothing to notice
                await client.line(4.0)
            door.freeze()
            assert (await client.until("heard"))["heard"]["type"] == "hello"

    asyncio.run(scenario())


async def step_of(client: Node) -> int:
    """The step that the next event tells."""
    return int((await client.event())["progress"]["step"])
