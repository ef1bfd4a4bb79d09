"""Ways around the walls that somebody looked for, and that are closed."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import aiohttp
import psycopg
import pytest

from adology.settings import AdologySettings
from adology.store import Database
from adology_server.tasks.refresh import Refresher, batch_key
from adology_server.tasks.store import TaskStore
from adology_server.tenancy import Tenants
from tests.server.rig import PASSWORD, World, log_in, serving

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    made = World(store_settings)
    for org in ("acme", "rival"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_brands("nike", "puma")
    return made


def followed(world: World, org: str, state: str, *, brand: str = "nike", error: str = "") -> str:
    """A refresh under way, and its batch in that state."""
    task = str(uuid.uuid4())
    world.rows(
        "insert into tasks (id, org_id, kind, brand, state, batch_key, deadline)"
        " values (%s, %s, 'refresh', %s, 'processing', %s, now() + interval '1 hour')",
        [task, org, brand, batch_key(uuid.UUID(task))],
    )
    counts = '{"ads": 7, "failures": 3}'
    world.rows(
        "insert into batches (id, brand, state, error, counts, expected_count, committed_at)"
        " values (%s, %s, %s, %s, %s, 9, now())",
        [task, brand, state, error or None, counts],
    )
    world.rows(
        "insert into gather_requests (request_key, brand, batch_id) values (%s, %s, %s)",
        [batch_key(uuid.UUID(task)), brand, task],
    )
    return task


def test_a_refresh_tells_nobody_of_others_ads_and_databases(store_settings: AdologySettings, world: World) -> None:
    tasks = {org: followed(world, org, "committed") for org in ("acme", "rival")}
    error = "crm: the database db.acme.internal:5432 refused: no table customers"
    lost = followed(world, "rival", "failed", brand="puma", error=error)
    for name, owner in (("public", None), ("private", "acme")):
        ad = world.add_ad("nike", name, owner)
        for task in tasks.values():
            world.rows("update brand_ads set last_batch = %s where ad_id = %s", [task, ad])

    async def scenario() -> dict[str, Any]:
        async with Database(store_settings.postgres) as database:

            async def send(_: str) -> None:
                raise AssertionError

            refresher = Refresher(database, TaskStore(database, store_settings.server), send, 60.0)
            assert await refresher.look() == 3
        async with Tenants(store_settings) as tenants:
            rows = await tenants.rows("rival", "select id::text, to_jsonb(tasks)::text as told from tasks")
        return {row["id"]: row["told"] for row in rows}

    # Both ads were seen last by rival's batch: acme's own is not for rival to count.
    told = asyncio.run(scenario())
    assert set(told) == {tasks["rival"], lost}
    assert '"ads": 1' in told[tasks["rival"]]
    for text in told.values():
        assert "acme" not in text
        assert '"ads": 7' not in text
        assert "expected" not in text
    assert "the gathering failed" in told[lost]


def test_a_pooler_that_drops_what_connections_begin_with_opens_nothing(
    store_settings: AdologySettings, world: World
) -> None:
    assert world.rows("select count(*) from users") == [(2,)]

    async def scenario() -> None:
        tenants = Tenants(store_settings)
        begun_with = tenants._pool.kwargs
        assert isinstance(begun_with, dict)
        begun_with["options"] = ""
        async with tenants:
            seen = "select email, current_user as role, current_setting('statement_timeout') as longest from users"
            assert await tenants.rows("acme", seen) == [
                {"email": "owner@acme.example", "role": "adology_app", "longest": "15s"}
            ]
            async with tenants.transaction(None) as connection:
                found = await connection.execute("select count(*) as n from users")
                assert await found.fetchone() == {"n": 0}

    asyncio.run(scenario())


async def until_somebody_waits(world: World) -> None:
    """For a lock in this database."""
    statement = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with asyncio.timeout(20):
        while not world.rows(statement):  # noqa: ASYNC110 - another process waits
            await asyncio.sleep(0.05)


def test_an_invitation_that_is_withdrawn_while_it_is_taken_is_gone(
    store_settings: AdologySettings, world: World
) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            invited = await owner.post("/v1/invitations", {"email": "new@acme.example"})
            body = {"token": invited["token"], "email": "new@acme.example", "name": "New", "password": PASSWORD}
            with psycopg.connect(world.url) as link:
                link.execute("update invitations set revoked_at = now()")
                taking = asyncio.create_task(nobody.ask("POST", "/v1/auth/accept-invitation", body))
                await until_somebody_waits(world)
                link.commit()
            assert (await taking).kind == "gone"

    asyncio.run(scenario())
    assert world.rows("select count(*) from users where email = 'new@acme.example'") == [(0,)]


def test_only_the_file_of_the_very_export_is_signed(store_settings: AdologySettings, world: World) -> None:
    key = world.add_service()
    other = f"s3://{store_settings.s3.bucket}/exports/rival/{uuid.uuid4()}/ads.csv"

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            for result in ("done", {"object": other, "format": "csv"}, {"object": 5}, [1]):
                ((task,),) = world.rows(
                    "insert into tasks (org_id, kind, deadline, state) values"
                    " ('acme', 'export', now() + interval '1 hour', 'processing') returning id::text"
                )
                body = {"request_id": task, "status": "completed", "result": result}
                (await nobody.as_(key).ask("POST", "/notify", body)).expect(204)
                assert (await owner.ask("GET", f"/v1/tasks/{task}/file")).kind == "gone", result

    asyncio.run(scenario())


# The framework leaves the file of a form that it breaks off to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("filename", [None, "x.png"])
def test_an_upload_without_end_is_broken_off(store_settings: AdologySettings, filename: str | None) -> None:
    async def scenario() -> None:
        async with serving(store_settings, max_upload_bytes=100_000) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            sent = 0

            async def endless() -> Any:
                nonlocal sent
                name = f'; filename="{filename}"' if filename else ""
                yield f'--b\r\ncontent-disposition: form-data; name="file"{name}\r\n\r\n'.encode()
                while sent < 50_000_000:
                    sent += 10_000
                    yield b"x" * 10_000

            headers = {"authorization": f"Bearer {owner.token}", "content-type": "multipart/form-data; boundary=b"}
            url = f"{owner.origin}/v1/search/media?everywhere=true"
            try:
                async with owner.http.post(url, data=endless(), headers=headers) as response:
                    assert response.status == 413
            except aiohttp.ClientError:
                pass  # cut off while it was sending
            assert sent < 50_000_000

    asyncio.run(scenario())
