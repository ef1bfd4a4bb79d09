"""People: logging in, sessions, refresh tokens, roles, invitations, keys."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from adology.settings import AdologySettings
from adology_server.people.passwords import Passwords
from adology_server.problems import Refusal
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
            body = {"name": "New", "password": PASSWORD, "email": "NEW@acme.example"}
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


def test_an_invitation_is_for_one_e_mail_and_for_nobody_of_another_organisation(
    store_settings: AdologySettings, world: World
) -> None:
    async def scenario() -> None:
        async with serving(store_settings, login_failures=2) as nobody:
            admin = await log_in(nobody, "admin@acme.example")
            invited = await admin.post("/v1/invitations", {"email": "new@acme.example"})
            assert invited["token"] not in str((await admin.ask("GET", "/v1/invitations")).body)
            body = {"name": "New", "password": PASSWORD, "token": invited["token"]}
            other = await nobody.ask("POST", "/v1/auth/accept-invitation", {**body, "email": "other@acme.example"})
            unknown = {**body, "token": "ado_inv_unknown", "email": "new@acme.example"}
            absent = await nobody.ask("POST", "/v1/auth/accept-invitation", unknown)
            assert (other.kind, other.body["detail"]) == (absent.kind, absent.body["detail"])
            for _ in range(2):
                other = await nobody.ask("POST", "/v1/auth/accept-invitation", {**body, "email": "other@acme.example"})
            right = {**body, "email": "new@acme.example"}
            assert (await nobody.ask("POST", "/v1/auth/accept-invitation", right)).kind == "too-many"
            world.rows("delete from login_failures")

            # Somebody of another organisation, whether they may log in there or not, stays where they are.
            world.add_user("rival", "new@acme.example", "viewer")
            for change in ("", "update users set disabled_at = now() where email = 'new@acme.example'"):
                if change:
                    world.rows(change.encode())
                taken = await nobody.ask("POST", "/v1/auth/accept-invitation", right)
                assert taken.kind == "taken"
            there = world.rows("select org_id, role from users where email = 'new@acme.example'")
            assert there == [("rival", "viewer")]
            world.rows("delete from users where email = 'new@acme.example'")

            world.rows("update invitations set expires_at = now()")
            assert (await nobody.ask("POST", "/v1/auth/accept-invitation", right)).kind == "gone"

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_an_invitation_ends_with_the_rights_of_who_sent_it(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner, admin = await log_in(nobody, "owner@acme.example"), await log_in(nobody, "admin@acme.example")
            people = {row["role"]: row["id"] for row in (await owner.get("/v1/users"))["items"]}
            second = await owner.post("/v1/invitations", {"email": "o@acme.example", "role": "owner"})
            for change in ({"role": "member"}, {"disabled": True}):
                made = await admin.post("/v1/invitations", {"email": "new@acme.example"})
                kept = await owner.post("/v1/invitations", {"email": "kept@acme.example"})
                (await owner.ask("PATCH", f"/v1/users/{people['admin']}", {"name": "Still"})).expect(200)
                assert len((await owner.get("/v1/invitations"))["items"]) == 3
                (await owner.ask("PATCH", f"/v1/users/{people['admin']}", change)).expect(200)
                left = {row["id"] for row in (await owner.get("/v1/invitations"))["items"]}
                assert left == {second["invitation"]["id"], kept["invitation"]["id"]}
                body = {"token": made["token"], "email": "new@acme.example", "name": "N", "password": PASSWORD}
                assert (await nobody.ask("POST", "/v1/auth/accept-invitation", body)).kind == "gone"
                (await owner.ask("PATCH", f"/v1/users/{people['admin']}", {"role": "admin"})).expect(200)

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
def test_guessing_the_current_password_waits_as_logins_do(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings, login_failures=2) as nobody:
            owner, admin = await log_in(nobody, "owner@acme.example"), await log_in(nobody, "admin@acme.example")
            body = {"current": "a guess", "new": "a whole new password"}
            told = [(await owner.ask("POST", "/v1/auth/password", body)).kind for _ in range(4)]
            assert told == [*["wrong-credentials"] * 3, "too-many"]
            right = await owner.ask("POST", "/v1/auth/password", {**body, "current": PASSWORD})
            assert right.kind == "too-many"
            assert 0 < int(right.headers["retry-after"]) <= 3
            # Neither others nor the person's own login wait for that.
            await admin.post("/v1/auth/password", {**body, "current": PASSWORD}, 204)
            await log_in(nobody, "owner@acme.example")

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_past_the_waiting_room_passwords_are_not_checked(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        # Five in all: of one address one at a time.
        async with serving(store_settings, passwords_at_once=1, passwords_waiting=4, login_failures=50) as nobody:
            body = {"email": "owner@acme.example", "password": PASSWORD}
            answers = await asyncio.gather(*(nobody.ask("POST", "/v1/auth/login", body) for _ in range(12)))
            told = [answer.status for answer in answers]
            assert told.count(200) >= 1
            assert told.count(503) >= 6
            assert set(told) == {200, 503}
            refused = next(answer for answer in answers if answer.status == 503)
            assert (refused.kind, refused.headers["retry-after"]) == ("unavailable", "2")
            await log_in(nobody, "owner@acme.example")

    asyncio.run(scenario())


def test_one_client_takes_a_part_of_the_waiting_room() -> None:
    async def scenario() -> None:
        passwords = Passwords(1, 7)
        flood = [asyncio.create_task(passwords.hash(PASSWORD, "flood")) for _ in range(20)]
        await asyncio.sleep(0)
        others = [asyncio.create_task(passwords.hash(PASSWORD, f"client {number}")) for number in range(10)]
        outcomes = await asyncio.gather(*flood, *others, return_exceptions=True)
        done = [not isinstance(one, Refusal) for one in outcomes]
        assert (sum(done[:20]), done[20:]) == (2, [*[True] * 6, *[False] * 4])
        assert not passwords._here
        assert await passwords.check(PASSWORD, await passwords.hash(PASSWORD))

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
