"""Row-level security: what the database itself shows to whom."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import psycopg
import pytest

from adology.settings import AdologySettings
from adology_server.tenancy import Tenants
from tests.server.leaving_rig import Leaver, owned, owner_columns
from tests.server.rig import World, serving

pytestmark = pytest.mark.timeout(60)


def test_every_table_with_private_rows_has_forced_row_level_security(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    private = world.rows(
        "select distinct c.oid::regclass::text, c.relrowsecurity, c.relforcerowsecurity from pg_class c"
        " join pg_attribute a on a.attrelid = c.oid and a.attname in ('org_id', 'owner_org_id') and not a.attisdropped"
        " where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace"
    )
    assert len(private) >= 10
    assert [name for name, enabled, forced in private if not (enabled and forced)] == []
    of_ads = world.rows(
        "select distinct r.conrelid::regclass::text, c.relforcerowsecurity from pg_constraint r join pg_class c"
        " on c.oid = r.conrelid where r.contype = 'f' and r.confrelid = 'ads'::regclass"
    )
    assert len(of_ads) >= 5
    assert [name for name, forced in of_ads if not forced] == []


def test_no_table_shows_a_row_of_another_organisation(settings: AdologySettings) -> None:
    """Whatever a statement forgets to ask: each table that says whose its rows are, asked without any condition."""
    world = World(settings)
    world.add_org("acme")
    leaver = Leaver(world, settings)

    async def fill() -> None:
        async with serving(settings, rate_caller=0, rate_organisation=0) as nobody:
            await leaver.fill(nobody.as_(leaver.token))

    asyncio.run(fill())
    there = owned(world)
    seen: dict[str, dict[str, int]] = {"acme": {}, "": {}, "rival": {}}
    with psycopg.connect(world.url, autocommit=True) as link:
        link.execute("set role adology_app")
        for org, found in seen.items():
            link.execute("select set_config('adology.org_id', %s, false)", [org])
            for table, column in owner_columns(world):
                with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
                    statement = f"select count(*) from {table} where {column} = 'rival'"  # noqa: S608
                    found[table] = link.execute(statement.encode()).fetchall()[0][0]
    assert {table for found in (seen["acme"], seen[""]) for table, rows in found.items() if rows} == set()
    # They are there, and their owner sees them: the tables above are not empty, nor shut to everybody.
    assert {"feed", "feed_items", "ads", "boards", "notes", "tasks", "users"} <= {
        t for t, n in seen["rival"].items() if n
    }
    assert all(there[table] for table in seen["rival"] if table != "changes")


def test_the_servers_role_owns_nothing_and_is_held_to_the_policies(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    assert world.rows(
        "select rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolcanlogin from pg_roles"
        " where rolname = 'adology_app'"
    ) == [(False, False, False, False, False)]
    owned = world.rows("select relname from pg_class where relowner = 'adology_app'::regrole")
    assert owned == []


def test_without_an_organisation_nothing_private_is_seen(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    for org in ("acme", "rival"):
        world.add_org(org)
        world.add_user(org, f"owner@{org}.example")

    async def scenario() -> None:
        async with Tenants(store_settings) as tenants:
            seen = "select email from users order by 1"
            assert await tenants.rows(None, seen) == []
            assert [row["email"] for row in await tenants.rows("acme", seen)] == ["owner@acme.example"]
            # The same connections, one organisation after the other, and none again.
            orgs = ["acme", "rival", None] * 20
            found = await asyncio.gather(*(tenants.rows(org, seen) for org in orgs))
            expected = [[{"email": f"owner@{org}.example"}] if org else [] for org in orgs]
            assert found == expected
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await tenants.rows("acme", "insert into users (org_id, email, role) values ('rival', 'x@y.z', 'owner')")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await tenants.rows("acme", "delete from users")
            for statement in ("select * from server_keys", "select * from operators", "select * from login_failures"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    await tenants.rows("acme", statement)

    asyncio.run(scenario())


def test_private_ads_are_their_owners(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    world.add_org("acme")
    world.add_brands("nike")
    world.rows("insert into batches (id, brand, state) values ('b', 'nike', 'committed')")
    for ad, owner in (("public", None), ("private", "acme")):
        ((number,),) = world.rows(
            "insert into ads (source, source_ad_id, owner_org_id, media_outcome, copy_hash, first_seen_at,"
            " last_seen_at, first_batch, last_batch)"
            " values ('s', %s, %s, 'text_only', '', now(), now(), 'b', 'b') returning id",
            [ad, owner],
        )
        world.rows("insert into brand_ads values ('nike', %s, 'b', 'b')", [number])
        world.rows("insert into ad_flags (ad_id, flag, details) values (%s, 'f', '{}')", [number])

    async def scenario() -> None:
        async with Tenants(store_settings) as tenants:
            for org, count in ((None, 1), ("rival", 1), ("acme", 2)):
                for table in ("ads", "brand_ads", "ad_flags"):
                    (row,) = await tenants.rows(org, f"select count(*) as n from {table}")  # noqa: S608
                    assert row["n"] == count, (org, table)

    asyncio.run(scenario())


def test_one_place_alone_says_for_which_organisation() -> None:
    root = Path(__file__).parents[2] / "server"
    texts = {path: path.read_text("utf-8") for path in root.rglob("*.py")}
    assert len(texts) > 20
    for path, text in texts.items():
        if path.name != "tenancy.py":
            assert "adology.org_id" not in text, path


def test_numbers_that_only_jsonb_holds_are_read(store_settings: AdologySettings) -> None:
    """An analyzer's result may hold any number; one that is too large for a double must not end the request."""

    async def scenario() -> None:
        async with Tenants(store_settings) as tenants:
            (row,) = await tenants.rows(None, """select ('[1.5, "é", ' || repeat('9', 400) || '.5]')::jsonb as found""")
            assert row["found"] == [1.5, "é", float("inf")]

    asyncio.run(scenario())
