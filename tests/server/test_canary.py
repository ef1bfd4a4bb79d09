"""A word that one organisation wrote is in no answer to a change, no event, no file and no error of another's.

What is read by GET: `test_foreign`.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from adology.settings import AdologySettings
from tests.server.live_rig import events, socket
from tests.server.rig import Client, World, serving
from tests.server.routes import Route, all_routes, example_body
from tests.server.tasks_rig import is_, quick, running, wait_task
from tests.server.test_foreign import CANARY, Rival
from tests.server.test_matrix import insert_key, insert_session, insert_user

pytestmark = pytest.mark.timeout(240)
OF_OTHERS = ("/v1/operator/organisations/{organisation:str}/suspension", "/v1/operator/keys/{any_key_id:uuid}")
"""What operators rightly do to the other organisation would end it."""
FEED = """
insert into feed (brand, ad_id, owner_org_id, brands, source, source_ad_id, format, platforms, languages, first_seen_at,
    last_seen_at, looked_at, vendor_status, run_days, run_basis, landing_domain, labels, rules_passed, rules_failed)
    values ('nike', %s, %s, '{nike}', 's', %s, '', '{}', '{}', now(), now(), now(), '', 1, 'seen', '', '{}', '{}',
    '{}')"""
SHOWN = """
insert into feed_items (brand, ad_id, owner_org_id, item, search)
    values ('nike', %s, %s, %s, to_tsvector('simple', %s))"""
ITEM = """{"id":%d,"brand":"nike","source":"s","source_ad_id":"%s","private":%s,"advertiser":"","title":"%s","body":"",
    "cta":"","format":"","kind":null,"assets":0,"platforms":[],"languages":[],"countries":[],"landing_domain":"",
    "vendor_status":"","started_on":null,"stopped_on":null,"first_seen_at":"2026-01-01T00:00:00Z",
    "run_basis":"seen","labels":[],"rules_passed":[],
    "rules_failed":[],"safety":null,"safety_level":null}"""


def list_ads(world: World, rival: Rival) -> None:
    """The private ad and the public one, as lists and exports read them."""
    for ad, owner, word in ((rival.ids["ad_id"], "rival", CANARY), (rival.shared_ad, None, "public")):
        item = " ".join((ITEM % (ad, word, str(bool(owner)).lower(), word)).split())
        world.rows(FEED, [ad, owner, word])
        world.rows(SHOWN, [ad, owner, item, word])


class Acme:
    """The organisation that must see nothing of it: one of each thing that an address can name."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.add_org("acme", "Acme")
        self.user = insert_user(world, "acme", "owner@acme.example", "owner")
        self.other = insert_user(world, "acme", "other@acme.example", "member")

    def session(self) -> str:
        """A new one: routes may have ended the last."""
        return insert_session(self.world, "acme", self.user)

    async def make(self, client: Client, ad: int) -> dict[str, Any]:
        """New things each time: routes may have removed the last."""
        name = f"Ours {self.session()[-8:]}"
        space = await client.post("/v1/brandspaces", {"name": name, "primary": "nike"})
        (await client.ask("PUT", "/v1/me/brandspace", {"brandspace_id": space["id"]})).expect(204)
        board = await client.post("/v1/boards", {"name": name})
        (await client.ask("PUT", f"/v1/boards/{board['id']}/ads/{ad}")).expect(204)
        (await client.ask("PUT", f"/v1/ads/{ad}/tags/nike")).expect(204)
        note = await client.post(f"/v1/ads/{ad}/notes", {"text": "ours"})
        invited = await client.post("/v1/invitations", {"email": f"{name[-8:].lower()}@new.example"})
        ((key,),) = self.world.rows("select id::text from api_keys where secret_hash = sha256(%s)", [
            insert_key(self.world, "acme", self.user, "read").encode()
        ])  # fmt: skip
        ((session,),) = self.world.rows(
            "select id::text from sessions where org_id = 'acme' order by created_at limit 1"
        )
        task = await client.post("/v1/exports", {"brandspace_id": space["id"]}, 202)
        return {
            "brandspace_id": space["id"],
            "board_id": board["id"],
            "ad_id": ad,
            "note_id": note["id"],
            "invitation_id": invited["invitation"]["id"],
            "key_id": key,
            "user_id": self.other,
            "session_id": session,
            "task_id": task["request_id"],
        }


async def told(client: Client, route: Route, ids: dict[str, Any]) -> tuple[int, str]:
    """The status, and all that the answer says."""
    values = {name: ids.get(name, "nike") for name in route.parameters}
    body = example_body(route)
    if isinstance(body, dict):
        body = {name: str(ids[name]) if name in ids else value for name, value in body.items()}
    query: dict[str, Any] = {"confirm": "Acme"} if route.name == "DELETE /v1/organisation" else {}
    answer = await client.ask(route.method, route.at(**values), body, **query)
    return answer.status, f"{answer.body!r} {dict(answer.headers)}"


def changing() -> list[Route]:
    """Routes that change something; what ends the organisation itself comes last."""
    found = [route for route in all_routes() if route.method not in ("GET", "ANY")]
    return sorted(found, key=lambda route: route.name == "DELETE /v1/organisation")


def test_no_answer_to_a_change_tells_what_another_organisation_wrote(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    rival, acme = Rival(world), Acme(world)
    operator, service = world.add_operator(), world.add_service()

    async def scenario() -> tuple[list[str], set[str]]:
        found, done = [], set()
        async with serving(store_settings, rate_caller=0, rate_organisation=0) as nobody:
            await rival.fill(nobody.as_(rival.token))
            list_ads(world, rival)
            for route in changing():
                own = await acme.make(nobody.as_(acme.session()), rival.shared_ad)
                sets = (rival.ids, {**rival.ids, "ad_id": rival.shared_ad}, own)
                callers = {"owner": "", "operator": operator, "service": service, "nobody": ""}
                for who, secret in callers.items():
                    if who == "operator" and route.path in OF_OTHERS:
                        continue
                    for ids in sets:
                        client = nobody.as_(acme.session() if who == "owner" else secret)
                        status, text = await told(client, route, ids)
                        if CANARY in text:
                            found.append(f"{who} {route.name}: {text}")
                        if status < 300 and who == "owner":
                            done.add(route.name)
        return found, done

    found, done = asyncio.run(scenario())
    assert found == []
    # Most of them were not only refused: what was made is what was answered.
    assert len(done) >= 25, sorted({route.name for route in changing()} - done)


def test_no_event_and_no_file_tells_what_another_organisation_wrote(settings: AdologySettings) -> None:
    world = World(settings)
    rival, acme = Rival(world), Acme(world)

    async def scenario() -> None:
        async with serving(settings) as nobody, running(quick(settings)):
            theirs, ours = nobody.as_(rival.token), nobody.as_(acme.session())
            await rival.fill(theirs)
            list_ads(world, rival)
            ids = await acme.make(ours, rival.shared_ad)
            world.rows(
                "insert into events (org_id, kind, brand, batch, body) values ('rival', 'brand.new_ads', 'nike', 'b',"
                " json_build_object('brand', 'nike', 'note', %s::text))",
                [CANARY],
            )
            files = {}
            for who, client, space in (("acme", ours, ids), ("rival", theirs, rival.ids)):
                body = {"brandspace_id": space["brandspace_id"]}
                task = (await client.post("/v1/exports", body, 202))["request_id"]
                await wait_task(client, task, is_("completed"))
                url = (await client.get(f"/v1/tasks/{task}/file"))["url"]
                async with aiohttp.ClientSession() as http, http.get(url) as response:
                    files[who] = await response.text()
            assert "public" in files["acme"]
            assert CANARY not in files["acme"]
            assert CANARY in files["rival"]  # it was there to be found
            for client, is_there in ((ours, False), (theirs, True)):
                assert (CANARY.encode() in await all_events(client, world)) is is_there
            assert CANARY not in await all_messages(ours, world)

    asyncio.run(scenario())


def mark(world: World, org: str) -> int:
    """An event of that organisation, the newest; its number."""
    world.rows(
        'insert into events (org_id, kind, body) values (%s, \'task\', \'{"request_id":"x","status":"last one"}\')',
        [org],
    )
    ((number,),) = world.rows("select max(id) from events")
    return int(number)


async def all_events(client: Client, world: World) -> bytes:
    """All server-sent events of the client, from the first one on."""
    ((org,),) = world.rows("select org_id from session_tokens where token_hash = sha256(%s)", [client.token.encode()])
    async with events(client, 0) as stream:
        mark(world, org)
        return await stream.until(b"last one")


async def all_messages(client: Client, world: World) -> str:
    """All messages of a WebSocket of the client, from the first event on."""
    async with socket(client, 0) as link:
        mark(world, "acme")
        read = ""
        while "last one" not in read:
            read += repr(await link.hear())
        return read
