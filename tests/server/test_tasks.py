"""Tasks: accepted at once, done once, followed, cancelled, forgotten."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from adology.aws import open_client
from adology.queues import Sqs
from adology.queues.admin import queue_names
from adology.settings import AdologySettings
from adology_server.tasks.model import TaskMessage
from tests.server.rig import Client, World, log_in, serving
from tests.server.tasks_rig import is_, process, quick, running, stalling, wait_task
from tests.system.rig import add_brand, draw_ads, living, wait_until

pytestmark = pytest.mark.timeout(90)
ABSENT = "00000000-0000-4000-8000-000000000000"


def make_world(settings: AdologySettings) -> World:
    made = World(settings)
    for org in ("acme", "rival"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_user("acme", "viewer@acme.example", "viewer")
    made.add_brands("nike", "puma")
    return made


async def with_space(nobody: Client, *brands: str) -> Client:
    """Acme's owner, whose brandspace holds the brands."""
    owner = await log_in(nobody, "owner@acme.example")
    await owner.post("/v1/brandspaces", {"name": "Sport", "followed": list(brands)})
    return owner


async def refresh(person: Client, brand: str = "nike") -> str:
    return str((await person.post(f"/v1/brands/{brand}/refresh", status=202))["request_id"])


def test_a_refresh_is_accepted_and_ends_with_its_batch(settings: AdologySettings, tmp_path: Path) -> None:
    make_world(settings)
    draw_ads(tmp_path / "nike", 3)

    async def scenario() -> None:
        async with serving(settings) as nobody, running(quick(settings)), living(settings) as engine:
            await add_brand(engine, tmp_path / "nike")
            owner = await with_space(nobody, "nike")
            answer = await owner.ask("POST", "/v1/brands/nike/refresh")
            task = answer.expect(202)["request_id"]
            assert answer.body == {
                "request_id": task, "status": "processing", "message": "Your task has been queued.",
            }  # fmt: skip
            assert answer.headers["location"] == f"/v1/tasks/{task}"
            done = await wait_task(owner, task, is_("completed"))
            batch = done["result"]["batch"]
            assert (done["kind"], done["brand"], done["error"], done["result"]["ads"]) == ("refresh", "nike", None, 4)
            assert done["progress"] == {"phase": "done", "share": 1.0, "ads": 4}
            committed = await engine.ledger.find_batch(batch)
            assert committed is not None
            assert committed.state == "committed"

    asyncio.run(scenario())


def test_who_may_refresh_what(store_settings: AdologySettings) -> None:
    make_world(store_settings)

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await with_space(nobody, "nike")
            viewer, rival = await log_in(nobody, "viewer@acme.example"), await log_in(nobody, "owner@rival.example")
            assert (await viewer.ask("POST", "/v1/brands/nike/refresh")).kind == "not-allowed"
            assert (await owner.ask("POST", "/v1/brands/puma/refresh")).kind == "conflict"
            assert (await owner.ask("POST", "/v1/brands/unknown/refresh")).kind == "not-found"
            assert (await owner.ask("POST", "/v1/brands/nike/refresh", deadline_s="0")).kind == "invalid"
            several = await asyncio.gather(*(refresh(owner) for _ in range(5)))
            assert len(set(several)) == 1, "while one is under way it answers"
            task = several[0]
            assert (await viewer.get(f"/v1/tasks/{task}"))["status"] == "queued"
            for method, path in (("GET", "/v1/tasks/{}"), ("POST", "/v1/tasks/{}/cancel")):
                told = [
                    (await rival.ask(method, path.format(which))).body["detail"].replace(which, "…")
                    for which in (task, ABSENT)
                ]
                assert told[0] == told[1]
            assert (await rival.get("/v1/tasks"))["items"] == []
            assert (await viewer.ask("POST", f"/v1/tasks/{task}/cancel")).kind == "not-allowed"
            for _ in range(2):
                assert (await owner.post(f"/v1/tasks/{task}/cancel", status=200))["status"] == "cancelled"
            others = [await refresh(owner)]
            await owner.post(f"/v1/tasks/{others[0]}/cancel", status=200)
            others.append(await refresh(owner))
            first = await owner.get("/v1/tasks", limit=2)
            second = await owner.get("/v1/tasks", limit=2, after=first["next"])
            listed = [one["id"] for page in (first, second) for one in page["items"]]
            assert (listed, second["next"]) == ([*reversed(others), task], None)

    asyncio.run(scenario())


def test_deadlines_pass_and_results_are_forgotten(settings: AdologySettings) -> None:
    world = make_world(settings)

    async def scenario() -> None:
        async with serving(settings) as nobody:
            owner = await with_space(nobody, "nike", "puma")
            late = await refresh(owner, "puma")
            world.rows("update tasks set deadline = now() where id = %s", [late])
            async with running(quick(settings)):
                failed = await wait_task(owner, late, is_("failed"))
                assert failed["error"] == "it was not done by its deadline"
                assert (await owner.ask("POST", f"/v1/tasks/{late}/cancel")).kind == "conflict"
            done = await refresh(owner)
            world.rows(
                "update tasks set state = 'completed', ended_at = now(), expires_at = now() + interval '1 hour',"
                ' result = \'{"batch": "b"}\' where id = %s',
                [done],
            )
            assert (await owner.get(f"/v1/tasks/{done}"))["result"] == {"batch": "b"}
            # No runner is there: what is past its time is not shown all the same.
            world.rows("update tasks set expires_at = now() where id = %s", [done])
            expired = await owner.get(f"/v1/tasks/{done}")
            assert (expired["status"], expired["result"]) == ("expired", None)
            async with running(quick(settings)):
                kept = "select 1 from tasks where id = %s and result is not null"
                await wait_until(lambda: not world.rows(kept, [done]), "the result is forgotten")
            assert (await owner.get(f"/v1/tasks/{done}"))["status"] == "expired"

    asyncio.run(scenario())


def test_lost_and_doubled_messages_lead_to_one_gathering(settings: AdologySettings) -> None:
    world, own = make_world(settings), quick(settings)

    async def scenario() -> None:
        async with serving(settings) as nobody, open_client(settings.aws, "sqs") as client:
            sqs, names = Sqs(client), queue_names(settings.queues)
            owner = await with_space(nobody, "nike", "puma")
            lost, doubled = await refresh(owner, "nike"), await refresh(owner, "puma")
            # One message never arrives although it counts as sent; another arrives five times.
            world.rows("update tasks set sent_at = now() where id = %s", [lost])
            bodies = [msgspec.json.encode(TaskMessage(task=doubled)).decode()] * 5  # type: ignore[arg-type]  # as JSON
            await sqs.send(names["task"], [*bodies, '{"task":"no uuid"}', "nonsense"])
            async with running(own):
                for task in (lost, doubled):
                    waiting = await wait_task(owner, task, lambda one: one["progress"] == {"phase": "waiting"})
                    assert waiting["status"] == "processing"
                asked: list[str] = []
                async with asyncio.timeout(20):
                    while len(asked) < 2:
                        found = await sqs.receive(names["gather"], most=10, wait_s=1, visibility_s=60)
                        asked += [msgspec.json.decode(one.body)["request_id"] for one in found]
                asked += [one.body for one in await sqs.receive(names["gather"], most=10, wait_s=2, visibility_s=60)]
            assert sorted(asked) == sorted([f"task:{lost}", f"task:{doubled}"])
            buried = await sqs.receive(f"{names['task']}-dlq", most=10, wait_s=1, visibility_s=5)
            assert sorted(one.body for one in buried) == ["nonsense", '{"task":"no uuid"}']

    asyncio.run(scenario())


def test_server_and_runner_are_killed_and_the_task_completes_once(settings: AdologySettings, tmp_path: Path) -> None:
    world, own = make_world(settings), quick(settings)
    draw_ads(tmp_path / "nike", 2)

    async def scenario() -> None:
        async with serving(settings) as nobody, living(settings) as engine:
            await add_brand(engine, tmp_path / "nike")
            with process(own, "server") as server:
                line = msgspec.json.decode(await server.wait_line("server listening"))
                there = Client(nobody.http, line["address"])
                owner = await with_space(there, "nike")
                # A runner takes the task up, and is killed at the row's change to follow: it holds the lock.
                with stalling(world, "update of batch_key", "new.batch_key is not null") as stall:
                    task = await refresh(owner)
                    server.kill()
                    with process(own, "tasks") as runner:
                        await runner.wait_line("task runner ready")
                        here = nobody.as_(owner.token)
                        await wait_task(here, task, is_("processing"))
                        await stall.wait()
                        runner.kill()
                        stall.end()
            async with running(own):
                done = await wait_task(here, task, is_("completed"))
            assert done["result"]["ads"] == 3
            assert world.rows("select count(*) from batches") == [(1,)]
            ends = world.rows("select count(*) from events where task = %s and body->>'status' = 'completed'", [task])
            assert ends == [(1,)]
            ((attempts,),) = world.rows("select attempts from tasks")
            assert attempts >= 2

    asyncio.run(scenario())
