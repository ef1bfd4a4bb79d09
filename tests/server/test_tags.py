"""ETags: every JSON answer to somebody known has one, and who has it is told 304; If-Match on what people change."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from adology.settings import AdologySettings
from tests.server.rig import Client, World, log_in, serving
from tests.server.routes import Route, all_routes, operation
from tests.server.test_foreign import Rival
from tests.server.test_matrix import insert_session, insert_user

pytestmark = pytest.mark.timeout(120)
GIVEN = ("etag", "cache-control", "vary")
EMPTY = ("/v1/ads/{ad_id:int}/similar", "/v1/tasks/{task_id:uuid}/file")
"""Without an index or a finished export there is nothing to answer."""


def read_routes() -> list[Route]:
    """Those whose answers have a tag."""
    return [route for route in all_routes() if "304" in operation(route).get("responses", {})]


def test_all_reads_of_somebody_known_promise_304_and_nothing_else_does() -> None:
    known = {r.name for r in all_routes() if r.method == "GET" and r.level != "public" and r.path != "/v1/events"}
    assert {route.name for route in read_routes()} == known
    for route in read_routes():
        names = {one["name"] for one in operation(route)["parameters"]}
        assert "If-None-Match" in names, route.name
        assert set(operation(route)["responses"]["200"]["headers"]) > {"ETag", "RateLimit"}, route.name


@pytest.mark.usefixtures("stack")
def test_every_read_is_told_304_until_its_body_changes(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    rival, operator = Rival(world), world.add_operator()
    world.add_brands("adidas")

    async def scenario() -> int:
        seen = 0
        async with serving(store_settings, rate_caller=0, rate_organisation=0) as nobody:
            owner = nobody.as_(rival.token)
            await rival.fill(owner)
            for route in read_routes():
                client = nobody.as_(operator) if route.level == "operator" else owner
                ids = {"organisation": "rival", **rival.ids}
                path = route.at(**{name: ids.get(name, "nike") for name in route.parameters})
                for coding in ("identity", "gzip"):
                    first = await client.ask("GET", path, headers={"accept-encoding": coding})
                    if first.status != 200:
                        assert route.path in EMPTY, (route.name, first.body)
                        continue
                    seen += 1
                    check_headers(route, first)
                    tag = first.headers["etag"]
                    for asked in (tag, f'"other", {tag}', f"W/{tag.removeprefix('W/')}", "*"):
                        again = await client.ask("GET", path, headers={"if-none-match": asked})
                        assert (again.status, again.body) == (304, b""), (route.name, asked, tag)
                        assert "content-type" not in again.headers
                        assert {n: again.headers[n] for n in GIVEN} == {n: first.headers[n] for n in GIVEN}
                    head = await client.ask("HEAD", path, headers={"if-none-match": tag})
                    assert (head.status, head.headers["etag"]) == (304, tag)
                    other = await client.ask("GET", path, headers={"if-none-match": '"other"'})
                    assert (other.status, other.body) == (200, first.body), route.name
        return seen

    assert asyncio.run(scenario()) >= 44


def check_headers(route: Route, answer: Any) -> None:
    """An answer that a client may keep for itself, and has to ask about each time."""
    assert answer.headers["cache-control"] == "private, no-cache", route.name
    vary = [one.strip() for one in answer.headers["vary"].split(",")]
    assert sorted(vary) == ["Accept-Encoding", "Authorization"], route.name


@pytest.mark.usefixtures("stack")
def test_refusals_and_what_nobody_has_to_ask_for_have_no_tag(store_settings: AdologySettings) -> None:
    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            for path, status in (("/v1/boards", 401), ("/healthz", 200), ("/v1/openapi.json", 200)):
                answer = await nobody.ask("GET", path, headers={"if-none-match": "*"})
                assert (answer.status, "etag" in answer.headers) == (status, False)

    asyncio.run(scenario())


def test_the_tag_of_an_ad_lasts_as_long_as_its_addresses_and_is_that_of_all_replicas(
    store_settings: AdologySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(store_settings)
    world.add_org("acme")
    world.add_brands("nike")
    token = insert_session(world, "acme", insert_user(world, "acme", "owner@acme.example", "owner"))
    ad = world.add_ad("nike", "a")
    sha256 = "a" * 64
    world.rows(
        "insert into assets (sha256, kind, content_type, size_bytes, s3_path, first_batch, first_seen_at)"
        " values (%s, 'image', 'image/png', 10, 's3://adology/assets/aa/x.png', 'nike-batch', now())",
        [sha256],
    )
    world.rows("insert into ad_assets values (%s, 0, %s)", [ad, sha256])
    began = 1_800_000_000 // 300 * 300
    moment = [began]
    monkeypatch.setattr("adology_server.files.time.time", lambda: moment[0])

    async def scenario() -> None:
        path = f"/v1/ads/{ad}"
        async with serving(store_settings) as one, serving(store_settings) as two:
            first = await one.as_(token).ask("GET", path)
            assert first.body["assets"][0]["url"].startswith("http")
            tag = {"if-none-match": first.headers["etag"]}
            moment[0] = began + 299
            for replica in (one, two):
                assert (await replica.as_(token).ask("GET", path, headers=tag)).status == 304
            moment[0] = began + 300
            for replica in (one, two):
                later = await replica.as_(token).ask("GET", path, headers=tag)
                assert later.status == 200  # 304 would leave the client with addresses that end
                assert later.body["assets"][0]["url"] != first.body["assets"][0]["url"]

    asyncio.run(scenario())


async def tagged(client: Client, path: str) -> str:
    """The tag of what is there now."""
    answer = await client.ask("GET", path)
    answer.expect(200)
    return str(answer.headers["etag"])


@pytest.fixture
def world(store_settings: AdologySettings) -> World:
    """An owner and a member, a brand."""
    made = World(store_settings)
    made.add_org("acme", "Acme")
    made.add_user("acme", "owner@acme.example", "owner")
    made.add_brands("nike")
    return made


def test_of_two_who_change_a_brand_a_user_or_the_organisation_one_is_told(
    store_settings: AdologySettings, world: World
) -> None:
    member = insert_user(world, "acme", "member@acme.example", "member")
    changes: dict[str, tuple[Any, Any]] = {
        "/v1/brands/nike": ({"refresh_every_s": 7200}, {"handles": {"facebook": ["1"]}}),
        f"/v1/users/{member}": ({"name": "Mo"}, {"role": "admin"}),
        "/v1/organisation": ({"name": "Acme One"}, {"name": "Acme Two"}),
    }

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            for path, bodies in changes.items():
                tag = await tagged(owner, path)
                both = await asyncio.gather(
                    *(owner.ask("PATCH", path, body, headers={"if-match": tag}) for body in bodies)
                )
                assert sorted(answer.status for answer in both) == [200, 412], path
                (lost,) = [answer for answer in both if answer.status == 412]
                (won,) = [answer for answer in both if answer.status == 200]
                assert lost.kind == "changed-meanwhile"
                # The answer to a change names what is there now.
                now = await owner.ask("GET", path)
                assert (now.headers["etag"], now.body) == (won.headers["etag"], won.body), path
                assert won.body["version"] == 2
                (await owner.ask("PATCH", path, bodies[0], headers={"if-match": f"W/{now.headers['etag']}"})).expect(
                    200
                )
                (await owner.ask("PATCH", path, bodies[1], headers={"if-match": "*"})).expect(200)
                (await owner.ask("PATCH", path, bodies[1])).expect(200)
                assert (await owner.ask("PATCH", path, bodies[0], headers={"if-match": '"acme"'})).status == 412

    asyncio.run(scenario())


def test_what_nobody_changed_is_the_same_version(store_settings: AdologySettings, world: World) -> None:
    """A commit that brings ads, a login, a refresh that comes due: the body is another one, the version is not."""

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            me = (await owner.get("/v1/me"))["user"]["id"]
            brand, user = await tagged(owner, "/v1/brands/nike"), await tagged(owner, f"/v1/users/{me}")
            world.rows("update brands set next_refresh_at = now()")
            await log_in(nobody, "owner@acme.example")
            assert await tagged(owner, "/v1/brands/nike") != brand
            assert await tagged(owner, f"/v1/users/{me}") != user
            for path, tag, body in (
                ("/v1/brands/nike", brand, {"refresh_every_s": 7200}),
                (f"/v1/users/{me}", user, {"name": "Ann"}),
            ):
                (await owner.ask("PATCH", path, body, headers={"if-match": tag})).expect(200)

    asyncio.run(scenario())


def test_a_compressed_answer_has_the_tag_of_the_plain_one(store_settings: AdologySettings, world: World) -> None:
    world.add_brands(*(f"brand-{number}" for number in range(60)))

    async def scenario() -> None:
        async with serving(store_settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            headers = {"authorization": f"Bearer {owner.token}"}
            found = []
            async with aiohttp.ClientSession(auto_decompress=False) as http:
                for coding in ("identity", "gzip"):
                    asked = {**headers, "accept-encoding": coding}
                    async with http.get(f"{owner.origin}/v1/brands", headers=asked) as answer:
                        found.append((answer.headers["etag"], answer.headers.get("content-encoding")))
            assert [coding for _, coding in found] == [None, "gzip"]
            assert found[0][0] == found[1][0]
            assert found[0][0].startswith('W/"')

    asyncio.run(scenario())
