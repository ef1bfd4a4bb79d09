"""How much an organisation may have: refused past it, also where two come at once, and nobody else is counted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adology.settings import AdologySettings
from tests.server.rig import Answer, Client, World, serving
from tests.server.test_matrix import insert_session, insert_user

pytestmark = pytest.mark.timeout(60)
CAPS = {
    "keys_per_user": 2, "invitations_per_organisation": 2, "brandspaces_per_organisation": 2,
    "brands_per_organisation": 2, "boards_per_organisation": 2, "tags_per_organisation": 2, "notes_per_ad": 2,
    "tasks_per_organisation": 2,
}  # fmt: skip


class Maker:
    """Makes one more of a kind, each with a name of its own."""

    def __init__(self, ad: int, space: str) -> None:
        self._ad = ad
        self._space = space
        self._made = 0

    def make(self, kind: str, who: Client) -> Any:
        self._made += 1
        name = f"{who.token[-6:].lower().strip('-_')}-{self._made}"
        method, path, body = {
            "keys_per_user": ("POST", "/v1/keys", {"name": name}),
            "invitations_per_organisation": ("POST", "/v1/invitations", {"email": f"{name}@new.example"}),
            "brandspaces_per_organisation": ("POST", "/v1/brandspaces", {"name": name}),
            "brands_per_organisation": ("POST", "/v1/brands", {"name": name}),
            "boards_per_organisation": ("POST", "/v1/boards", {"name": name}),
            "tags_per_organisation": ("PUT", f"/v1/ads/{self._ad}/tags/{name}", None),
            "notes_per_ad": ("POST", f"/v1/ads/{self._ad}/notes", {"text": name}),
            "tasks_per_organisation": ("POST", "/v1/exports", {"brandspace_id": self._space, "format": "csv"}),
        }[kind]
        return who.ask(method, path, body)


@pytest.mark.parametrize("kind", CAPS)
def test_there_is_room_for_so_many_and_no_more(store_settings: AdologySettings, kind: str) -> None:
    world = World(store_settings)
    world.add_brands("nike")
    ad = world.add_ad("nike", "ad")
    tokens, spaces = {}, {}
    for org in ("acme", "rival"):
        world.add_org(org)
        tokens[org] = insert_session(world, org, insert_user(world, org, f"owner@{org}.example", "owner"))
        ((spaces[org],),) = world.rows(
            "insert into brandspaces (org_id, name) values (%s, 'There') returning id::text", [org]
        )
    most = 1 if kind == "brandspaces_per_organisation" else 2  # one is there

    async def scenario() -> None:
        async with serving(store_settings, connections_per_organisation=4, **CAPS) as nobody:
            ours, theirs = nobody.as_(tokens["acme"]), nobody.as_(tokens["rival"])
            maker = Maker(ad, spaces["acme"])
            answers: list[Answer] = await asyncio.gather(*(maker.make(kind, ours) for _ in range(6)))
            refused = [one for one in answers if one.status >= 400]
            assert len(answers) - len(refused) == most, [one.status for one in answers]
            expected = (429, "too-many") if kind == "tasks_per_organisation" else (409, "conflict")
            assert {(one.status, one.kind) for one in refused} == {expected}
            assert " 2 " in f" {refused[0].body['detail']}", "it says how many there may be"
            # What another organisation has does not count.
            other = await Maker(ad, spaces["rival"]).make(kind, theirs)
            assert other.status < 300, other.body

    asyncio.run(scenario())


def test_what_is_gone_makes_room(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    world.add_org("acme")
    token = insert_session(world, "acme", insert_user(world, "acme", "owner@acme.example", "owner"))

    async def scenario() -> None:
        async with serving(store_settings, **CAPS) as nobody:
            owner = nobody.as_(token)
            keys = [(await owner.post("/v1/keys", {"name": "k"}))["key"]["id"] for _ in range(2)]
            assert (await owner.ask("POST", "/v1/keys", {"name": "k"})).kind == "conflict"
            (await owner.ask("DELETE", f"/v1/keys/{keys[0]}")).expect(204)
            await owner.post("/v1/keys", {"name": "k"})
            world.rows("update api_keys set expires_at = now() where id = %s", [keys[1]])
            await owner.post("/v1/keys", {"name": "k"})
            # A second invitation of the same e-mail takes the place of the first.
            for email in ("a@x.example", "b@x.example", "b@x.example"):
                await owner.post("/v1/invitations", {"email": email})
            # A tag that the organisation has is no new one.
            world.add_brands("nike")
            ads = [world.add_ad("nike", f"ad-{number}") for number in range(3)]
            for ad in ads:
                for tag in ("one", "Two"):
                    (await owner.ask("PUT", f"/v1/ads/{ad}/tags/{tag}")).expect(204)
            assert (await owner.ask("PUT", f"/v1/ads/{ads[0]}/tags/three")).kind == "conflict"

    asyncio.run(scenario())


def test_brands_that_others_added_are_seen_as_the_catalogues(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    tokens = {}
    for org in ("acme", "rival"):
        world.add_org(org)
        tokens[org] = insert_session(world, org, insert_user(world, org, f"owner@{org}.example", "owner"))

    async def scenario() -> None:
        async with serving(store_settings, **CAPS) as nobody:
            await nobody.as_(tokens["acme"]).post("/v1/brands", {"name": "Norvik"})
            seen = await nobody.as_(tokens["rival"]).get("/v1/brands/norvik")
            assert "acme" not in str(seen)

    asyncio.run(scenario())
    assert world.rows("select brand, org_id from brands_added") == [("norvik", "acme")]
