"""Brandspaces: made, chosen, changed by several at once, and seen by their organisation alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adology.settings import AdologySettings
from tests.server.rig import World, log_in, serving

pytestmark = pytest.mark.timeout(60)
ABSENT = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    made = World(store_settings)
    for org in ("acme", "rival"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_user("acme", "viewer@acme.example", "viewer")
    made.add_brands("nike", "adidas", "puma", "asics")
    return made


def placed(brandspace: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["brand"], one["role"]) for one in brandspace["brands"]]


@pytest.mark.usefixtures("world")
def test_a_brandspace_holds_brands_in_roles_and_is_chosen(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            body = {"name": "Sport", "primary": "nike", "competitors": ["puma", "adidas"]}
            made = await owner.post("/v1/brandspaces", body)
            first = [("nike", "primary"), ("adidas", "competitor"), ("puma", "competitor")]
            assert (made["name"], placed(made), made["version"]) == ("Sport", first, 1)
            assert (await owner.get("/v1/me"))["brandspace_id"] == made["id"]
            path = f"/v1/brandspaces/{made['id']}"
            (await owner.ask("PUT", f"{path}/brands/asics", {"role": "followed"})).expect(200)
            changed = (await owner.ask("PUT", f"{path}/brands/puma", {"role": "primary"})).expect(200)
            assert placed(changed) == [
                ("puma", "primary"), ("adidas", "competitor"), ("nike", "competitor"), ("asics", "followed"),
            ]  # fmt: skip
            (await owner.ask("DELETE", f"{path}/brands/adidas")).expect(204)
            assert (await owner.ask("DELETE", f"{path}/brands/adidas")).kind == "not-found"
            assert (await owner.ask("PUT", f"{path}/brands/unknown", {"role": "followed"})).kind == "not-found"
            second = await owner.post("/v1/brandspaces", {"name": "Other"})
            assert (await owner.get("/v1/me"))["brandspace_id"] == made["id"]
            (await owner.ask("PUT", "/v1/me/brandspace", {"brandspace_id": second["id"]})).expect(204)
            assert (await owner.get("/v1/me"))["brandspace_id"] == second["id"]
            (await owner.ask("DELETE", f"/v1/brandspaces/{second['id']}")).expect(204)
            assert (await owner.get("/v1/me"))["brandspace_id"] is None

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_what_cannot_be_is_refused_in_words(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            await owner.post("/v1/brandspaces", {"name": "Sport"})

            async def refused(body: Any) -> tuple[str, str]:
                answer = await owner.ask("POST", "/v1/brandspaces", body)
                return answer.kind, answer.body["errors"][0]["detail"] if answer.body.get("errors") else ""

            assert (await refused({"name": "sport"}))[0] == "taken"
            assert await refused({"name": "A", "primari": "nike"}) == (
                "invalid", "There is no field 'primari'; did you mean 'primary'?",
            )  # fmt: skip
            kind, detail = await refused({"name": "A", "primary": "nike", "followed": ["nike"]})
            assert (kind, detail) == ("invalid", "nike is given 2 times; a brand has one role.")
            assert (await refused({"name": "A", "competitors": ["nope"]}))[0] == "not-found"
            assert (await refused({"name": ""}))[0] == "invalid"
            assert (await refused([1]))[0] == "invalid"
            viewer = await log_in(nobody, "viewer@acme.example")
            answer = await viewer.ask("POST", "/v1/brandspaces", {"name": "B"})
            assert (answer.kind, "viewer" in answer.body["detail"]) == ("not-allowed", True)
            assert [one["name"] for one in (await viewer.get("/v1/brandspaces"))["items"]] == ["Sport"]

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_of_two_who_change_a_version_one_is_told(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            made = await owner.post("/v1/brandspaces", {"name": "Sport"})
            path = f"/v1/brandspaces/{made['id']}"
            tag = (await owner.ask("GET", path)).headers["etag"]
            assert (await owner.ask("GET", path, headers={"if-none-match": tag})).status == 304
            both = await asyncio.gather(
                *(owner.ask("PATCH", path, {"name": name}, headers={"if-match": tag}) for name in ("One", "Two"))
            )
            assert sorted(answer.status for answer in both) == [200, 412]
            (lost,) = [answer for answer in both if answer.status == 412]
            assert lost.kind == "changed-meanwhile"
            assert (await owner.ask("GET", path, headers={"if-none-match": tag})).status == 200

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_lists_are_read_in_pages_by_their_reader_alone(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner, rival = [await log_in(nobody, f"owner@{org}.example") for org in ("acme", "rival")]
            for number in range(5):
                await owner.post("/v1/brandspaces", {"name": f"Space {number}"})
            first = await owner.get("/v1/brandspaces", limit=2)
            await owner.post("/v1/brandspaces", {"name": "A late one"})
            second = await owner.get("/v1/brandspaces", limit=2, after=first["next"])
            third = await owner.get("/v1/brandspaces", limit=2, after=second["next"])
            names = [one["name"] for page in (first, second, third) for one in page["items"]]
            assert (names, third["next"]) == ([f"Space {number}" for number in range(5)], None)
            assert (await rival.ask("GET", "/v1/brandspaces", after=first["next"])).kind == "bad-cursor"
            flipped = first["next"][:-1] + ("A" if first["next"][-1] != "A" else "B")
            for cursor in (flipped, "x", "", "%%%", first["next"][:10]):
                assert (await owner.ask("GET", "/v1/brandspaces", after=cursor)).kind == "bad-cursor", cursor
            for limit in ("0", "201", "x"):
                assert (await owner.ask("GET", "/v1/brandspaces", limit=limit)).kind == "invalid"

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_anothers_brandspace_is_as_absent(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner, rival = [await log_in(nobody, f"owner@{org}.example") for org in ("acme", "rival")]
            made = await owner.post("/v1/brandspaces", {"name": "Sport"})
            for method, path, body in (
                ("GET", "/v1/brandspaces/{}", None),
                ("PATCH", "/v1/brandspaces/{}", {"name": "Mine"}),
                ("DELETE", "/v1/brandspaces/{}", None),
                ("PUT", "/v1/brandspaces/{}/brands/nike", {"role": "followed"}),
                ("DELETE", "/v1/brandspaces/{}/brands/nike", None),
            ):
                told = [
                    (await rival.ask(method, path.format(which), body)).body["detail"].replace(which, "…")
                    for which in (made["id"], ABSENT)
                ]
                assert told[0] == told[1], (method, path)
            assert (await rival.ask("PUT", "/v1/me/brandspace", {"brandspace_id": made["id"]})).kind == "not-found"
            assert (await rival.get("/v1/brandspaces"))["items"] == []
            assert (await owner.get(f"/v1/brandspaces/{made['id']}"))["name"] == "Sport"

    asyncio.run(scenario())
