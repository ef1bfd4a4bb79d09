"""Events over WebSockets: who hears what, in which order, and what is heard again."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from adology.settings import AdologySettings
from tests.server.live_rig import add_task, change_task, socket
from tests.server.rig import Client, World, log_in, serving
from tests.server.tasks_rig import is_, process, quick, wait_task

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    made = World(store_settings)
    for org in ("acme", "rival"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_brands("nike", "puma")
    return made


def test_a_task_is_told_to_its_organisation_alone(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner, rival = [await log_in(nobody, f"owner@{org}.example") for org in ("acme", "rival")]
            worker = nobody.as_(world.add_service())
            async with socket(owner) as ours, socket(rival) as theirs:
                task = add_task(world)
                assert (await ours.hear_event())["status"] == "queued"
                notice = {"request_id": task, "status": "completed", "result": "s3://there", "more": 1}
                (await worker.ask("POST", "/notify", notice)).expect(204)
                told = await ours.hear_event()
                assert {key: told[key] for key in ("request_id", "status", "result", "event", "kind", "brand")} == {
                    "request_id": task, "status": "completed", "result": "s3://there",
                    "event": "task", "kind": "export", "brand": "nike",
                }  # fmt: skip
                assert (await owner.get(f"/v1/tasks/{task}"))["result"] == "s3://there"
                (await worker.ask("POST", "/notify", notice)).expect(204)
                await ours.is_still()
                await theirs.is_still()
            assert (await owner.ask("POST", "/notify", notice)).kind == "not-allowed"
            assert (await worker.ask("POST", "/notify", {**notice, "status": "failed"})).kind == "conflict"
            assert (await worker.ask("POST", "/notify", {**notice, "request_id": "abc123"})).kind == "not-found"
            assert (await worker.ask("POST", "/notify", {**notice, "result": "x" * 40_000})).kind == "invalid"
            assert (await worker.ask("POST", "/notify", {**notice, "status": "done"})).kind == "invalid"

    asyncio.run(scenario())


def test_missed_events_are_told_in_order_and_once(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner, rival = [await log_in(nobody, f"owner@{org}.example") for org in ("acme", "rival")]
            task = add_task(world)
            async with socket(owner) as first:
                change_task(world, task, 0)
                last = (await first.hear_event())["seq"]
            change_task(world, task, *range(1, 600))
            async with socket(owner, last) as second:
                heard = [await second.hear_event() for _ in range(599)]
                assert [one["progress"]["step"] for one in heard] == list(range(1, 600))
                numbers = [one["seq"] for one in heard]
                assert numbers == sorted(set(numbers))
                change_task(world, task, 600)
                assert (await second.hear_event())["progress"] == {"step": 600}
                await second.say(type="resume", after=numbers[-3])
                again = [(await second.hear_event())["progress"]["step"] for _ in range(3)]
                assert again == [598, 599, 600]
                await second.is_still()
                world.rows("delete from events where id < %s", [numbers[10]])
                await second.say(type="resume", after=numbers[0])
                gap = await second.hear()
                assert (gap["type"], gap["after"], gap["oldest"]) == ("gap", numbers[0], numbers[9])
                await second.say(type="resume", after=gap["latest"] + 1000)
                assert (await second.hear())["type"] == "gap", "a number of another database"
            async with socket(rival, last + 100) as theirs:
                await theirs.is_still()

    asyncio.run(scenario())


def test_while_missed_events_come_new_ones_wait_their_turn(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            task = add_task(world)
            first = change_task(world, task, 0)
            change_task(world, task, *range(1, 800))
            going = asyncio.create_task(asyncio.to_thread(change_task, world, task, *range(800, 1000)))
            async with socket(owner, first) as link:
                heard = [(await link.hear_event())["progress"]["step"] for _ in range(999)]
            await going
            assert heard == list(range(1, 1000))

    asyncio.run(scenario())


def test_subscriptions_narrow_what_is_told(store_settings: AdologySettings, world: World) -> None:
    def new_ads(brand: str, org: str | None = None) -> None:
        world.rows(
            "insert into events (org_id, kind, brand, body) values (%s, 'brand.new_ads', %s, '{\"ads\": 1}')",
            [org, brand],
        )

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner, rival = [await log_in(nobody, f"owner@{org}.example") for org in ("acme", "rival")]
            one = await owner.post("/v1/brandspaces", {"name": "One", "followed": ["nike"]})
            two = await owner.post("/v1/brandspaces", {"name": "Two", "followed": ["puma"]})
            async with socket(owner) as ours, socket(rival) as theirs:
                await ours.say(type="subscribe", to=["brands"], brandspace=two["id"])
                assert await ours.hear() == {"type": "subscribed", "to": ["brands"], "brandspace": two["id"]}
                add_task(world)
                new_ads("nike")
                new_ads("puma", "rival")
                new_ads("puma")
                heard = await ours.hear()
                assert (heard["event"], heard["ads"]) == ("brand.new_ads", 1)
                await ours.is_still()
                # Rival holds none of the brands: only what is its own alone was told.
                await theirs.hear_event()
                await theirs.is_still()
                await ours.say(type="subscribe")
                assert (await ours.hear())["to"] == ["brands", "tasks"]
                await ours.say(type="resume", after=heard["seq"] - 4)
                again = [(await ours.hear())["event"] for _ in range(3)]
                assert again == ["task", "brand.new_ads", "brand.new_ads"]
                await theirs.say(type="subscribe", brandspace=one["id"])
                assert (await theirs.hear())["problem"] == "not-found"
                for wrong in ('{"type":"shout"}', "[]", "{", '{"type":"resume","after":-1}', '{"type":"ping","x":1}'):
                    await theirs.link.send(wrong)
                    assert (await theirs.hear())["problem"] == "invalid"
                await theirs.link.send(b"\x00")
                assert (await theirs.hear())["problem"] == "invalid"

    asyncio.run(scenario())


def test_two_replicas_tell_the_same(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as one, serving(store_settings) as other:
            owner = await log_in(one, "owner@acme.example")
            elsewhere = other.as_(owner.token)
            async with socket(owner) as first, socket(elsewhere) as second:
                task = add_task(world)
                await owner.post(f"/v1/tasks/{task}/cancel", status=200)
                told = [[await link.hear_event() for _ in range(2)] for link in (first, second)]
                assert told[0] == told[1]
                assert [message["status"] for message in told[0]] == ["queued", "cancelled"]

    asyncio.run(scenario())


def test_a_replica_is_killed_and_its_client_goes_on_at_another(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as other:
            owner = await log_in(other, "owner@acme.example")
            with process(store_settings, "server") as replica:
                started = msgspec.json.decode(await replica.wait_line("server listening"))
                there = Client(other.http, started["address"], owner.token)
                task = add_task(world)
                async with socket(there) as link:
                    change_task(world, task, 1)
                    last = (await link.hear_event())["seq"]
                    replica.kill()
                    change_task(world, task, 2)
            async with socket(owner, last) as link:
                assert (await link.hear_event())["progress"] == {"step": 2}

    asyncio.run(scenario())


def test_a_lost_listening_connection_loses_no_event(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            async with socket(owner) as link:
                task = add_task(world)
                await link.hear_event()
                killed = world.rows(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'adology-listen' and datname = current_database()"
                )
                assert killed == [(True,)]
                for step in range(3):
                    change_task(world, task, step)
                assert [(await link.hear_event())["progress"]["step"] for _ in range(3)] == [0, 1, 2]

    asyncio.run(scenario())


def test_events_become_visible_in_the_order_of_their_numbers(store_settings: AdologySettings, world: World) -> None:
    tasks = [add_task(world) for _ in range(8)]

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            async with socket(owner) as link:
                await asyncio.gather(*(asyncio.to_thread(change_task, world, task, *range(30)) for task in tasks))
                numbers = [(await link.hear_event())["seq"] for _ in range(240)]
                assert numbers == sorted(numbers)

    asyncio.run(scenario())


def test_a_refresh_is_told_from_beginning_to_end(settings: AdologySettings) -> None:
    """Without workers up to where it waits for them; with them `test_tasks` follows it."""
    from tests.server.tasks_rig import running

    world = World(settings)
    world.add_org("acme")
    world.add_user("acme", "owner@acme.example")
    world.add_brands("nike")

    async def scenario() -> None:
        async with serving(settings) as nobody, running(quick(settings)):
            owner = await log_in(nobody, "owner@acme.example")
            await owner.post("/v1/brandspaces", {"name": "Sport", "primary": "nike"})
            async with socket(owner) as link:
                task = (await owner.post("/v1/brands/nike/refresh", status=202))["request_id"]
                told = [await link.hear_event() for _ in range(3)]
                assert [(one["request_id"], one["status"], one["progress"]) for one in told] == [
                    (task, "queued", {}), (task, "processing", {}), (task, "processing", {"phase": "waiting"}),
                ]  # fmt: skip
                await owner.post(f"/v1/tasks/{task}/cancel", status=200)
                assert (await link.hear_event())["status"] == "cancelled"
            await wait_task(owner, task, is_("cancelled"))

    asyncio.run(scenario())
