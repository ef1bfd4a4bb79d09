"""SIGTERM: what is under way is answered, and nothing new is taken."""

from __future__ import annotations

import asyncio
import json
import time

import aiohttp
import psycopg
import pytest

from adology.settings import AdologySettings
from tests.server.rig import Client, World
from tests.server.tasks_rig import process
from tests.server.test_matrix import insert_session, insert_user
from tests.system.rig import wait_until

pytestmark = pytest.mark.timeout(120)
WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'adology-server'"


def test_a_request_under_way_at_sigterm_is_answered_and_kept(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    world.add_org("acme")
    world.add_brands("nike")
    token = insert_session(world, "acme", insert_user(world, "acme", "owner@acme.example", "owner"))

    async def scenario() -> None:
        with process(store_settings, "server") as server:
            line = await server.wait_line("server listening", timeout_s=60)
            origin = json.loads(line)["address"]
            async with aiohttp.ClientSession() as http:
                owner = Client(http, origin, token)
                await owner.get("/v1/me")
                with psycopg.connect(world.url) as holder:
                    holder.execute("select from brands where id = 'nike' for update")
                    change = {"refresh_every_s": 7200}
                    asked = asyncio.create_task(owner.ask("PATCH", "/v1/brands/nike", change))

                    async def waits() -> bool:
                        ((count,),) = world.rows(WAITING)
                        return bool(count)

                    await wait_until(waits, "the request waits for the row")
                    server.terminate()
                    await refuses(origin)
                    assert not asked.done()
                answer = await asked
                assert answer.expect(200)["refresh_every_s"] == 7200
            began = time.monotonic()
            assert await server.end() == 0
            assert time.monotonic() - began < 8  # it does not wait out its time once all is answered

    asyncio.run(scenario())
    assert world.rows("select extract(epoch from refresh_every)::int from brands where id = 'nike'") == [(7200,)]
    assert world.rows("select action, outcome from audit") == [("changeBrand", "done")]


async def refuses(origin: str) -> None:
    """New connections are not taken any more."""
    for _ in range(100):
        try:
            async with aiohttp.ClientSession() as fresh, fresh.get(f"{origin}/healthz"):
                await asyncio.sleep(0.05)
        except aiohttp.ClientConnectionError:
            return
    raise AssertionError("it still listens")
