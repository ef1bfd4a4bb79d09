"""Another organisation's ids answer exactly as absent ones, and nothing it wrote is seen: for every route there is."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec
import pytest

from adology.settings import AdologySettings
from tests.server.rig import Client, World, serving
from tests.server.routes import Route, all_routes, example_body, operation
from tests.server.test_matrix import ABSENT, insert_session, insert_user

pytestmark = pytest.mark.timeout(240)
CANARY = "canary7f3e9b"
SHARED = ("brand", "tag")
"""Parameters that are no organisation's: names of brands, words of one's own."""
UNREAD = ("/v1/search/media", "/v1/search/text")
"""Routes that refuse the body before they look for the brandspace, or have no index here."""
NOT_THERE = ("/v1/ads/{ad_id:int}/similar",)
"""Routes whose owner finds nothing either: there is no index here."""
CHANGING = {"date", "x-request-id", "ratelimit", "content-length"}


class Rival:
    """An organisation with one of everything that an address can name, each with the canary in it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.name = f"Rival {CANARY}"
        world.add_org("rival", self.name)
        world.add_brands("nike")
        self.user = insert_user(world, "rival", f"{CANARY}@rival.example", "owner")
        self.token = insert_session(world, "rival", self.user)
        world.rows("update sessions set user_agent = %s", [CANARY])
        self.ids: dict[str, Any] = {"user_id": self.user, "ad_id": self._ad()}
        self.ids["session_id"] = self._one("select id from sessions where org_id = 'rival'")
        self.ids["task_id"] = self._one(
            "insert into tasks (org_id, user_id, kind, request, deadline)"
            " values ('rival', %s, 'export', %s, now() + interval '1 hour') returning id",
            self.user,
            msgspec.json.encode({"note": CANARY}).decode(),
        )

    async def fill(self, client: Client) -> None:
        """What is made through the API."""
        space = await client.post("/v1/brandspaces", {"name": CANARY, "primary": "nike"})
        self.ids["brandspace_id"] = space["id"]
        invited = await client.post("/v1/invitations", {"email": f"{CANARY}@new.example"})
        self.ids["invitation_id"] = invited["invitation"]["id"]
        self.ids["key_id"] = (await client.post("/v1/keys", {"name": CANARY}))["key"]["id"]
        board = await client.post("/v1/boards", {"name": CANARY, "about": CANARY})
        self.ids["board_id"] = board["id"]
        ad = self.ids["ad_id"]
        self.ids["note_id"] = (await client.post(f"/v1/ads/{ad}/notes", {"text": CANARY}))["id"]
        (await client.ask("PUT", f"/v1/boards/{board['id']}/ads/{ad}")).expect(204)
        (await client.ask("PUT", f"/v1/ads/{ad}/tags/{CANARY}")).expect(204)
        # Notes and tags on what both see are private all the same.
        shared = self._ad(owner=None)
        await client.post(f"/v1/ads/{shared}/notes", {"text": CANARY})
        (await client.ask("PUT", f"/v1/ads/{shared}/tags/{CANARY}")).expect(204)
        self.shared_ad = shared

    def _ad(self, owner: str | None = "rival") -> int:
        ad = self._one(
            "insert into ads (source, source_ad_id, owner_org_id, media_outcome, copy_hash, first_seen_at,"
            " last_seen_at, first_batch, last_batch)"
            " values ('s', %s, %s, 'text_only', %s, now(), now(), 'b', 'b') returning id",
            f"{CANARY if owner else 'public'}", owner, CANARY if owner else "",
            before="insert into batches (id, brand, state) values ('b', 'nike', 'committed') on conflict do nothing",
        )  # fmt: skip
        self.world.rows("insert into brand_ads values ('nike', %s, 'b', 'b')", [ad])
        return int(ad)

    def _one(self, statement: str, *values: Any, before: str = "") -> Any:
        if before:
            self.world.rows(before)
        ((found,),) = self.world.rows(statement, values)
        return found

    def snapshot(self) -> list[Any]:
        """All that the organisation has."""
        tables = (
            "users invitations sessions api_keys brandspaces brandspace_brands boards board_ads notes ad_tags tasks"
        )
        return [
            self.world.rows(f"select to_jsonb(t)::text from {table} t where org_id = 'rival' order by 1")  # noqa: S608
            for table in tables.split()
        ]


def with_ids() -> list[Route]:
    """Routes with an id of an organisation's in their address; those of operators are about all of them."""
    return [route for route in all_routes() if set(route.parameters) - set(SHARED) and route.level != "operator"]


def test_all_kinds_of_ids_are_made() -> None:
    made = {
        "user_id",
        "ad_id",
        "session_id",
        "task_id",
        "brandspace_id",
        "invitation_id",
        "key_id",
        "board_id",
        "note_id",
    }
    assert {name for route in with_ids() for name in route.parameters} - set(SHARED) == made


@pytest.mark.usefixtures("stack")
def test_anothers_ids_are_as_absent_ones(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    rival = Rival(world)
    world.add_org("acme")
    person = insert_user(world, "acme", "owner@acme.example", "owner")
    token = insert_session(world, "acme", person)

    async def told(client: Client, route: Route, ids: dict[str, Any], query: dict[str, Any]) -> list[Any]:
        values = {name: ids.get(name, "nike") for name in route.parameters}
        body = example_body(route)
        if isinstance(body, dict):
            body = {name: str(ids.get(name, value)) if name in ids else value for name, value in body.items()}
        answer = await client.ask(route.method, route.at(**values), body, **query)
        raw = answer.body if isinstance(answer.body, bytes) else msgspec.json.encode(answer.body)
        text = re.sub(r'"request":"[^"]*"', "", raw.decode())
        for value in ids.values():
            text = re.sub(rf"\b{re.escape(str(value))}\b", "ID", text)
        headers = sorted((k.lower(), v) for k, v in answer.headers.items() if k.lower() not in CHANGING)
        return [answer.status, text, headers]

    async def scenario() -> tuple[list[str], int]:
        wrong, seen = [], 0
        async with serving(store_settings, rate_caller=0, rate_organisation=0) as nobody:
            owner, foreign = nobody.as_(rival.token), nobody.as_(token)
            await rival.fill(owner)
            await foreign.post("/v1/brandspaces", {"name": "Mine", "primary": "nike"})
            before = rival.snapshot()
            absent = {name: ABSENT["int" if isinstance(value, int) else "uuid"] for name, value in rival.ids.items()}
            for route in all_routes():
                body = example_body(route)
                in_body = isinstance(body, dict) and set(body) & set(rival.ids)
                queries: list[dict[str, Any]] = [{}] if (route in with_ids() or in_body) else []
                named = {one["name"] for one in operation(route).get("parameters", []) if one["in"] == "query"}
                queries += [{"brandspace": "brandspace_id"}] if "brandspace" in named else []
                for query in queries:
                    answers = [
                        await told(foreign, route, ids, {name: ids[key] for name, key in query.items()})
                        for ids in (rival.ids, absent)
                    ]
                    seen += 1
                    if answers[0] != answers[1]:
                        wrong.append(f"{route.name} {query}: {answers[0]} is not {answers[1]}")
                    if answers[0][0] != 404 and route.path not in UNREAD:
                        wrong.append(f"{route.name} {query}: {answers[0]}")
            if rival.snapshot() != before:
                wrong.append("something of the organisation's was changed")
            for route in with_ids():  # and its owner does find it there
                if route.method == "GET":
                    values = {name: rival.ids.get(name, "nike") for name in route.parameters}
                    found = await owner.ask("GET", route.at(**values))
                    if found.status == 404 and route.path not in NOT_THERE:
                        wrong.append(f"{route.name}: {found.body}")
        return wrong, seen

    wrong, seen = asyncio.run(scenario())
    assert wrong == []
    assert seen >= len(with_ids())


def test_what_one_organisation_wrote_is_nowhere_in_what_another_sees(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    rival = Rival(world)
    world.add_org("acme")
    callers = {
        "owner": insert_session(world, "acme", insert_user(world, "acme", "owner@acme.example", "owner")),
        "operator": world.add_operator(),
        "service": world.add_service(),
        "nobody": "",
    }

    async def scenario() -> tuple[list[str], list[str]]:
        found, own = [], []
        async with serving(store_settings, rate_caller=0, rate_organisation=0) as nobody:
            await rival.fill(nobody.as_(rival.token))
            await nobody.as_(callers["owner"]).post("/v1/brandspaces", {"name": "Mine", "primary": "nike"})
            for route in all_routes():
                if route.method != "GET" or route.path == "/v1/events":
                    continue
                for ids in ({**rival.ids}, {**rival.ids, "ad_id": rival.shared_ad}):
                    path = route.at(**{name: ids.get(name, "nike") for name in route.parameters})
                    for who, secret in callers.items():
                        answer = await nobody.as_(secret).ask("GET", path)
                        # Operators see what organisations are called, and no more.
                        if CANARY in f"{answer.body!r} {dict(answer.headers)}".replace(rival.name, ""):
                            found.append(f"{who} {route.name}")
                    if CANARY in repr((await nobody.as_(rival.token).ask("GET", path)).body):
                        own.append(route.path)
        return found, own

    found, own = asyncio.run(scenario())
    assert found == []
    # The canary is where its owner sees it: what was looked at is what would have shown it.
    assert {"/v1/brandspaces", "/v1/boards", "/v1/tags", "/v1/keys", "/v1/invitations", "/v1/users", "/v1/me"} <= set(
        own
    )
