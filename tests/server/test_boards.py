"""Boards, notes and tags: kept by an organisation, about ads that it may see, seen by it alone."""

from __future__ import annotations

import asyncio

import pytest

from adology.settings import AdologySettings
from tests.server.rig import World, log_in, serving

pytestmark = pytest.mark.timeout(60)
ABSENT = 987_654_321


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    made = World(store_settings)
    for org in ("acme", "rival"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_user("acme", "member@acme.example", "member")
    made.add_brands("nike")
    return made


def test_ads_are_pinned_in_order_once_and_taken_off(store_settings: AdologySettings, world: World) -> None:
    ads = [world.add_ad("nike", f"ad-{number}", title=f"Offer {number}") for number in range(3)]

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            board = await owner.post("/v1/boards", {"name": "Ideas", "about": "for spring"})
            path = f"/v1/boards/{board['id']}"
            for ad in (ads[1], ads[0], ads[1], ads[2]):
                (await owner.ask("PUT", f"{path}/ads/{ad}")).expect(204)
            first = await owner.get(f"{path}/ads", limit=2)
            rest = await owner.get(f"{path}/ads", limit=2, after=first["next"])
            assert [row["ad_id"] for row in (*first["items"], *rest["items"])] == [ads[1], ads[0], ads[2]]
            assert (first["items"][0]["title"], rest["next"]) == ("Offer 1", None)
            (await owner.ask("DELETE", f"{path}/ads/{ads[0]}")).expect(204)
            assert (await owner.ask("DELETE", f"{path}/ads/{ads[0]}")).kind == "not-found"
            assert (await owner.get(path))["ads"] == 2
            tag = (await owner.ask("GET", path)).headers["etag"]
            (await owner.ask("PATCH", path, {"about": "for autumn"}, headers={"if-match": tag})).expect(200)
            lost = await owner.ask("PATCH", path, {"name": "Mine"}, headers={"if-match": tag})
            assert lost.kind == "changed-meanwhile"
            assert (await owner.ask("POST", "/v1/boards", {"name": "IDEAS"})).kind == "taken"
            assert (await owner.ask("PUT", f"{path}/ads/{ABSENT}")).kind == "not-found"
            (await owner.ask("DELETE", path)).expect(204)
            assert (await owner.get("/v1/boards"))["items"] == []

    asyncio.run(scenario())


def test_notes_are_their_authors_and_tags_everybodys(store_settings: AdologySettings, world: World) -> None:
    ad = world.add_ad("nike", "ad")

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner, member = [await log_in(nobody, f"{role}@acme.example") for role in ("owner", "member")]
            path = f"/v1/ads/{ad}"
            note = await owner.post(f"{path}/notes", {"text": "A fresh hook"})
            await member.post(f"{path}/notes", {"text": "Seen before"})
            first = await member.get(f"{path}/notes", limit=1)
            second = await member.get(f"{path}/notes", limit=1, after=first["next"])
            assert [row["text"] for row in (*first["items"], *second["items"])] == ["A fresh hook", "Seen before"]
            changed = f"/v1/notes/{note['id']}"
            assert (await member.ask("PATCH", changed, {"text": "No"})).kind == "not-allowed"
            assert (await member.ask("DELETE", changed)).kind == "not-allowed"
            assert (await owner.ask("PATCH", changed, {"text": "A stale hook"})).expect(200)["version"] == 2
            (await owner.ask("DELETE", f"/v1/notes/{second['items'][0]['id']}")).expect(204)  # an admin may
            assert (await owner.ask("POST", f"{path}/notes", {"text": "NUL \0"})).kind == "invalid"
            for tag in ("Spring Sale", "spring  sale", "été"):
                (await member.ask("PUT", f"{path}/tags/{tag}")).expect(204)
            assert await owner.get(f"{path}/tags") == ["spring sale", "été"]
            assert (await owner.get("/v1/tags"))["items"] == [
                {"tag": "spring sale", "ads": 1}, {"tag": "été", "ads": 1},
            ]  # fmt: skip
            (await owner.ask("DELETE", f"{path}/tags/SPRING SALE")).expect(204)
            assert (await owner.ask("PUT", f"{path}/tags/{'x' * 61}")).kind == "invalid"
            assert await member.get(f"{path}/tags") == ["été"]

    asyncio.run(scenario())


def test_what_an_organisation_keeps_is_seen_by_it_alone(store_settings: AdologySettings, world: World) -> None:
    public, private = world.add_ad("nike", "public"), world.add_ad("nike", "private", "acme")

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner, rival = [await log_in(nobody, f"owner@{org}.example") for org in ("acme", "rival")]
            board = await owner.post("/v1/boards", {"name": "Ideas"})
            note = await owner.post(f"/v1/ads/{private}/notes", {"text": "ours"})
            await owner.post(f"/v1/ads/{public}/notes", {"text": "canary"})
            for ad in (public, private):
                (await owner.ask("PUT", f"/v1/ads/{ad}/tags/canary")).expect(204)
                (await owner.ask("PUT", f"/v1/boards/{board['id']}/ads/{ad}")).expect(204)
            assert (await rival.get(f"/v1/ads/{public}/notes"))["items"] == []
            assert await rival.get(f"/v1/ads/{public}/tags") == []
            assert (await rival.get("/v1/tags"))["items"] == []
            assert (await rival.get("/v1/boards"))["items"] == []
            own = await rival.post("/v1/boards", {"name": "Ideas"})
            for method, path, body in (
                ("GET", "/v1/ads/{}/notes", None),
                ("POST", "/v1/ads/{}/notes", {"text": "x"}),
                ("GET", "/v1/ads/{}/tags", None),
                ("PUT", "/v1/ads/{}/tags/x", None),
                ("DELETE", "/v1/ads/{}/tags/canary", None),
                ("PUT", f"/v1/boards/{own['id']}/ads/{{}}", None),
                ("DELETE", f"/v1/boards/{own['id']}/ads/{{}}", None),
            ):
                told = [
                    (await rival.ask(method, path.format(ad), body)).body["detail"].replace(str(ad), "…")
                    for ad in (private, ABSENT)
                ]
                assert told[0] == told[1], (method, path)
            for path in (f"/v1/boards/{board['id']}", f"/v1/boards/{board['id']}/ads"):
                assert (await rival.ask("GET", path)).kind == "not-found"
            assert (await rival.ask("DELETE", f"/v1/notes/{note['id']}")).kind == "not-found"
            assert (await owner.get(f"/v1/boards/{board['id']}"))["ads"] == 2

    asyncio.run(scenario())
