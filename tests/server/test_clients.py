"""The clients of `examples/clients` against the real server: in Python, and in JavaScript under Node."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adology.settings import AdologySettings
from clients.adology_client import Adology, ProblemError
from tests.server.node_rig import flags
from tests.server.rig import PASSWORD, Client, World, serving
from tests.system.committing import Committing

pytestmark = pytest.mark.timeout(90)
CLIENTS = Path(__file__).parents[2] / "examples" / "clients"
EMAIL = "owner@acme.example"


@pytest.fixture
def world(settings: AdologySettings) -> World:
    made = World(settings)
    made.add_org("acme")
    made.add_user("acme", EMAIL)
    return made


async def report(nobody: Client, world: World, key: str) -> str:
    """Report the first task as completed, as a worker does; its id."""
    async with asyncio.timeout(30):
        while not (rows := world.rows("select id from tasks")):  # noqa: ASYNC110 - a client makes it
            await asyncio.sleep(0.05)
    task = str(rows[0][0])
    body = {"request_id": task, "status": "completed", "result": {"ads": 3}}
    answer = await nobody.as_(key).ask("POST", "/notify", body)
    assert answer.status in (200, 202, 204), answer.body
    return task


def test_the_python_client_renews_reads_pages_and_hears(settings: AdologySettings, world: World) -> None:
    world.add_brands("nike")
    key = world.add_service()

    async def scenario() -> None:
        async with serving(settings, access_s=1.0, caller_cache_s=0.0) as nobody, Adology(nobody.origin) as adology:
            with pytest.raises(ProblemError) as caught:
                await adology.get("/v1/me")
            assert (caught.value.status, caught.value.kind) == (401, "not-authenticated")
            await adology.log_in(EMAIL, PASSWORD)
            for number in range(5):
                await adology.post("/v1/brandspaces", {"name": f"Space {number}", "primary": "nike"})
            await asyncio.sleep(1.2)  # the access token is over
            both = await asyncio.gather(adology.get("/v1/me"), adology.get("/v1/me"))
            assert [one["user"]["email"] for one in both] == [EMAIL] * 2
            names = [space["name"] async for space in adology.pages("/v1/brandspaces", limit=2)]
            assert names == [f"Space {number}" for number in range(5)]
            heard: list[dict[str, Any]] = []
            task = ""
            async for event in adology.events():
                if event.get("type") == "hello":
                    queued = await adology.post("/v1/brands/nike/refresh")
                    assert (queued["status"], queued["message"]) == ("processing", "Your task has been queued.")
                    task = await report(nobody, world, key)
                    continue
                heard.append(event)
                if event.get("status") == "completed":
                    break
            assert {event["request_id"] for event in heard} == {task}
            assert heard[-1]["result"] == {"ads": 3}
            assert (await adology.finish(task))["status"] == "completed"

    asyncio.run(scenario())


def test_the_javascript_client_does_the_same_under_node(settings: AdologySettings, world: World) -> None:
    key = world.add_service()
    with psycopg.connect(world.url, autocommit=True) as link:
        catalogue = Committing(link)
        catalogue.ad("first", 1, 0, 0, 0)
        catalogue.ad("second", 1, 0.1, 0, 0)

    async def scenario() -> None:
        async with serving(settings) as nobody, Adology(nobody.origin) as adology:
            await adology.log_in(EMAIL, PASSWORD)
            await adology.post("/v1/brandspaces", {"name": "Sport", "primary": "nike", "competitors": ["puma"]})
            show = str(CLIENTS / "show.mjs")
            node = await asyncio.create_subprocess_exec(
                "node",
                *(*flags(), show, nobody.origin, EMAIL, "nike"),
                env={**os.environ, "ADOLOGY_PASSWORD": PASSWORD},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                await report(nobody, world, key)
                async with asyncio.timeout(40):
                    out, errors = await node.communicate()
            finally:
                if node.returncode is None:
                    node.kill()
                    await node.wait()
            lines = out.decode().splitlines()
            assert node.returncode == 0, errors.decode()
            assert lines[:2] == [f"{EMAIL} (owner) of acme", "Sport: nike (primary), puma (competitor)"]
            assert "0 ads" in lines  # nobody follows commits here
            assert lines[-1] == "nike: completed"

    asyncio.run(scenario())
