"""What every answer has and what no request gets past: limits, headers, compression, caps, methods."""

from __future__ import annotations

import asyncio
import gzip
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adology.settings import AdologySettings
from adology_server.problems import KINDS
from adology_server.requests import SECURITY
from tests.server.rig import Client, World, serving
from tests.server.test_matrix import insert_key, insert_session, insert_user

pytestmark = pytest.mark.timeout(60)
RATE = re.compile(r'"caller";r=(\d+);t=(\d+)(?:, "organisation";r=(\d+);t=(\d+))?')


@pytest.fixture
def token(store_settings: AdologySettings) -> str:
    """Of an owner."""
    world = World(store_settings)
    world.add_org("acme")
    user = insert_user(world, "acme", "owner@acme.example", "owner")
    World(store_settings).rows("select 1")
    return insert_session(world, "acme", user)


async def raw(
    client: Client, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None, token: str = ""
) -> tuple[int, Any, bytes]:
    """An answer as it comes over the wire."""
    sent = {**({"authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
    async with (
        aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=("Accept-Encoding", "Content-Type")) as http,
        http.request(method, client.origin + path, data=body, headers=sent) as answer,
    ):
        return answer.status, answer.headers, await answer.read()


def test_replicas_share_the_limit_of_a_caller_and_tell_it(store_settings: AdologySettings, token: str) -> None:
    async def scenario() -> None:
        changes = {"rate_caller": 60, "rate_organisation": 0}
        async with serving(store_settings, **changes) as one, serving(store_settings, **changes) as other:
            clients = [one.as_(token), other.as_(token)]
            answers = [await clients[n % 2].ask("GET", "/v1/me") for n in range(80)]
            good = [answer for answer in answers if answer.status == 200]
            # A token comes back every second, and the requests take less than a few.
            assert 60 <= len(good) <= 66
            assert answers[0].headers["ratelimit-policy"] == '"caller";q=60;w=60'
            left = RATE.fullmatch(answers[0].headers["ratelimit"])
            assert left is not None
            assert 57 <= int(left[1]) <= 60
            (last,) = answers[-1:]
            assert last.kind == "too-many"
            assert 1 <= int(last.headers["retry-after"]) <= 60
            assert last.headers["ratelimit"].startswith('"caller";r=0;')

    asyncio.run(scenario())


def test_an_organisation_has_a_limit_and_others_are_not_held_up(store_settings: AdologySettings, token: str) -> None:
    world = World(store_settings)
    world.add_org("rival")
    quiet = insert_session(world, "rival", insert_user(world, "rival", "owner@rival.example", "owner"))
    second = insert_key(world, "acme", str(world.rows("select id from users where org_id = 'acme'")[0][0]), "read")

    async def scenario() -> None:
        async with serving(store_settings, rate_caller=0, rate_organisation=40) as nobody:
            both = [nobody.as_(token), nobody.as_(second)]
            answers = [await both[n % 2].ask("GET", "/v1/me") for n in range(60)]
            assert 40 <= sum(answer.status == 200 for answer in answers) <= 45
            assert answers[-1].kind == "too-many"
            assert (await nobody.as_(quiet).ask("GET", "/v1/me")).status == 200

    asyncio.run(scenario())


def test_most_requests_cost_the_limit_no_round_trip(store_settings: AdologySettings, token: str) -> None:
    world = World(store_settings)

    async def scenario() -> None:
        async with serving(store_settings, rate_caller=6000, rate_organisation=6000) as nobody:
            client = nobody.as_(token)
            await client.get("/v1/me")
            drawn = world.rows("select bucket, at from rate_buckets order by 1")
            for _ in range(60):
                await client.get("/v1/me")
            assert world.rows("select bucket, at from rate_buckets order by 1") == drawn

    asyncio.run(scenario())


def test_every_answer_has_its_headers_those_of_the_framework_too(store_settings: AdologySettings, token: str) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            client = nobody.as_(token)
            for method, path, status in (
                ("GET", "/v1/me", 200),
                ("GET", "/nowhere", 404),
                ("GET", "/v1/nowhere", 404),
                ("PUT", "/v1/me", 405),
                ("GET", "/v1/users/no-uuid", 404),
                ("GET", "/", 200),
            ):
                answer = await client.ask(method, path)
                assert answer.status == status, (method, path, answer.body)
                assert answer.headers["x-request-id"]
                for name, value in SECURITY:
                    if path != "/" or name != b"content-security-policy":
                        assert answer.headers[name.decode()] == value.decode(), (path, name)
                assert "strict-transport-security" not in answer.headers
                if status >= 400:
                    assert answer.body["request"] == answer.headers["x-request-id"]
        async with serving(store_settings, public_url="https://ads.example") as nobody:
            answer = await nobody.ask("GET", "/healthz")
            assert answer.headers["strict-transport-security"].startswith("max-age=")

    asyncio.run(scenario())


def test_methods(store_settings: AdologySettings, token: str) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            client = nobody.as_(token)
            wrong = await client.ask("PUT", "/v1/boards")
            assert (wrong.kind, wrong.headers["allow"]) == ("method-not-allowed", "GET, HEAD, OPTIONS, POST")
            options = await client.ask("OPTIONS", "/v1/boards")
            assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
            whole, head = await client.ask("GET", "/v1/me"), await client.ask("HEAD", "/v1/me")
            assert (head.status, head.body) == (200, b"")
            assert head.headers["content-length"] == whole.headers["content-length"]
            assert (await nobody.ask("HEAD", "/v1/me")).status == 401

    asyncio.run(scenario())


def test_pages_of_listed_origins_alone_may_call(store_settings: AdologySettings) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,idempotency-key"}

    async def scenario() -> None:
        async with serving(store_settings, origins=("https://app.example",)) as nobody:
            for origin, status in (("https://app.example", 204), ("https://evil.example", 403), ("null", 403)):
                answer = await nobody.ask("OPTIONS", "/v1/boards", headers={"origin": origin, **asked})
                assert answer.status == status, origin
                if status != 204:
                    assert answer.kind == "foreign-origin"
                    assert answer.body["request"] == answer.headers["x-request-id"]
                allowed = answer.headers.get("access-control-allow-origin")
                assert allowed == (origin if status == 204 else None)
                assert "access-control-allow-credentials" not in answer.headers
                answer = await nobody.ask("GET", "/healthz", headers={"origin": origin})
                assert answer.headers.get("access-control-allow-origin") == (origin if status == 204 else None)
            own = {"origin": "https://app.example"}
            for wrong, said in (
                ({"access-control-request-method": "TRACE"}, "TRACE"),
                ({**asked, "access-control-request-headers": "x-secret"}, "Idempotency-Key"),
            ):
                answer = await nobody.ask("OPTIONS", "/v1/boards", headers={**own, **wrong})
                assert (answer.status, answer.kind) == (400, "bad-request")
                assert said in answer.body["detail"]
        async with serving(store_settings) as nobody:
            answer = await nobody.ask("GET", "/healthz", headers={"origin": "https://app.example"})
            assert "access-control-allow-origin" not in answer.headers

    asyncio.run(scenario())


def test_large_answers_are_compressed_for_those_who_take_it(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            path = "/v1/openapi.json"
            _, headers, plain = await raw(nobody, "GET", path)
            assert "content-encoding" not in headers
            _, headers, packed = await raw(nobody, "GET", path, headers={"accept-encoding": "br, gzip;q=0.8"})
            assert headers["content-encoding"] == "gzip"
            assert "accept-encoding" in headers["vary"].lower()
            assert gzip.decompress(packed) == plain
            assert len(packed) < len(plain) / 4
            for accepted in ("gzip;q=0", "identity", "br"):
                _, headers, _ = await raw(nobody, "GET", path, headers={"accept-encoding": accepted})
                assert "content-encoding" not in headers, accepted
            _, headers, _ = await raw(nobody, "GET", "/healthz", headers={"accept-encoding": "gzip"})
            assert "content-encoding" not in headers  # too small to gain

    asyncio.run(scenario())


def test_bodies_are_read_only_as_what_they_should_be(store_settings: AdologySettings, token: str) -> None:
    async def scenario() -> None:
        async with serving(store_settings, max_body_bytes=2048) as nobody:
            json = {"content-type": "application/json"}
            for body, headers, status, kind in (
                (b'{"name":"a"}', json, 201, ""),
                (b'{"name":"b"}', {"content-type": "application/json; charset=utf-8"}, 201, ""),
                (b'{"name":"c"} trailing', json, 400, "bad-request"),
                (b'{"name":"c"}{"name":"d"}', json, 400, "bad-request"),
                (b'{"name":', json, 400, "bad-request"),
                (b"\xff\xfe", json, 400, "bad-request"),
                (b"", json, 422, "invalid"),
                (b"name=c", {"content-type": "application/x-www-form-urlencoded"}, 415, "media-type"),
                (b'{"name":"c"}', {"content-type": "text/plain"}, 415, "media-type"),
                (b'{"name":"' + b"x" * 4000 + b'"}', json, 413, "body-too-large"),
                (b'{"name":"' + b"x" * 4000 + b'"}', {**json, "idempotency-key": "k"}, 413, "body-too-large"),
                (b'{"name":"c\\u0000"}', json, 422, "invalid"),
            ):
                found, answered, said = await raw(nobody, "POST", "/v1/boards", body=body, headers=headers, token=token)
                assert found == status, (body[:30], said)
                if kind:
                    assert answered["content-type"] == "application/problem+json", said
                    assert f"urn:adology:problem:{kind}".encode() in said

            async def endless() -> Any:
                for _ in range(10):
                    yield b"x" * 1000

            found, _, said = await raw(nobody, "POST", "/v1/boards", body=endless(), headers=json, token=token)
            assert (found, b"body-too-large" in said) == (413, True)

    asyncio.run(scenario())


def test_parameters_that_nothing_has_are_refused_with_the_nearest_name(
    store_settings: AdologySettings, token: str
) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            answer = await nobody.as_(token).ask("GET", "/v1/boards", limt=3)
            assert answer.kind == "invalid"
            assert answer.body["errors"] == [
                {"field": "limt", "detail": "There is no parameter 'limt'; did you mean 'limit'?"}
            ]
            assert (await nobody.ask("GET", "/healthz", x=1)).kind == "invalid"
            assert (await nobody.as_(token).ask("GET", "/v1/boards", limit=3)).status == 200

    asyncio.run(scenario())


def test_readiness_and_the_page_for_people(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            ready = await nobody.get("/readyz")
            assert (ready["ready"], ready["plugins"]) == (True, [])
            assert ready["degraded"]  # this database has no bucket and no queues beside it
            page = await nobody.ask("GET", "/")
            assert page.headers["content-type"].startswith("text/html")
            assert b"Ready, but not whole." in page.body
            assert "default-src 'none'" in page.headers["content-security-policy"]
            assert b"<script" not in page.body

    asyncio.run(scenario())
    World(store_settings).rows("drop table brands_added cascade")

    async def older() -> None:
        async with serving(store_settings) as nobody:
            answer = await nobody.ask("GET", "/readyz")
            assert answer.status == 503
            assert "adology migrate" in answer.body["parts"][0]["error"]
            assert b"Not ready." in (await nobody.ask("GET", "/")).body

    asyncio.run(older())


def test_the_list_of_problems_is_whole() -> None:
    text = (Path(__file__).parents[2] / "docs" / "problems.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \| (.*?) \|", text, re.MULTILINE)
    assert [(kind, int(status), title) for kind, status, title in rows] == [
        (kind, int(status), title) for kind, (status, title) in KINDS.items()
    ]
