"""The registry's HTTP contract, with bodies written as somebody else's program writes them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import aiohttp
import pytest
from yarl import URL

from adology.log import logger
from adology_registry.state import ActiveBrands
from tests.unit.registry.serving import Foreign, foreign, in_thread

pytestmark = pytest.mark.anyio

EPOCH = "x-adology-epoch"


@pytest.fixture(scope="module")
def shared() -> Iterator[str]:
    """One registry for tests that leave nothing in it."""
    with in_thread() as origin:
        yield origin


async def test_the_four_calls_as_the_contract_writes_them() -> None:
    async with foreign() as other:
        started = await other.post("/start", '{"brand":"nike","expected_count":2}')
        assert started.status == 200
        assert started.body["should_commit"] is False

        first = await other.post(
            "/submit",
            '{"brand":"nike","result":{"url":"https://cdn/1.jpg","embedding":[0.1,-2,3e-7],"s3_path":"s3://b/1"}}',
        )
        assert (first.status, first.body["should_commit"]) == (200, False)
        second = await other.post(
            "/submit", '{"brand":"nike","result":{"url":"https://cdn/2.jpg","embedding":[1,2,3],"s3_path":"s3://b/2"}}'
        )
        assert (second.status, second.body["should_commit"]) == (200, True)

        results = await other.get("/results/nike")
        assert results.status == 200
        assert results.headers["content-type"] == "application/json"
        assert results.body == [
            {"url": "https://cdn/1.jpg", "embedding": [0.1, -2, 3e-7], "s3_path": "s3://b/1"},
            {"url": "https://cdn/2.jpg", "embedding": [1, 2, 3], "s3_path": "s3://b/2"},
        ]

        assert (await other.post("/commit-complete", '{"brand":"nike"}')).status == 200
        assert (await other.get("/results/nike")).status == 404
        assert (await other.get("/brands")).body["brands"] == []


async def test_a_second_submit_of_a_url_replaces_and_is_not_counted_again() -> None:
    async with foreign() as other:
        await other.post("/start", '{"brand":"nike","expected_count":2}')
        for path in ("s3://old", "s3://new"):
            answer = await other.post("/submit", f'{{"brand":"nike","result":{{"url":"u","s3_path":"{path}"}}}}')
            assert answer.body["should_commit"] is False
            assert answer.body["received"] == 1
        assert (await other.get("/results/nike")).body == [{"url": "u", "embedding": None, "s3_path": "s3://new"}]


async def test_the_smallest_result_and_unknown_fields_are_accepted() -> None:
    async with foreign() as other:
        await other.post("/start", '{"brand":"nike","expected_count":3,"priority":"high","tags":{"a":[1]}}')
        assert (await other.post("/submit", '{"brand":"nike","result":{"url":"u"}}')).status == 200
        answer = await other.post(
            "/submit", '{"brand":"nike","result":{"url":"v","worker":"w-7","score":{"a":1},"status":"failed"},"at":1.5}'
        )
        assert answer.status == 200
        assert (await other.get("/brands/nike")).body["failed"] == 1
        # Fields that nobody here knows are dropped, as documented.
        assert (await other.get("/results/nike")).body[1] == {
            "url": "v",
            "embedding": None,
            "s3_path": None,
            "status": "failed",
        }


async def test_json_is_read_whatever_the_content_type_says() -> None:
    async with foreign() as other:
        answer = await other.post(
            "/start", '{"brand":"nike","expected_count":1}', **{"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert answer.status == 200


async def test_a_brand_of_no_urls_commits_at_once() -> None:
    async with foreign() as other:
        started = await other.post("/start", '{"brand":"nike","expected_count":0}')
        assert started.body["should_commit"] is True
        assert started.body["lease_token"]
        assert started.body["lease_s"] == 60.0
        assert (await other.get("/results/nike")).body == []


async def test_more_urls_than_expected_are_counted_too() -> None:
    async with foreign() as other:
        await other.post("/start", '{"brand":"nike","expected_count":1}')
        answers = [await other.post("/submit", f'{{"brand":"nike","result":{{"url":"{url}"}}}}') for url in "abc"]
        assert [answer.body["should_commit"] for answer in answers] == [True, False, False]
        assert answers[-1].body["received"] == 3
        assert answers[-1].body["expected_count"] == 1


async def test_a_second_start_is_idempotent_for_the_same_batch_and_409_for_another() -> None:
    async with foreign() as other:
        for _ in range(2):
            answer = await other.post("/start", '{"brand":"nike","expected_count":27,"batch_id":"b1"}')
            assert (answer.status, answer.body["batch_id"]) == (200, "b1")
        another = await other.post("/start", '{"brand":"nike","expected_count":27,"batch_id":"b2"}')
        assert another.status == 409
        assert another.body["code"] == "ADO-5702"
        assert another.body["batch_id"] == "b1"
        assert "b1" in another.body["detail"]


async def test_a_start_without_batch_id_is_idempotent_when_it_expects_as_many() -> None:
    async with foreign() as other:
        first = await other.post("/start", '{"brand":"nike","expected_count":27}')
        again = await other.post("/start", '{"brand":"nike","expected_count":27,"batch_id":null}')
        assert again.status == 200
        assert again.body["batch_id"] == first.body["batch_id"] != ""
        assert (await other.post("/start", '{"brand":"nike","expected_count":28}')).status == 409


async def test_submits_of_unknown_brands_are_404_also_after_the_commit() -> None:
    async with foreign() as other:
        submit = '{"brand":"nike","result":{"url":"u","embedding":[1],"s3_path":"s3://b/k"}}'
        before = await other.post("/submit", submit)
        assert (before.status, before.body["code"]) == (404, "ADO-5701")
        await other.post("/start", '{"brand":"nike","expected_count":1}')
        await other.post("/submit", submit)
        await other.post("/commit-complete", '{"brand":"nike"}')
        late = await other.post("/submit", submit)
        assert (late.status, late.body["code"]) == (404, "ADO-5701")


async def test_completing_what_is_not_active_is_harmless() -> None:
    async with foreign() as other:
        answer = await other.post("/commit-complete", '{"brand":"nobody"}')
        assert (answer.status, answer.body["done"]) == (200, False)


async def test_calls_of_another_batch_are_409_with_their_own_code() -> None:
    async with foreign() as other:
        await other.post("/start", '{"brand":"nike","expected_count":1,"batch_id":"b1"}')
        for path, rest in (
            ("/submit", '"result":{"url":"u"}'),
            ("/submit-many", '"results":[]'),
            ("/commit-renew", '"lease_token":"t"'),
            ("/commit-release", '"lease_token":"t"'),
            ("/commit-complete", '"lease_token":"t"'),
        ):
            answer = await other.post(path, f'{{"brand":"nike","batch_id":"b0",{rest}}}')
            assert (answer.status, answer.body["code"]) == (409, "ADO-5703"), path
        assert (await other.get("/results/nike?batch_id=b0")).status == 409
        assert (await other.get("/results/nike?batch_id=b1")).status == 200


async def test_the_lease_can_be_renewed_given_back_and_won_again() -> None:
    async with foreign() as other:
        token = (await other.post("/start", '{"brand":"nike","expected_count":0}')).body["lease_token"]
        renewed = await other.post("/commit-renew", f'{{"brand":"nike","lease_token":"{token}"}}')
        assert (renewed.status, renewed.body["lease_s"]) == (200, 60.0)
        wrong = await other.post("/commit-renew", '{"brand":"nike","lease_token":"made-up"}')
        assert (wrong.status, wrong.body["code"]) == (409, "ADO-5704")
        assert (await other.post("/submit", '{"brand":"nike","result":{"url":"u"}}')).body["should_commit"] is False
        assert (await other.post("/commit-release", f'{{"brand":"nike","lease_token":"{token}"}}')).status == 200
        next_ = await other.post("/submit", '{"brand":"nike","result":{"url":"u"}}')
        assert next_.body["should_commit"] is True
        assert next_.body["lease_token"] != token
        stale = await other.post("/commit-complete", f'{{"brand":"nike","lease_token":"{token}"}}')
        assert (stale.status, stale.body["code"]) == (409, "ADO-5704")
        assert (await other.post("/commit-complete", '{"brand":"nike"}')).body["done"] is True


async def test_a_lease_that_runs_out_is_won_by_the_next_one_who_asks() -> None:
    async with foreign(commit_lease_s=0.05) as other:
        first = await other.post("/start", '{"brand":"nike","expected_count":0}')
        await asyncio.sleep(0.1)
        second = await other.post("/start", '{"brand":"nike","expected_count":0}')
        assert second.body["should_commit"] is True
        lost = await other.post("/commit-renew", f'{{"brand":"nike","lease_token":"{first.body["lease_token"]}"}}')
        assert (lost.status, lost.body["code"]) == (409, "ADO-5704")


async def test_of_many_concurrent_submitters_exactly_one_commits() -> None:
    async with foreign() as other:
        await other.post("/start", '{"brand":"nike","expected_count":50}')
        answers = await asyncio.gather(
            *(
                other.post("/submit", f'{{"brand":"nike","result":{{"url":"u{n % 50}","embedding":[{n}]}}}}')
                for n in range(150)
            )
        )
        assert sum(answer.body["should_commit"] for answer in answers) == 1
        assert (await other.get("/brands/nike")).body["received"] == 50


async def test_submit_many_counts_all_and_answers_once() -> None:
    async with foreign() as other:
        await other.post("/start", '{"brand":"nike","expected_count":3}')
        part = await other.post("/submit-many", '{"brand":"nike","results":[{"url":"a"},{"url":"b"},{"url":"a"}]}')
        assert (part.body["received"], part.body["should_commit"]) == (2, False)
        rest = await other.post("/submit-many", '{"brand":"nike","results":[{"url":"c"},{"url":"b"}]}')
        assert (rest.body["received"], rest.body["should_commit"]) == (3, True)


async def test_submit_many_refuses_all_when_one_is_wrong() -> None:
    async with foreign() as other:
        await other.post("/start", '{"brand":"nike","expected_count":3}')
        answer = await other.post("/submit-many", '{"brand":"nike","results":[{"url":"a"},{"url":7}]}')
        assert (answer.status, answer.body["field"]) == (400, "results[1].url")
        assert (await other.get("/brands/nike")).body["received"] == 0


@pytest.mark.parametrize(
    ("path", "body", "field", "words"),
    [
        ("/start", "{}", "brand", "missing required field `brand`"),
        ("/start", '{"brand":"nike"}', "expected_count", "missing required field `expected_count`"),
        ("/start", '{"brand":"nike","expected_count":"27"}', "expected_count", "Expected `int`, got `str`"),
        ("/start", '{"brand":"nike","expected_count":-1}', "expected_count", ">= 0"),
        ("/start", '{"brand":"","expected_count":1}', "brand", "1 to 200"),
        ("/start", '{"brand":"a\\nb","expected_count":1}', "brand", "cannot be printed"),
        ("/start", '{"brand":"a/","expected_count":1}', "brand", "slash"),
        ("/start", '{"brand":"..","expected_count":1}', "brand", "address"),
        ("/start", '{"brand":"' + "x" * 201 + '","expected_count":1}', "brand", "201 characters"),
        ("/submit", '{"brand":"nike"}', "result", "missing required field `result`"),
        ("/submit", '{"brand":"nike","result":{}}', "result.url", "missing required field `url`"),
        ("/submit", '{"brand":"nike","result":{"url":""}}', "result.url", "length >= 1"),
        ("/submit", '{"brand":"nike","result":{"url":"' + "u" * 8193 + '"}}', "result.url", "length <= 8192"),
        ("/submit", '{"brand":"nike","result":{"url":"u","embedding":[1,"x"]}}', "result.embedding[1]", "`float`"),
        ("/submit", '{"brand":"nike","result":{"url":"u","embedding":[1e39]}}', "result.embedding", "float32"),
        ("/submit", '{"brand":"nike","result":{"url":"u","status":"done"}}', "result.status", "'done'"),
        (
            "/submit",
            '{"brand":"nike","result":{"url":"u","metadata":{"n":' + "9" * 30 + "}}}",
            "result.metadata",
            "beyond 64 bits",
        ),
        ("/commit-renew", '{"brand":"nike"}', "lease_token", "missing required field `lease_token`"),
        ("/commit-release", '{"brand":"nike","lease_token":""}', "lease_token", "length >= 1"),
        ("/start", '{"brand":"nike",', "", "is not JSON"),
        ("/start", "", "", "0 bytes is not JSON"),
        ("/start", "brand=nike&expected_count=1", "", "is not JSON"),
        ("/start", '["nike",1]', "", "Expected `object`, got `array`"),
        ("/submit", "[" * 100_000, "", "Expected `object`"),
        ("/submit", '{"brand":"nike","x":' + "[" * 100_000, "", "is not JSON"),
    ],
)
async def test_bad_bodies_are_400_and_name_the_field(shared: str, path: str, body: str, field: str, words: str) -> None:
    async with aiohttp.ClientSession() as session:
        answer = await Foreign(shared, session).post(path, body)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["code"] == "ADO-5707"
    assert answer.body.get("field", "") == field
    assert words in answer.body["detail"]


async def test_every_refusal_is_a_problem_with_the_same_fields_and_the_epoch() -> None:
    async with foreign() as other:
        epoch = (await other.get("/healthz")).body["epoch"]
        await other.post("/start", '{"brand":"nike","expected_count":9}')
        refused = {
            400: await other.post("/start", "{"),
            404: await other.get("/results/adidas"),
            405: await other.call("GET", "/submit"),
            409: await other.post("/start", '{"brand":"nike","expected_count":8}'),
        }
        for status, answer in refused.items():
            assert answer.status == status
            assert answer.headers["content-type"] == "application/problem+json"
            assert {"type", "title", "status", "detail", "code"} <= set(answer.body)
            assert answer.body["status"] == status
            assert answer.body["type"].startswith("urn:adology:registry:")
            assert answer.body["epoch"] == answer.headers[EPOCH] == epoch
        assert refused[405].headers["allow"] == "POST"


async def test_unknown_addresses_and_methods_are_problems_too() -> None:
    async with foreign() as other:
        for method, path, status in (("GET", "/nowhere", 404), ("POST", "/brands", 405), ("DELETE", "/results/x", 405)):
            answer = await other.call(method, path)
            assert (answer.status, answer.body["code"]) == (status, "ADO-5708"), path
            assert path in answer.body["detail"]
            assert answer.headers[EPOCH]
        assert "GET" in (await other.call("DELETE", "/brands")).headers["allow"]


async def test_every_answer_carries_the_epoch_in_header_and_body() -> None:
    async with foreign() as other:
        answers = [
            await other.post("/start", '{"brand":"nike","expected_count":1}'),
            await other.post("/submit", '{"brand":"nike","result":{"url":"u"}}'),
            await other.get("/brands"),
            await other.get("/brands/nike"),
            await other.get("/healthz"),
            await other.post("/commit-complete", '{"brand":"nike"}'),
        ]
        assert len({answer.body["epoch"] for answer in answers} | {answer.headers[EPOCH] for answer in answers}) == 1
        await other.post("/start", '{"brand":"nike","expected_count":1}')
        for path in ("/results/nike", "/metrics"):
            assert (await other.get(path)).headers[EPOCH] == answers[0].body["epoch"]


async def test_brand_names_of_any_printable_kind_can_be_asked_for() -> None:
    names = {
        "AC/DC": "AC%2FDC",
        "50% off?": "50%25%20off%3F",
        "Söhne & Co.+#": "S%C3%B6hne%20%26%20Co.%2B%23",
        "日本": "%E6%97%A5%E6%9C%AC",
        "a//b": "a%2F%2Fb",
        "results": "results",
    }
    async with foreign() as other:
        for name, escaped in names.items():
            assert (await other.post("/start", f'{{"brand":"{name}","expected_count":5}}')).status == 200
            await other.post("/submit", f'{{"brand":"{name}","result":{{"url":"of {name}"}}}}')
            assert await _brand_of(other, escaped) == name
        assert {brand["brand"] for brand in (await other.get("/brands")).body["brands"]} == set(names)


async def _brand_of(other: Foreign, escaped: str) -> str:
    # `encoded` keeps the client from tidying the address up.
    async with other.session.get(URL(f"{other.origin}/results/{escaped}", encoded=True)) as response:
        assert response.status == 200
        url: str = (await response.json())[0]["url"]
    async with other.session.get(URL(f"{other.origin}/brands/{escaped}", encoded=True)) as response:
        body = await response.json()
    assert url == f"of {body['brand']}"
    return str(body["brand"])


async def test_brands_come_in_pages_by_name() -> None:
    async with foreign() as other:
        for name in ("c", "a", "d", "b", "e"):
            await other.post("/start", f'{{"brand":"{name}","expected_count":1}}')
        first = (await other.get("/brands?limit=2")).body
        assert [brand["brand"] for brand in first["brands"]] == ["a", "b"]
        second = (await other.get(f"/brands?limit=2&after={first['next']}")).body
        third = (await other.get(f"/brands?limit=2&after={second['next']}")).body
        assert [brand["brand"] for brand in second["brands"] + third["brands"]] == ["c", "d", "e"]
        assert third["next"] is None
        for limit in ("0", "1001", "x", "-1", "²", ""):
            refused = await other.get(f"/brands?limit={limit}")
            assert (refused.status, refused.body["field"]) == (400, "limit"), limit


async def test_progress_says_how_far_a_brand_is() -> None:
    async with foreign() as other:
        await other.post("/start", '{"brand":"nike","expected_count":2,"batch_id":"b"}')
        states = [(await other.get("/brands/nike")).body]
        for url in "ab":
            await other.post("/submit", f'{{"brand":"nike","result":{{"url":"{url}","status":"failed"}}}}')
            states.append((await other.get("/brands/nike")).body)
        assert [one["state"] for one in states] == ["open", "open", "committing"]
        assert [one["received"] for one in states] == [one["failed"] for one in states] == [0, 1, 2]
        assert states[2]["expected_count"] == 2
        assert states[2]["batch_id"] == "b"
        assert states[2]["age_s"] >= states[2]["idle_s"] >= 0


@pytest.mark.parametrize("hidden", ["submit", "page"])
async def test_a_fault_of_the_registry_is_a_500_that_shows_nothing_of_its_inside(
    monkeypatch: pytest.MonkeyPatch, hidden: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(ActiveBrands, hidden, broken)
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message} {extra[operation]}", level="ERROR")
    try:
        async with foreign() as other:
            submitted = await other.post("/submit", '{"brand":"nike","result":{"url":"u"}}')
            listed = await other.get("/brands")
            answer = submitted if hidden == "submit" else listed
            # The next call is served as if nothing had happened.
            assert (await other.get("/healthz")).status == 200
    finally:
        logger.remove(sink)
    assert (answer.status, answer.body["code"]) == (500, "ADO-5000")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers[EPOCH]
    assert "secret" not in str(answer.body)
    assert len(lines) == 1
    assert "secret inside" in lines[0]
    assert "request failed" in lines[0]
