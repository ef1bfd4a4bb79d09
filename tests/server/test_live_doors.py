"""Who may open sockets and streams, what they may send, and how each of them ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect

from adology.settings import AdologySettings
from adology_server.live import members
from tests.server.live_rig import Socket, add_task, address, change_task, events, let_in_soon, refused, socket, ticket
from tests.server.rig import World, log_in, serving
from tests.system.rig import wait_until

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    made = World(store_settings)
    for org in ("acme", "rival"):
        made.add_org(org)
        made.add_user(org, f"owner@{org}.example")
    made.add_user("acme", "member@acme.example", "member")
    made.add_brands("nike", "puma")
    return made


def test_a_ticket_is_good_once_and_for_a_moment(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            secret = await ticket(owner)
            assert secret not in str(world.rows("select ticket_hash::text from ws_tickets"))
            both = await asyncio.gather(
                *(connect(address(owner, secret)).__aenter__() for _ in range(2)), return_exceptions=True
            )
            assert sorted(isinstance(one, BaseException) for one in both) == [False, True]
            await next(one for one in both if not isinstance(one, BaseException)).close()
            assert await refused(address(owner, secret)) == (401, "not-authenticated")
            late = await ticket(owner)
            world.rows("update ws_tickets set expires_at = now()")
            for wrong in (late, "ado_wst_guessed", owner.token, ""):
                assert await refused(address(owner, wrong)) == (401, "not-authenticated")
            ended = await ticket(owner)
            await owner.post("/v1/auth/logout", status=204)
            assert await refused(address(owner, ended)) == (401, "not-authenticated")
            assert (await nobody.ask("POST", "/v1/ws-tickets")).kind == "not-authenticated"
            assert (await nobody.ask("GET", "/v1/ws")).kind == "bad-request"
            again = await log_in(nobody, "owner@acme.example")
            assert await refused(f"{address(again, await ticket(again))}&after=x") == (422, "invalid")

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_pages_of_other_origins_are_refused(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings, origins=("https://app.example",)) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            port = urlsplit(nobody.origin).port
            foreign = (
                "https://evil.example",
                "null",
                f"http://evil.example:{port}",
                "https://app.example.evil.example",
            )
            for origin in foreign:
                # The Host of a name that was made to lead here does not help either.
                url, headers = address(owner, await ticket(owner)), {"Host": f"evil.example:{port}"}
                assert await refused(url, origin=origin, additional_headers=headers) == (403, "foreign-origin")
            for origin in ("https://app.example", nobody.origin):
                async with socket(owner, origin=origin):
                    pass
        async with serving(store_settings, public_url="https://ads.example/x") as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            async with socket(owner, origin="https://ads.example"):
                pass
            assert await refused(address(owner, await ticket(owner)), origin=nobody.origin) == (403, "foreign-origin")

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_too_much_is_closed_and_too_many_are_refused(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings, sockets_per_user=2) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            async with socket(owner) as link:
                await link.link.send('{"type":"ping","x":"' + "x" * 70_000 + '"}')
                assert (await link.closed())[0] == 1009
            async with socket(owner) as link:
                parts = ["x" * 40_000] * 2
                with contextlib.suppress(Exception):
                    await link.link.send(parts)
                assert (await link.closed())[0] == 1009
            async with socket(owner) as link:
                with contextlib.suppress(Exception):
                    for _ in range(200):
                        await link.say(type="ping")
                assert await link.closed() == (1008, "more than 60 messages in 10 s")
            async with socket(owner), socket(owner) as link:
                assert await refused(address(owner, await ticket(owner))) == (429, "too-many")
                assert (await owner.ask("GET", "/v1/events")).kind == "too-many"
                member = await log_in(nobody, "member@acme.example")
                async with socket(member):
                    pass
                await link.is_still()
            async with socket(owner):
                pass

    asyncio.run(scenario())


def test_a_slow_reader_is_closed_and_can_resume(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            parts = urlsplit(nobody.origin)
            narrow = sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM)
            narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
            narrow.connect((parts.hostname, parts.port))
            async with socket(owner) as quick, socket(owner, sock=narrow, max_queue=1) as slow:
                world.rows(
                    "insert into events (org_id, kind, body) select 'acme', 'task', json_build_object("
                    "'request_id', n, 'status', 'processing', 'result', repeat('x', 30000))"
                    " from generate_series(1, 400) n"
                )
                told = [(await quick.hear_event())["request_id"] for _ in range(400)]
                assert told == list(range(1, 401)), "others are not held up"
                heard, last = 0, 0
                with contextlib.suppress(Exception):
                    while True:
                        last = (await slow.hear_event())["seq"]
                        heard += 1
                assert 0 < heard < 400
                assert slow.link.close_code == 1013
                assert slow.link.close_reason == "too slow: connect again and resume"
            async with socket(owner, last) as again:
                assert [(await again.hear_event())["request_id"] for _ in range(400 - heard)] == told[heard:]

    asyncio.run(scenario())


def test_a_stream_that_is_not_read_is_ended_and_can_resume(
    store_settings: AdologySettings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "CLOSE_S", 2.0)
    statement = (
        "insert into events (org_id, kind, body) select 'acme', 'task', json_build_object("
        "'request_id', n, 'status', 'processing', 'result', repeat('x', 30000)) from generate_series(1, 400) n"
    )

    async def scenario() -> None:
        async with serving(store_settings, sockets_per_user=1) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            parts = urlsplit(nobody.origin)
            narrow = sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM)
            narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
            narrow.connect((parts.hostname, parts.port))
            reader, writer = await asyncio.open_connection(sock=narrow, limit=4096)
            request = f"GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {owner.token}\r\n\r\n"
            writer.write(request.encode())
            await reader.readuntil(b": hello")
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of a socket
            await asyncio.to_thread(world.rows, statement)
            # Who reads nothing holds neither buffers nor a seat: another one is let in.
            await let_in_soon(owner, 20)
            writer.transport.abort()
            ((last,),) = world.rows("select max(id) - 20 from events")
            async with events(owner, last) as stream:
                read = await stream.until(b'"request_id":400', 20)
                assert read.count(b"event: task") == 20

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_who_is_silent_is_closed_and_who_answers_pings_is_not(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings, ping_s=0.3) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            async with socket(owner) as good, socket(owner) as silent:
                silent.link.transport.pause_reading()
                loop = asyncio.get_running_loop()
                begun = loop.time()
                await wait_until(lambda: loop.time() - begun > 1.5, "five pings")
                silent.link.transport.resume_reading()
                assert await silent.closed() == (1011, "no answer to pings")
                await good.is_still()

    asyncio.run(scenario())


def test_sockets_end_with_the_rights_that_opened_them_on_every_replica(
    store_settings: AdologySettings, world: World
) -> None:
    async def scenario() -> None:
        async with (
            serving(store_settings, caller_cache_s=60.0) as one,
            serving(store_settings, caller_cache_s=60.0) as other,
        ):
            owner = await log_in(one, "owner@acme.example")
            there = other.as_(owner.token)
            member = await log_in(other, "member@acme.example")
            key = await member.post("/v1/keys", {"name": "script", "scopes": ["read"]})
            script = other.as_(key["secret"])
            rival = await log_in(other, "owner@rival.example")
            async with (
                socket(there) as mine,
                socket(script) as scripted,
                socket(member) as members,
                socket(rival) as kept,
            ):
                assert (await script.ask("GET", "/v1/me")).status == 200
                (await member.ask("DELETE", f"/v1/keys/{key['key']['id']}")).expect(204)
                assert await scripted.closed() == (4001, "the session has ended")
                user = (await member.get("/v1/me"))["user"]["id"]
                (await owner.ask("PATCH", f"/v1/users/{user}", {"disabled": True})).expect(200)
                assert (await members.closed())[0] == 4001
                assert (await there.ask("GET", "/v1/me")).status == 200
                await owner.post("/v1/auth/logout-everywhere", status=204)
                assert (await mine.closed())[0] == 4001
                # The other replica had these in its memory for a minute.
                for who in (there, member, script):
                    assert (await who.ask("GET", "/v1/me")).status == 401
                await kept.is_still()
                world.rows("update organisations set deleted_at = now() where id = 'rival'")
                assert (await kept.closed())[0] == 4001

    asyncio.run(scenario())


def test_a_revocation_that_nobody_heard_is_found_out(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            async with socket(owner) as link:
                world.rows(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'adology-listen'"
                    " and datname = current_database()"
                )
                world.rows("update sessions set revoked_at = now()")
                assert (await link.closed())[0] == 4001

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_the_end_of_the_server_is_said_and_waits_for_nobody(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with contextlib.AsyncExitStack() as outer, contextlib.AsyncExitStack() as inner:
            nobody = await inner.enter_async_context(serving(store_settings))
            owner = await log_in(nobody, "owner@acme.example")
            link = await outer.enter_async_context(connect(address(owner, await ticket(owner))))
            stream = await outer.enter_async_context(events(owner))
            ended = asyncio.create_task(Socket(link).closed())
            bye = asyncio.create_task(stream.until(b'"type":"bye"'))
            async with asyncio.timeout(5):
                await inner.aclose()
            assert await ended == (1001, "the server is going away")
            assert b'"code":1001' in await bye

    asyncio.run(scenario())


def test_streams_tell_the_same_and_resume(store_settings: AdologySettings, world: World) -> None:
    async def scenario() -> None:
        async with serving(store_settings, ping_s=0.5) as nobody:
            owner, rival = [await log_in(nobody, f"owner@{org}.example") for org in ("acme", "rival")]
            task = add_task(world)
            first = change_task(world, task, 1)
            change_task(world, task, 2)

            async with events(owner, first) as stream:
                read = await stream.until(b'"step":2')
                assert b"id: %d\nevent: task\ndata: {" % (first + 1) in read
                assert b'"step":1' not in read
                change_task(world, task, 3)
                assert b"id: %d\n" % (first + 2) in await stream.until(b'"step":3')
            async with events(owner) as stream, events(rival, 0) as theirs, events(owner, to="brands") as brands:
                change_task(world, task, 4)
                assert b'"step":3' not in await stream.until(b'"step":4')
                for still in (theirs, brands):
                    assert b"event:" not in await still.until(b": alive")
                await owner.post("/v1/auth/logout", status=204)
                assert b'"code":4001' in await stream.until(b'"type":"bye"')
            owner = await log_in(nobody, "owner@acme.example")
            async with events(owner, after=str(first + 10_000)) as stream:
                assert b"event: gap" in await stream.until(b'"type":"gap"')
            for wrong in ("x", "-1", "9" * 30):
                answer = await owner.ask("GET", "/v1/events", headers={"last-event-id": wrong})
                assert answer.kind == "invalid"
            assert (await nobody.ask("GET", "/v1/events")).kind == "not-authenticated"

    asyncio.run(scenario())


@pytest.mark.usefixtures("world")
def test_roles_decide_what_a_process_serves(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings, roles=("api",)) as api, serving(store_settings, roles=("live",)) as live:
            owner = await log_in(api, "owner@acme.example")
            there = live.as_(owner.token)
            async with connect(address(there, await ticket(owner))) as link:
                assert (await Socket(link).hear())["type"] == "hello"
            assert (await there.ask("GET", "/v1/me")).kind == "not-found"
            assert (await owner.ask("GET", "/v1/events")).kind == "not-found"
            assert (await refused(address(owner, await ticket(owner))))[0] == 404
            for who in (api, live):
                assert (await who.ask("GET", "/healthz")).status == 200

    asyncio.run(scenario())
