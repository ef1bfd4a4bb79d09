"""The audit log: every change and every refusal of somebody known, in a chain that shows what is done to it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import psycopg
import pytest
from typer.testing import CliRunner

from adology.cli.app import app
from adology.settings import AdologySettings
from adology_server.manners.verify import AuditLog
from adology_server.tenancy import Tenants
from tests.server.rig import PASSWORD, World, log_in, serving

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    made = World(store_settings)
    for org in ("acme", "rival"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_user("acme", "viewer@acme.example", "viewer")
    made.add_brands("nike")
    return made


def said(world: World, org: str = "acme") -> list[tuple[str, str, str]]:
    """Action, outcome and reason of an organisation's records, in order."""
    return world.rows("select action, outcome, reason from audit where coalesce(org_id, '') = %s order by seq", [org])


def test_changes_and_refusals_are_written_down_and_reads_are_not(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            viewer = await log_in(nobody, "viewer@acme.example")
            made = await owner.post("/v1/brandspaces", {"name": "Sport", "primary": "nike"})
            await owner.get("/v1/brandspaces")
            await owner.ask("POST", "/v1/brandspaces", {"name": "Sport"})  # taken: nothing changed
            (await viewer.ask("POST", "/v1/brandspaces", {"name": "x"})).expect(403)
            (await viewer.ask("GET", "/v1/audit")).expect(403)
            await nobody.ask("POST", "/v1/auth/login", {"email": "owner@acme.example", "password": "wrong"})
            (await owner.ask("DELETE", f"/v1/brandspaces/{made['id']}")).expect(204)
            path = "/v1/audit"
            first = await owner.get(path, limit=2)
            rest = await owner.get(path, after=first["next"])
            records = [*first["items"], *rest["items"]]
            assert [row["seq"] for row in records] == list(range(len(records), 0, -1))
            (row,) = [row for row in records if row["action"] == "makeBrandspace" and row["outcome"] == "done"]
            assert (row["subject"], row["target"], row["address"]) == (made["id"], "/v1/brandspaces", "127.0.0.1")
            assert row["actor"].startswith("user:")
            assert row["session"]
            assert row["request"]
            rival = await log_in(nobody, "owner@rival.example")
            assert [row["action"] for row in (await rival.get(path))["items"]] == ["login"]

    asyncio.run(scenario())
    assert said(world) == [
        ("login", "done", ""),
        ("login", "done", ""),
        ("makeBrandspace", "done", ""),
        ("makeBrandspace", "refused", "not-allowed"),
        ("listAudit", "refused", "not-allowed"),
        ("login", "refused", "wrong-credentials"),
        ("dropBrandspace", "done", ""),
    ]
    kept = repr(world.rows("select t::text from audit t"))
    for secret in ("ado_", PASSWORD, "wrong"):
        assert secret not in kept.replace("wrong-credentials", "")


def test_operators_refusals_are_in_their_own_chain(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            (await nobody.as_(world.add_operator()).ask("GET", "/v1/me")).expect(403)
            (await nobody.as_(world.add_service()).ask("GET", "/v1/me")).expect(403)

    asyncio.run(scenario())
    assert said(world, "") == [("me", "refused", "not-allowed")] * 2
    assert AuditLog(world.url).verify("").broken is None


def test_a_change_and_its_record_are_kept_or_lost_together(store_settings: AdologySettings, world: World) -> None:
    world.rows("alter table audit add constraint never check (action <> 'makeBrandspace')")

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            answer = await owner.ask("POST", "/v1/brandspaces", {"name": "Sport", "primary": "nike"})
            assert answer.status == 500
            (await owner.ask("POST", "/v1/keys", {"name": "robot"})).expect(201)

    asyncio.run(scenario())
    assert world.rows("select count(*) from brandspaces") == [(0,)]
    assert [action for action, _, _ in said(world)] == ["login", "makeKey"]


def test_concurrent_changes_make_one_chain(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as one, serving(store_settings) as other:
            owner = await log_in(one, "owner@acme.example")
            clients = [owner, other.as_(owner.token)] * 10
            made = await asyncio.gather(
                *(who.ask("POST", "/v1/brandspaces", {"name": f"S{n}"}) for n, who in enumerate(clients))
            )
            assert {answer.status for answer in made} == {201}

    asyncio.run(scenario())
    check = AuditLog(world.url).verify("acme")
    assert (check.records, check.broken) == (21, None)


def test_a_name_with_line_breaks_stays_one_record(store_settings: AdologySettings, world: World) -> None:
    forged = "x\n2 user:root did everything\r\n\x1b[2J"

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            (await owner.ask("DELETE", "/v1/ads/1/tags/x%0A2%20user:root")).expect(404)
            await owner.post("/v1/brandspaces", {"name": forged})
            records = (await owner.get("/v1/audit"))["items"]
            assert [row["action"] for row in records] == ["makeBrandspace", "login"]

    asyncio.run(scenario())
    assert AuditLog(world.url).verify("acme").broken is None


TAMPERING: dict[str, tuple[str, int]] = {
    "a field changed": ("update audit set actor = 'user:else' where seq = 3", 3),
    "moved between fields": ("update audit set actor = actor || 'l', action = substr(action, 2) where seq = 2", 2),
    "made public": ("update audit set outcome = 'done' where seq = 4", 4),
    "one removed": ("delete from audit where seq = 3", 3),
    "the last removed": ("delete from audit where seq = 5", 5),
    "the first removed": ("delete from audit where seq = 1", 1),
    "a later time": ("update audit set at = at + interval '1 microsecond' where seq = 5", 5),
    "a new hash for a changed one": (
        "update audit set actor = 'x' where seq = 2; update audit a set hash = sha256(audit_bytes(a)) where seq = 2",
        3,
    ),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_by_the_owner_is_found(store_settings: AdologySettings, how: str) -> None:
    world = World(store_settings)
    world.add_org("acme")
    for number, outcome in enumerate(["done", "done", "done", "refused", "done"]):
        world.rows(
            "insert into audit (org_id, actor, action, outcome) values ('acme', %s, 'login', %s)",
            [f"user:{number}", outcome],
        )
    log = AuditLog(world.url)
    assert (log.verify("acme").records, log.verify("acme").broken) == (5, None)
    statement, broken = TAMPERING[how]
    world.rows(statement)
    assert log.verify("acme").broken == broken


def test_the_servers_role_may_only_add_to_its_own(store_settings: AdologySettings, world: World) -> None:
    world.rows("insert into audit (org_id, actor, action, outcome) values ('rival', 'user:1', 'login', 'done')")

    async def scenario() -> None:
        async with Tenants(store_settings) as tenants:
            own: Any = "insert into audit (org_id, actor, action, outcome) values ('acme', 'user:1', 'x', 'done')"
            async with tenants.transaction("acme") as connection:
                await connection.execute(own)
            assert [row["org_id"] for row in await tenants.rows("acme", "select org_id from audit")] == ["acme"]
            refused: tuple[Any, ...] = (
                "update audit set actor = 'x'",
                "delete from audit",
                "truncate audit",
                "insert into audit (org_id, actor, action, outcome) values ('rival', 'user:1', 'x', 'done')",
                "insert into audit (org_id, actor, action, outcome) values (null, 'user:1', 'x', 'done')",
                "insert into audit (org_id, actor, action, outcome, hash) values ('acme', 'u', 'x', 'done', '')",
                "select * from audit_heads",
                "update audit_heads set seq = 0",
                "alter table audit disable trigger chain",
            )
            for statement in refused:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    await tenants.rows("acme", statement)

    asyncio.run(scenario())


def test_the_command_line_shows_and_checks_the_log(
    store_settings: AdologySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(store_settings)
    for number in range(3):
        world.rows(
            "insert into audit (org_id, actor, action, outcome) values ('acme', %s, 'login', 'done')",
            [f"user:{number}"],
        )
    monkeypatch.setenv("ADOLOGY_POSTGRES__URL", store_settings.postgres.url)
    run = CliRunner().invoke
    shown = run(app, ["org", "audit", "acme", "--limit", "2", "--json"])
    assert [row["seq"] for row in msgspec.json.decode(shown.stdout)] == [3, 2]
    good = run(app, ["org", "audit", "acme", "--verify", "--json"])
    assert (good.exit_code, msgspec.json.decode(good.stdout)["records"]) == (0, 3)
    world.rows("update audit set actor = 'user:else' where seq = 2")
    bad = run(app, ["org", "audit", "acme", "--verify"])
    assert (bad.exit_code, "record 2" in bad.stdout) == (1, True)
