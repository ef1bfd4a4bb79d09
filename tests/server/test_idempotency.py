"""A request that comes again under its key is answered again, and not carried out again."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from adology.settings import AdologySettings
from tests.server.rig import Client, World, serving
from tests.server.test_matrix import insert_key, insert_session, insert_user

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def people(store_settings: AdologySettings) -> dict[str, str]:
    """Tokens of two people of one organisation, and of another's."""
    world = World(store_settings)
    found = {}
    for name, org in (("ann", "acme"), ("bob", "acme"), ("eve", "rival")):
        if name != "bob":
            world.add_org(org)
        user = insert_user(world, org, f"{name}@{org}.example", "owner")
        found[name] = insert_session(world, org, user)
        if name == "ann":
            found["anns_key"] = insert_key(world, org, user, "write")
    return found


async def make(client: Client, name: str, key: str) -> Any:
    return await client.ask("POST", "/v1/brandspaces", {"name": name}, headers={"idempotency-key": key})


def test_the_same_request_gets_the_same_reply_also_after_a_restart(
    store_settings: AdologySettings, people: dict[str, str]
) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            first = await make(nobody.as_(people["ann"]), "Sport", "k1")
            again = await make(nobody.as_(people["ann"]), "Sport", "k1")
        async with serving(store_settings) as nobody:
            ann = nobody.as_(people["ann"])
            later = await make(ann, "Sport", "k1")
            assert first.status == 201
            assert "idempotent-replayed" not in first.headers
            for answer in (again, later):
                assert (answer.status, answer.body) == (201, first.body)
                for name in ("location", "etag", "content-type"):
                    assert answer.headers[name] == first.headers[name], name
                assert answer.headers["idempotent-replayed"] == "true"
            assert (await make(ann, "Other", "k1")).kind == "key-reused"
            # Refusals that say something of the request are replies as well.
            refused = [await make(ann, "Sport", "k2") for _ in range(2)]
            assert [(one.status, one.kind) for one in refused] == [(409, "taken")] * 2
            for bad in ("", "with space", "x" * 201):
                assert (await make(ann, "Bad", bad)).kind == "invalid"
            assert len((await ann.get("/v1/brandspaces"))["items"]) == 1

    asyncio.run(scenario())


def test_of_several_at_once_one_is_carried_out(store_settings: AdologySettings, people: dict[str, str]) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as one, serving(store_settings) as other:
            clients = [server.as_(people["ann"]) for server in (one, other)] * 5
            answers = await asyncio.gather(*(make(client, "Sport", "k") for client in clients))
            assert {answer.status for answer in answers} <= {201, 409}
            assert {answer.kind for answer in answers if answer.status == 409} <= {"in-progress"}
            assert len({answer.body["id"] for answer in answers if answer.status == 201}) == 1
            replayed = [answer for answer in answers if answer.status == 201]
            assert sum("idempotent-replayed" not in answer.headers for answer in replayed) == 1
            assert all(int(one.headers["retry-after"]) >= 1 for one in answers if one.status == 409)

    asyncio.run(scenario())


def test_a_key_is_of_one_caller(store_settings: AdologySettings, people: dict[str, str]) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            answers = [
                await make(nobody.as_(people[who]), f"Of {who}", "k") for who in ("ann", "bob", "eve", "anns_key")
            ]
            assert [answer.status for answer in answers] == [201] * 4

    asyncio.run(scenario())


def test_secrets_are_not_kept(store_settings: AdologySettings, people: dict[str, str]) -> None:
    async def scenario() -> str:
        async with serving(store_settings) as nobody:
            ann, sent = nobody.as_(people["ann"]), {"idempotency-key": "k"}
            made = await ann.ask("POST", "/v1/keys", {"name": "robot"}, headers=sent)
            again = await ann.ask("POST", "/v1/keys", {"name": "robot"}, headers=sent)
            assert (made.status, again.kind) == (201, "done-before")
            assert len((await ann.get("/v1/keys"))["items"]) == 2  # the fixture's and this one
            return str(made.body["secret"])

    secret = asyncio.run(scenario())
    world = World(store_settings)
    for (table,) in world.rows(
        "select oid::regclass::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    ):
        assert secret not in repr(world.rows(f"select t::text from {table} t")), table  # noqa: S608


def test_what_a_killed_server_had_done_is_not_done_twice(
    store_settings: AdologySettings, people: dict[str, str]
) -> None:
    world = World(store_settings)

    async def scenario() -> None:
        async with serving(store_settings, reservation_s=0.2) as nobody:
            ann = nobody.as_(people["ann"])
            await make(ann, "Sport", "k")
            # As a server leaves it that dies between the commit and the reply …
            world.rows("update idempotency_keys set state = 'committed', body = null, lease_until = now()")
            assert (await make(ann, "Sport", "k")).kind == "done-before"
            # … and before the commit: another may carry it out once the hold has ended.
            world.rows("update idempotency_keys set state = 'running', lease_until = now() + interval '1 hour'")
            assert (await make(ann, "Sport", "k")).kind == "in-progress"
            world.rows("update idempotency_keys set lease_until = now()")
            assert (await make(ann, "Sport", "k")).kind == "taken"

    asyncio.run(scenario())


def test_who_lost_the_hold_changes_nothing(store_settings: AdologySettings, people: dict[str, str]) -> None:
    world = World(store_settings)

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            ann = nobody.as_(people["ann"])
            # The brand's name is checked in the middle of the transaction; a lock holds it there.

            async with await psycopg.AsyncConnection.connect(world.url) as link:
                await link.execute("lock table brandspaces in access exclusive mode")
                task = asyncio.create_task(make(ann, "Sport", "k"))
                for _ in range(200):
                    if world.rows("select 1 from idempotency_keys"):
                        break
                    await asyncio.sleep(0.02)
                world.rows("update idempotency_keys set owner = gen_random_uuid()")
            answer = await task
            assert answer.kind == "in-progress"
            assert (await ann.get("/v1/brandspaces"))["items"] == []

    asyncio.run(scenario())


def test_keys_are_forgotten_after_a_day(store_settings: AdologySettings, people: dict[str, str]) -> None:
    world = World(store_settings)

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            ann = nobody.as_(people["ann"])
            await make(ann, "Sport", "k")
            world.rows("update idempotency_keys set created_at = now() - interval '25 hours'")
            assert (await make(ann, "Other", "k")).status == 201
            assert world.rows("select count(*) from idempotency_keys") == [(1,)]

    asyncio.run(scenario())
