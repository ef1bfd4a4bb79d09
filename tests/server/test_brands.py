"""Brands: found, made, changed, by those who may."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from psycopg.types.json import Jsonb

from adology.settings import AdologySettings
from tests.server.rig import World, log_in, serving

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    made = World(store_settings)
    made.add_org("acme")
    for role in ("admin", "member", "viewer"):
        made.add_user("acme", f"{role}@acme.example", role)
    made.add_brands("nike", "new-balance", "puma")
    return made


@pytest.mark.usefixtures("world")
def test_brands_are_found_by_parts_of_their_names(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            viewer = await log_in(nobody, "viewer@acme.example")

            async def found(**query: Any) -> list[str]:
                return [one["id"] for one in (await viewer.get("/v1/brands", **query))["items"]]

            assert await found() == ["new-balance", "nike", "puma"]
            assert await found(q="N") == ["new-balance", "nike"]
            assert await found(q="BALANCE") == ["new-balance"]
            assert await found(q="%") == []
            first = await viewer.get("/v1/brands", limit=2)
            assert await found(limit=2, after=first["next"]) == ["puma"]
            assert (await viewer.ask("GET", "/v1/brands", q="n", after=first["next"])).kind == "bad-cursor"
            assert (await viewer.ask("GET", "/v1/brands/nope")).kind == "not-found"

    asyncio.run(scenario())


def test_a_member_adds_a_brand_with_handles_and_schedule(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            member, viewer = [await log_in(nobody, f"{role}@acme.example") for role in ("member", "viewer")]
            body = {"name": "On Running", "handles": {"facebook": ["1", "2", "1"]}, "refresh_every_s": 86400}
            assert (await viewer.ask("POST", "/v1/brands", body)).kind == "not-allowed"
            answer = await member.ask("POST", "/v1/brands", body)
            made = answer.expect(201)
            assert (made["id"], answer.headers["location"]) == ("on-running", "/v1/brands/on-running")
            assert (made["handles"], made["refresh_every_s"]) == ({"facebook": ["1", "2"]}, 86400)
            assert (made["ads"], made["sources"], made["last_committed_at"]) == (0, [], None)
            assert (await member.ask("POST", "/v1/brands", {"name": "ON running"})).kind == "taken"
            for wrong in (
                {"name": "!!!"}, {"name": "x", "refresh_every_s": 60}, {"name": "x", "handles": {"facebook": [""]}},
                {"name": "x", "handle": {}}, {"name": "x" * 101}, {"name": "x", "handles": {"facebook": ["a\u0000"]}},
            ):  # fmt: skip
                assert (await member.ask("POST", "/v1/brands", wrong)).kind == "invalid", wrong
            files = await member.ask("POST", "/v1/brands", {"name": "x", "handles": {"files": ["/etc"]}})
            assert (files.kind, files.body["errors"][0]["field"]) == ("not-allowed", "handles.files")

    asyncio.run(scenario())
    assert world.rows("select next_refresh_at > now(), file_roots from brands where id = 'on-running'") == [(True, [])]


def test_an_admin_changes_handles_and_schedule(store_settings: AdologySettings, world: World) -> None:
    world.rows(
        "update brands set handles = %s, refresh_every = '1 day' where id = 'nike'",
        [Jsonb({"facebook": ["1"], "shop": ["a"], "crm": ["nobody else's"], "files": ["/a/folder"]})],
    )
    world.rows("insert into feed_coverage (brand, source, owner_org_id, tried_at, outcome) values"
               " ('nike', 'theirs', 'rival', now(), 'ok'), ('nike', 'facebook', null, now(), 'ok')")  # fmt: skip
    # Of rival's database nothing was gathered yet.
    sources = {"shop": {"plugin": "customer_db", "owner_org_id": "acme"}}
    sources |= {"crm": {"plugin": "customer_db", "owner_org_id": "rival"}}

    async def scenario() -> None:
        async with serving(msgspec.structs.replace(store_settings, sources=sources)) as nobody:
            admin, member = [await log_in(nobody, f"{role}@acme.example") for role in ("admin", "member")]
            path = "/v1/brands/nike"
            assert (await member.ask("PATCH", path, {"refresh_every_s": None})).kind == "not-allowed"
            changed = (await admin.ask("PATCH", path, {"handles": {"serpapi": ["AR1"], "facebook": []}})).expect(200)
            assert changed["handles"] == {"serpapi": ["AR1"], "shop": ["a"]}
            assert changed["refresh_every_s"] == 86400
            assert [one["source"] for one in changed["sources"]] == ["facebook"]
            changed = (await admin.ask("PATCH", path, {"refresh_every_s": None})).expect(200)
            assert (changed["refresh_every_s"], changed["next_refresh_at"]) == (None, None)
            for source in ("theirs", "shop"):
                assert (await admin.ask("PATCH", path, {"handles": {source: ["x"]}})).kind == "not-allowed", source
            assert (await admin.ask("PATCH", "/v1/brands/nope", {"handles": {}})).kind == "not-found"

    asyncio.run(scenario())
