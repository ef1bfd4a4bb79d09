"""People: logging in, sessions, refresh tokens, roles, invitations, keys."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from adology.settings import AdologySettings
from tests.server.rig import PASSWORD, Client, World, log_in, serving

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    made = World(store_settings)
    made.add_org("acme")
    made.add_org("rival")
    for role in ("owner", "admin", "member", "viewer"):
        made.add_user("acme", f"{role}@acme.example", role)
    made.add_user("rival", "owner@rival.example")
    return made


def test_a_session_begins_is_renewed_and_ends(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            assert (await nobody.ask("GET", "/v1/me")).kind == "not-authenticated"
            owner = await log_in(nobody, "Owner@acme.example")
            me = await owner.get("/v1/me")
            assert (me["user"]["email"], me["user"]["role"], me["organisation"]["id"]) == (
                "owner@acme.example", "owner", "acme",
            )  # fmt: skip
            tokens = await nobody.post("/v1/auth/refresh", {"refresh_token": owner.refresh_token}, 200)
            assert await nobody.as_(tokens["access_token"]).get("/v1/me") == me | {
                "user": me["user"] | {"last_login_at": me["user"]["last_login_at"]}
            }
            await owner.post("/v1/auth/logout", status=204)
            for token in (owner.token, tokens["access_token"]):
                assert (await nobody.as_(token).ask("GET", "/v1/me")).kind == "session-ended"
            again = await nobody.ask("POST", "/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
            assert again.kind == "session-ended"

    asyncio.run(scenario())
    kept = str(world.rows("select token_hash::text from session_tokens"))
    assert "ado_" not in kept


def test_a_refresh_token_that_comes_twice_ends_its_session(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            other = await log_in(nobody, "owner@acme.example")
            body = {"refresh_token": owner.refresh_token}
            several = await asyncio.gather(*(nobody.ask("POST", "/v1/auth/refresh", body) for _ in range(4)))
            assert sorted(answer.status for answer in several) == [200, 401, 401, 401]
            (new,) = [answer.body for answer in several if answer.status == 200]
            for token in (owner.token, new["access_token"]):
                assert (await nobody.as_(token).ask("GET", "/v1/me")).status == 401
            await other.get("/v1/me")

    asyncio.run(scenario())
    assert world.rows("select revoked_why from sessions where revoked_at is not null") == [
        ("a refresh token came twice",)
    ]


def test_failed_logins_make_the_next_wait_and_tell_nobody_who_exists(
    store_settings: AdologySettings, world: World
) -> None:
    async def scenario() -> None:
        async with serving(store_settings, login_failures=2) as nobody:
            answers = {}
            for email in ("owner@acme.example", "nobody@acme.example"):
                tries = [
                    await nobody.ask("POST", "/v1/auth/login", {"email": email, "password": "x"}) for _ in range(4)
                ]
                answers[email] = [(one.kind, one.body["detail"]) for one in tries]
                assert [one.kind for one in tries] == [*["wrong-credentials"] * 3, "too-many"]
                assert 0 < int(tries[3].headers["retry-after"]) <= 3
            assert answers["owner@acme.example"] == answers["nobody@acme.example"]
            await log_in(nobody, "admin@acme.example")  # another person at the same address

    asyncio.run(scenario())
    assert "@" not in str(world.rows("select who from login_failures"))


@pytest.mark.usefixtures("world")
def test_roles_bound_what_people_do_to_each_other(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner, admin, member = [
                await log_in(nobody, f"{role}@acme.example") for role in ("owner", "admin", "member")
            ]
            people = {row["role"]: row["id"] for row in (await member.get("/v1/users"))["items"]}
            assert sorted(people) == ["admin", "member", "owner", "viewer"]

            async def change(who: Client, target: str, **body: object) -> str:
                answer = await who.ask("PATCH", f"/v1/users/{people[target]}", body)
                return "" if answer.status == 200 else answer.kind

            assert await change(member, "viewer", role="member") == "not-allowed"
            assert await change(admin, "owner", disabled=True) == "not-allowed"
            assert await change(admin, "member", role="owner") == "not-allowed"
            assert await change(owner, "owner", role="member") == "conflict"  # the last one
            assert await change(owner, "owner", disabled=True) == "conflict"
            assert await change(admin, "member", disabled=True) == ""
            assert (await member.ask("GET", "/v1/me")).status == 401
            wrong = await nobody.ask("POST", "/v1/auth/login", {"email": "member@acme.example", "password": PASSWORD})
            assert wrong.kind == "wrong-credentials"
            assert await change(admin, "member", disabled=False) == ""
            await log_in(nobody, "member@acme.example")
            foreign = await log_in(nobody, "owner@rival.example")
            absent = await foreign.ask("GET", "/v1/users/00000000-0000-4000-8000-000000000000")
            others = await foreign.ask("GET", f"/v1/users/{people['owner']}")
            assert (absent.status, others.status) == (404, 404)

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_an_invited_person_joins_once(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            admin = await log_in(nobody, "admin@acme.example")
            refused = await admin.ask("POST", "/v1/invitations", {"email": "new@acme.example", "role": "owner"})
            assert refused.kind == "not-allowed"
            first = await admin.post("/v1/invitations", {"email": "New@acme.example"})
            second = await admin.post("/v1/invitations", {"email": "new@acme.example", "role": "viewer"})
            body = {"name": "New", "password": PASSWORD}
            gone = await nobody.ask("POST", "/v1/auth/accept-invitation", {**body, "token": first["token"]})
            assert gone.kind == "gone"
            short = await nobody.ask(
                "POST", "/v1/auth/accept-invitation", {**body, "token": second["token"], "password": "short"}
            )
            assert (short.kind, short.body["errors"][0]["field"]) == ("invalid", "password")
            joined = {**body, "token": second["token"]}
            both = await asyncio.gather(*(nobody.ask("POST", "/v1/auth/accept-invitation", joined) for _ in range(2)))
            assert min(answer.status for answer in both) == 201
            assert {answer.kind for answer in both if answer.status != 201} <= {"gone", "taken"}
            (tokens,) = [answer.body for answer in both if answer.status == 201]
            me = await nobody.as_(tokens["access_token"]).get("/v1/me")
            assert (me["user"]["role"], me["user"]["email"]) == ("viewer", "new@acme.example")
            assert (await admin.get("/v1/invitations"))["items"] == []
            twice = await admin.ask("POST", "/v1/invitations", {"email": "new@acme.example"})
            assert twice.kind == "taken"

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_a_key_does_what_its_scopes_and_its_person_may(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            admin, viewer = await log_in(nobody, "admin@acme.example"), await log_in(nobody, "viewer@acme.example")
            refused = await viewer.ask("POST", "/v1/keys", {"name": "all", "scopes": ["write"]})
            assert refused.kind == "not-allowed"
            made = await admin.post("/v1/keys", {"name": "reader"})
            key = nobody.as_(made["secret"])
            assert (await key.get("/v1/me"))["scopes"] == ["read"]
            assert (await key.ask("POST", "/v1/brandspaces", {"name": "x"})).kind == "missing-scope"
            assert (await key.ask("POST", "/v1/auth/logout")).kind == "not-allowed"
            assert (await key.ask("POST", "/v1/keys", {"name": "more"})).kind == "not-allowed"
            (row,) = (await admin.get("/v1/keys"))["items"]
            assert (row["name"], row["hint"]) == ("reader", made["secret"][-4:])
            assert "secret" not in row
            await admin.ask("DELETE", f"/v1/keys/{row['id']}")
            assert (await key.ask("GET", "/v1/me")).kind == "session-ended"
            past = await admin.ask("POST", "/v1/keys", {"name": "old", "expires_at": "2020-01-01T00:00:00Z"})
            assert past.kind == "invalid"

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_another_password_ends_the_other_sessions(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            one, other = [await log_in(nobody, "viewer@acme.example") for _ in range(2)]
            assert len(await one.get("/v1/auth/sessions")) == 2
            wrong = await one.ask("POST", "/v1/auth/password", {"current": "x", "new": "a whole new password"})
            assert wrong.kind == "wrong-credentials"
            await one.post("/v1/auth/password", {"current": PASSWORD, "new": "a whole new password"}, 204)
            assert (await other.ask("GET", "/v1/me")).status == 401
            (left,) = await one.get("/v1/auth/sessions")
            assert left["current"]
            await log_in(nobody, "viewer@acme.example", "a whole new password")

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_of_many_guesses_at_once_those_behind_the_first_failures_learn_nothing(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings, login_failures=2) as nobody:
            guesses = [*(f"wrong password {number}" for number in range(9)), PASSWORD]
            body = {"email": "owner@acme.example"}
            answers = await asyncio.gather(
                *(nobody.ask("POST", "/v1/auth/login", {**body, "password": guess}) for guess in guesses)
            )
            told = [answer.kind for answer in answers]
            assert told[-1] == "too-many"
            assert told.count("wrong-credentials") < len(guesses) - 1

    asyncio.run(scenario())


def test_a_login_that_was_under_way_ends_with_the_password(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            with psycopg.connect(world.url) as link:
                link.execute("update users set password_hash = 'another' where email = 'owner@acme.example'")
                logging_in = asyncio.create_task(
                    nobody.ask("POST", "/v1/auth/login", {"email": "owner@acme.example", "password": PASSWORD})
                )
                await asyncio.sleep(0.5)  # it has read the old hash by now, or waits for the row
                link.commit()
            assert (await logging_in).kind == "wrong-credentials"

    asyncio.run(scenario())
    assert world.rows("select count(*) from sessions") == [(0,)]
