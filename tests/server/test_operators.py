"""Operators: organisations in numbers, suspensions, all keys, their own log; by the API and by command."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from adology.cli.app import app
from adology.settings import AdologySettings
from adology_server.manners.verify import AuditLog
from adology_server.tenancy import Tenants
from tests.server.live_rig import events, refused, socket
from tests.server.rig import PASSWORD, Client, World, log_in, serving
from tests.server.test_audit import said
from tests.server.test_foreign import CANARY, Rival
from tests.server.test_matrix import insert_key, insert_session, insert_user

pytestmark = pytest.mark.timeout(120)
BASE = "/v1/operator/organisations"


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    """Two organisations with an owner each."""
    made = World(store_settings)
    for org in ("acme", "rival"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_brands("nike")
    return made


def test_organisations_are_seen_in_numbers_and_nothing_of_theirs(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    rival = Rival(world)
    world.add_org("acme")
    key = world.add_operator()

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            await rival.fill(nobody.as_(rival.token))
            operator = nobody.as_(key)
            first = await operator.get(BASE, limit=1)
            second = await operator.get(BASE, limit=1, after=first["next"])
            assert [row["id"] for row in (*first["items"], *second["items"])] == ["acme", "rival"]
            assert second["next"] is None
            found = await operator.get(f"{BASE}/rival")
            numbers = {n: found[n] for n in ("users", "keys", "brandspaces", "boards", "open_tasks", "private_ads")}
            assert numbers == {
                "users": 1,
                "keys": 1,
                "brandspaces": 1,
                "boards": 1,
                "open_tasks": 1,
                "private_ads": 1,
            }
            assert CANARY not in repr({**found, "name": ""})  # the name alone is shown
            assert (await operator.ask("GET", f"{BASE}/nowhere")).kind == "not-found"

    asyncio.run(scenario())


def test_a_suspended_organisation_is_shut_out_everywhere_until_it_is_resumed(
    store_settings: AdologySettings, world: World
) -> None:
    key = world.add_operator()
    ((user,),) = world.rows("select id from users where org_id = 'acme'")
    api_key = insert_key(world, "acme", user, "read")

    async def scenario() -> None:
        async with serving(store_settings) as one, serving(store_settings) as two:
            operator, owner = one.as_(key), await log_in(one, "owner@acme.example")
            rival = await log_in(one, "owner@rival.example")
            robot = two.as_(api_key)
            spare = str((await owner.post("/v1/ws-tickets"))["ticket"])
            async with socket(two.as_(owner.token)) as link, socket(robot) as other, events(owner) as stream:
                path = f"{BASE}/acme/suspension"
                (await operator.ask("PUT", path, {"reason": "not paid"})).expect(204)
                assert (await link.closed())[0] == 4001
                assert (await other.closed())[0] == 4001
                await stream.until(b"the session has ended")
            for client in (owner, two.as_(owner.token), robot):
                assert (await client.ask("GET", "/v1/me")).kind == "session-ended"
            tokens = {"refresh_token": owner.refresh_token}
            assert (await one.ask("POST", "/v1/auth/refresh", tokens)).kind == "session-ended"
            login = {"email": "owner@acme.example", "password": PASSWORD}
            assert (await two.ask("POST", "/v1/auth/login", login)).kind == "wrong-credentials"
            assert (await refused(f"{one.origin.replace('http', 'ws')}/v1/ws?ticket={spare}"))[0] == 401
            assert (await rival.ask("GET", "/v1/me")).status == 200
            found = await operator.get(f"{BASE}/acme")
            assert (found["suspended_why"], found["suspended_at"] is not None) == ("not paid", True)
            for _ in range(2):  # again: nothing changes
                (await operator.ask("DELETE", path)).expect(204)
            for client in (owner, robot):
                assert (await client.ask("GET", "/v1/me")).status == 200
            (await one.ask("POST", "/v1/auth/refresh", tokens)).expect(200)
            assert (await operator.ask("PUT", f"{BASE}/nowhere/suspension", {"reason": "x"})).kind == "not-found"
            assert (await operator.ask("PUT", path, {"reason": ""})).kind == "invalid"
            told = [row for row in (await owner.get("/v1/audit"))["items"] if row["actor"].startswith("operator:")]
            assert [row["action"] for row in told] == ["resumeOrganisation", "suspendOrganisation"]
            assert told[1]["reason"] == "not paid"
            log = await operator.get("/v1/operator/audit")
            assert [row["action"] for row in log["items"]][:2] == ["resumeOrganisation", "resumeOrganisation"]
            page = await operator.get("/v1/operator/audit", limit=1)
            rest = await operator.get("/v1/operator/audit", after=page["next"])
            assert [*page["items"], *rest["items"]] == log["items"]
            assert CANARY not in repr(log)

    asyncio.run(scenario())
    for chain in ("", "acme"):
        assert AuditLog(world.url).verify(chain).broken is None


def test_an_operator_revokes_any_key(store_settings: AdologySettings, world: World) -> None:
    key, service = world.add_operator(), world.add_service()
    ((user,),) = world.rows("select id from users where org_id = 'acme'")
    customers = insert_key(world, "acme", user, "read")

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            operator = nobody.as_(key)
            own = (await operator.get("/v1/operator/keys"))["items"]
            assert sorted(row["scopes"][0] for row in own) == ["notify", "operate"]
            (workers,) = [row["id"] for row in own if row["scopes"] == ["notify"]]
            (theirs,) = (await operator.get("/v1/operator/keys", organisation="acme"))["items"]
            assert "secret" not in repr([own, theirs])
            report: dict[str, Any] = {"request_id": "x", "status": "completed"}
            assert (await nobody.as_(service).ask("POST", "/notify", report)).kind == "not-found"
            async with socket(nobody.as_(customers)) as link:
                (await operator.ask("DELETE", f"/v1/operator/keys/{theirs['id']}")).expect(204)
                assert (await link.closed())[0] == 4001
            (await operator.ask("DELETE", f"/v1/operator/keys/{workers}")).expect(204)
            assert (await nobody.as_(service).ask("POST", "/notify", report)).kind == "session-ended"
            assert (await nobody.as_(customers).ask("GET", "/v1/me")).kind == "session-ended"
            assert (await operator.ask("DELETE", f"/v1/operator/keys/{workers}")).kind == "not-found"

    asyncio.run(scenario())
    assert said(world, "acme")[-1] == ("revokeAnyKey", "done", "")
    assert [action for action, _, _ in said(world, "")] == ["revokeAnyKey"] * 2


def test_the_database_itself_gives_nothing_to_who_is_no_operator(store_settings: AdologySettings, world: World) -> None:
    world.add_operator()
    ((user,),) = world.rows("select id from users where org_id = 'acme'")
    insert_key(world, "acme", user, "manage")
    world.add_service()
    ((operators,),) = world.rows("select id from api_keys where scopes = '{operate}'")
    others = [row[0] for row in world.rows("select id from api_keys where scopes <> '{operate}'")]

    async def scenario() -> None:
        async with Tenants(store_settings) as tenants:

            async def count(statement: Any, *values: Any) -> int:
                return len(await tenants.rows(None, statement, values))

            async def tried(key: Any) -> list[Any]:
                counts = [
                    await count("select * from operator_organisations(%s, null, '', 10)", key),
                    await count("select * from operator_keys(%s, 'acme', null, 10)", key),
                    await count("select * from operator_audit(%s, null, 10)", key),
                ]
                (suspended,) = await tenants.rows(None, "select operator_suspend(%s, 'acme', 'x') as it", [key])
                (revoked,) = await tenants.rows(None, "select operator_revoke(%s, %s) as it", [key, others[0]])
                return [*counts, suspended["it"], revoked["it"]]

            world.rows("insert into audit (actor, action, outcome) values ('x', 'x', 'done')")
            for key in (*others, None, "00000000-0000-4000-8000-000000000000"):
                assert await tried(key) == [0, 0, 0, False, False], key
            assert await tried(operators) == [2, 1, 1, True, True]
            world.rows("update operators set disabled_at = now()")
            assert await tried(operators) == [0, 0, 0, False, False]

    asyncio.run(scenario())


def run(settings: AdologySettings, *arguments: str) -> Any:
    """A command, and what it says as JSON; None where it has no JSON."""
    given = {
        "ADOLOGY_POSTGRES__URL": settings.postgres.url,
        "ADOLOGY_MONGO__URL": settings.mongo.url,
        "ADOLOGY_MONGO__DATABASE": settings.mongo.database,
        "ADOLOGY_S3__BUCKET": settings.s3.bucket,
        "ADOLOGY_AWS__ENDPOINT_URL": settings.aws.endpoint_url,
        "ADOLOGY_AWS__ACCESS_KEY_ID": settings.aws.access_key_id,
        "ADOLOGY_AWS__SECRET_ACCESS_KEY": settings.aws.secret_access_key,
        "ADOLOGY_HOME": settings.home,
    }
    result = CliRunner().invoke(app, list(arguments), env=given)
    if result.exit_code:
        raise SystemExit(f"{result.exit_code}: {result.output} {result.exception!r}")
    return msgspec.json.decode(result.stdout) if "--json" in arguments else result.output


async def whoami(client: Client) -> str:
    """What the server says of a caller: `ok`, or the kind of problem."""
    answer = await client.ask("GET", BASE)
    return "ok" if answer.status == 200 else answer.kind


def test_commands_list_and_revoke(store_settings: AdologySettings, world: World) -> None:
    made = run(store_settings, "operator", "create", "ops", "--json")
    other = run(store_settings, "operator", "create", "night", "--json")
    workers = run(store_settings, "operator", "service-key", "workers", "--json")
    user = insert_user(world, "acme", "viewer@acme.example", "viewer")
    token = insert_session(world, "acme", user)

    async def scenario() -> None:
        async with serving(store_settings, caller_cache_s=60) as nobody:
            clients = {key["name"]: nobody.as_(key["secret"]) for key in (made, other, workers)}
            assert [await whoami(one) for one in clients.values()] == ["ok", "ok", "not-allowed"]
            rows = run(store_settings, "operator", "list", "--json")
            assert [(row["name"], row["keys"]) for row in rows] == [("night", 1), ("ops", 1)]
            keys = run(store_settings, "operator", "keys", "--json")
            assert sorted((key["name"], key["whose"]) for key in keys) == [
                ("night", "night"),
                ("ops", "ops"),
                ("workers", ""),
            ]
            assert made["secret"] not in repr(keys)
            assert run(store_settings, "operator", "keys", "--org", "acme", "--json") == []
            run(store_settings, "operator", "revoke", "ops")
            (service,) = [key["id"] for key in keys if key["name"] == "workers"]
            run(store_settings, "operator", "revoke-key", service)
            await asyncio.sleep(1)  # the replicas are told: nobody waits for their memory to end
            assert [await whoami(one) for one in clients.values()] == ["session-ended", "ok", "session-ended"]
            person = nobody.as_(token)
            assert (await person.ask("GET", "/v1/me")).status == 200
            run(store_settings, "org", "suspend", "acme", "--reason", "not paid")
            await asyncio.sleep(1)
            assert (await person.ask("GET", "/v1/me")).kind == "session-ended"
            (line,) = [row for row in run(store_settings, "org", "list", "--json") if row["id"] == "acme"]
            assert line["suspended_at"]
            run(store_settings, "org", "resume", "acme")
            assert (await person.ask("GET", "/v1/me")).status == 200

    asyncio.run(scenario())
    actions = ["revokeOperator", "revokeAnyKey", "suspendOrganisation", "resumeOrganisation"]
    assert [row[0] for row in said(world, "") if row[1] == "done"] == actions
    assert [row[0] for row in said(world, "acme")] == actions[2:]
    for wrong, hint in (
        (("operator", "revoke", "opps"), "known: night, ops"),
        (("operator", "revoke-key", "x"), "no id of a key"),
        (("operator", "revoke-key", "00000000-0000-4000-8000-000000000000"), "no key"),
        (("org", "suspend", "acne", "--reason", "x"), "no organisation 'acne'"),
    ):
        with pytest.raises(SystemExit, match=hint):
            run(store_settings, *wrong)
