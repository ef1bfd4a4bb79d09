"""Off-boarding: an organisation is deleted by its owner or by command, and nothing of it is left anywhere."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from adology.settings import AdologySettings
from adology_server.leaving.purge import open_purge
from adology_server.leaving.rows import KEPT
from adology_server.manners.verify import AuditLog
from adology_server.tasks import runner
from tests.server.leaving_rig import COPY, OTHERS, OWN, SHARED, SOURCE, Leaver, list_objects, mentions, owned, stores
from tests.server.live_rig import socket
from tests.server.rig import Client, World, serving
from tests.server.tasks_rig import running
from tests.server.test_foreign import CANARY
from tests.server.test_matrix import insert_key, insert_session, insert_user
from tests.server.test_operators import run

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def world(settings: AdologySettings) -> World:
    """An organisation that stays."""
    made = World(settings)
    made.add_org("acme")
    made.rows("insert into brands (id, name) values ('puma', 'Puma')")
    return made


async def fill(settings: AdologySettings, world: World) -> Leaver:
    """The organisation that leaves, with something everywhere, and the one that stays, with a board."""
    leaver = Leaver(world, settings)
    token = insert_session(world, "acme", insert_user(world, "acme", "owner@acme.example", "owner"))
    async with serving(settings, rate_caller=0, rate_organisation=0) as nobody:
        await leaver.fill(nobody.as_(leaver.token))
        acme = nobody.as_(token)
        board = await acme.post("/v1/boards", {"name": "Ours"})
        (await acme.ask("PUT", f"/v1/boards/{board['id']}/ads/{leaver.shared_ad}")).expect(204)
        await acme.post(f"/v1/ads/{leaver.shared_ad}/notes", {"text": "ours"})
    return leaver


def others(world: World) -> list[Any]:
    """All that the organisation that stays has, and the public ad."""
    tables = ["users", "sessions", "boards", "board_ads", "notes"]
    kept = [
        world.rows(f"select to_jsonb(t)::text from {table} t where org_id = 'acme' order by 1")  # noqa: S608
        for table in tables
    ]
    return [*kept, world.rows("select to_jsonb(t)::text from ads t where owner_org_id is null")]


async def leave(settings: AdologySettings) -> Any:
    """By hand, as the command does."""
    async with open_purge(settings) as purge:
        return await purge.leave("rival")


def test_nothing_is_left_in_any_table_file_or_document(settings: AdologySettings, world: World) -> None:
    leaver = asyncio.run(fill(settings, world))
    before = owned(world)
    # In every place that can hold something there was something: what is told below is true of all of them.
    assert {table for table, rows in before.items() if not rows} <= {"changes"}
    assert len(mentions(world)) >= 12
    stays = others(world)
    told = run(settings, "org", "delete", "rival", "--yes", "--json")
    assert (told["finished"], told["ads"], told["documents"]) == (True, 1, 1)
    left = {table: rows for table, rows in owned(world).items() if rows}
    assert set(left) <= set(KEPT)
    assert mentions(world) == []
    assert others(world) == stays
    check_rows(world, leaver)
    asyncio.run(check_stores(settings))
    check = AuditLog(world.url).verify("rival")
    assert (check.broken, check.head) == (None, told["head"])
    assert AuditLog(world.url).newest("rival", 1)[0].action == "purgeOrganisation"
    again = run(settings, "org", "delete", "rival", "--yes", "--json")  # safe, and there is nothing more to do
    assert (again["finished"], again["rows"], again["ads"]) == (True, 0, 0)


def check_rows(world: World, leaver: Leaver) -> None:
    """What is shared stays, and says nothing any more of who has left."""
    assert world.rows("select id, name, purged_at is not null from organisations where id = 'rival'") == [
        ("rival", "deleted", True)
    ]
    assert world.rows("select sha256 from assets order by 1") == [(SHARED,), (OTHERS,)]
    assert world.rows("select key from analyses order by 1") == [("key-b",), ("key-c",)]
    # What the private creative alone connected is two groups now.
    assert world.rows("select sha256, group_id from likeness_subjects order by 1") == [
        (SHARED, SHARED),
        (OTHERS, OTHERS),
    ]
    assert world.rows("select id from ads") == [(leaver.shared_ad,)]
    assert world.rows("select url from batch_items") == world.rows("select url from failures")
    assert world.rows("select url from batch_items") == [("https://public.example/x.png",)]
    assert world.rows("select handles from brands where id = 'nike'") == [({"facebook": ["1"]},)]
    assert world.rows("select owner_org_id, scopes, cost_usd::float from paid_calls") == [(None, ["all"], 0.5)]
    assert world.rows("select scope from budget_use") == [("all",)]
    # The indexes are told to forget what they have of it.
    noted = world.rows("select kind, subject from changes where owner_org_id = 'rival' order by 1, 2")
    assert noted == [("ad", COPY), ("asset", OWN), ("asset", SHARED)]


async def check_stores(settings: AdologySettings) -> None:
    """The bucket and MongoDB."""
    kept = [
        f"assets/bb/{SHARED}.png",
        f"assets/cc/{OTHERS}.png",
        "batches/b/manifest/s/000000.jsonl",
        f"derived/bb/{SHARED}/media/thumbnail.jpg",
        "exports/rival2/x/1.csv",
    ]
    assert await list_objects(settings) == kept
    async with stores(settings) as (_, mongo):
        for name, ids in (("payloads", ["b/s/public"]), ("analyses", ["key-b"]), ("results", ["b/other"])):
            assert [document["_id"] async for document in mongo[name].find()] == ids


async def ended(client: Client) -> None:
    """The caller is nobody any more."""
    answer = await client.ask("GET", "/v1/me")
    assert answer.kind == "session-ended"


def test_an_owner_deletes_the_organisation_and_tasks_remove_it(
    settings: AdologySettings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "LEAVE_S", 0.2)
    leaver = asyncio.run(fill(settings, world))
    admin = insert_session(world, "rival", insert_user(world, "rival", "admin@rival.example", "admin"))
    key = insert_key(world, "rival", leaver.user, "manage")
    reader = insert_key(world, "rival", leaver.user, "read")
    name = f"Rival {CANARY}"

    async def scenario() -> None:
        async with serving(settings) as one, serving(settings) as two:
            owner = one.as_(leaver.token)
            for client in (one.as_(admin), one.as_(key)):
                assert (await client.ask("DELETE", "/v1/organisation", confirm=name)).kind == "not-allowed"
            assert (await owner.ask("DELETE", "/v1/organisation", confirm="Rival")).kind == "conflict"
            assert (await owner.ask("DELETE", "/v1/organisation")).kind == "invalid"
            stale = await owner.ask("DELETE", "/v1/organisation", headers={"if-match": '"rival.7"'}, confirm=name)
            assert stale.kind == "changed-meanwhile"
            async with socket(two.as_(leaver.token)) as link, socket(two.as_(reader)) as other:
                told = (await owner.ask("DELETE", "/v1/organisation", confirm=name)).expect(202)
                assert (await link.closed())[0] == (await other.closed())[0] == 4001
            for secret in (leaver.token, admin, key, reader):
                await ended(one.as_(secret))
                await ended(two.as_(secret))
            last = AuditLog(world.url).newest("rival", 1)[0]
            assert (last.seq, last.action, last.outcome) == (told["records"], "leave", "done")
            assert AuditLog(world.url).verify("rival").head == told["head"]
            async with running(settings):
                for _ in range(200):
                    if world.rows("select from organisations where id = 'rival' and purged_at is not null"):
                        break
                    await asyncio.sleep(0.1)

    asyncio.run(scenario())
    assert {table for table, rows in owned(world).items() if rows} <= set(KEPT)
    assert mentions(world) == []
    asyncio.run(check_stores(settings))


def test_what_a_batch_under_way_has_met_waits_for_it(settings: AdologySettings, world: World) -> None:
    """Its results name the creative: to remove it would leave a commit that can never be made."""
    asyncio.run(fill(settings, world))
    result = msgspec.msgpack.encode({"sha256": OWN, "analyses": {"media": "key-a"}})
    world.rows("insert into batches (id, brand, state) values ('open', 'puma', 'acquiring')")
    statement = "insert into batch_items (batch_id, url_hash, url, status, result) values ('open', '', 'u', 'ok', %s)"
    world.rows(statement, [result])

    async def scenario() -> None:
        told = await leave(settings)
        assert (told.finished, told.ads) == (False, 0)
        assert owned(world)["users"] == 0  # what does not have to wait is gone
        assert world.rows("select count(*) from assets where sha256 = %s", [OWN]) == [(1,)]
        world.rows("update batches set state = 'committed' where id = 'open'")
        async with open_purge(settings) as purge:
            assert await purge.look() == 1
            assert await purge.look() == 0

    asyncio.run(scenario())
    assert world.rows("select count(*) from assets where sha256 = %s", [OWN]) == [(0,)]


def test_what_comes_after_it_was_removed_is_removed_as_well(settings: AdologySettings, world: World) -> None:
    asyncio.run(fill(settings, world))

    async def scenario() -> None:
        assert (await leave(settings)).finished
        world.rows(
            "insert into ads (source, source_ad_id, owner_org_id, media_outcome, copy_hash, first_seen_at,"
            " last_seen_at, first_batch, last_batch)"
            " values (%s, 'late', 'rival', 'text_only', 'h', now(), now(), 'b', 'b')",
            [SOURCE],
        )
        async with open_purge(settings) as purge:
            assert await purge.look() == 1

    asyncio.run(scenario())
    assert owned(world)["ads"] == 0
    assert AuditLog(world.url).verify("rival").broken is None


def test_what_was_under_way_at_the_end_is_looked_for_once_more(settings: AdologySettings, world: World) -> None:
    """A request that began before the end may write after all was removed."""
    world.add_org("rival")

    async def scenario() -> None:
        assert (await leave(settings)).finished
        world.rows("insert into boards (org_id, name) values ('rival', 'late')")
        async with open_purge(settings) as purge:
            assert await purge.look() == 0  # not yet: it may still be under way
            world.rows("update organisations set deleted_at = now() - interval '16 minutes',"
                       " purged_at = now() - interval '16 minutes' where id = 'rival'")  # fmt: skip
            assert await purge.look() == 1
            assert owned(world)["boards"] == 0
            assert await purge.look() == 0

    asyncio.run(scenario())
    assert [row.action for row in AuditLog(world.url).newest("rival", 9)] == ["purgeOrganisation"] * 2


def test_a_command_that_is_not_meant_or_names_nobody_does_nothing(settings: AdologySettings, world: World) -> None:
    for arguments, said in ((("acme",), "say --yes"), (("acne", "--yes"), "no organisation 'acne'")):
        with pytest.raises(SystemExit, match=said):
            run(settings, "org", "delete", *arguments)
    assert world.rows("select deleted_at from organisations") == [(None,)]
