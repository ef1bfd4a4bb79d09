from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from tests.unit.serpapi.rig import ACME, NOW, OTHER, TODAY, Clock, make_ad, make_brand, make_world, mixed_ads
from upstreams.faults import Fault
from upstreams.serpapi import API_KEY, SerpApiRules, SerpApiServer, errors
from upstreams.world import WorldBrand

pytestmark = pytest.mark.anyio

LIST = "google_ads_transparency_center"
DETAILS = "google_ads_transparency_center_ad_details"
SECOND_KEY = "5e4b1c0ffee-second"


class Vendor:
    """The stand-in with a client that asks it plainly."""

    def __init__(self, *brands: WorldBrand, **rules: Any) -> None:
        self.clock = Clock()
        self.server = SerpApiServer(
            make_world(*(brands or (make_brand(mixed_ads(12)),))),
            lambda file: f"https://cdn.example/{file}",
            rules=SerpApiRules(**rules),
            clock=self.clock,
        )

    async def __aenter__(self) -> Self:
        await self.server.start()
        self.session = aiohttp.ClientSession(self.server.origin)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()
        await self.server.stop()

    async def get(self, path: str, **params: Any) -> tuple[int, Any]:
        given = {"api_key": API_KEY, **params}
        async with self.session.get(path, params={k: str(v) for k, v in given.items() if v is not None}) as answer:
            return answer.status, await answer.json()

    async def ask(self, **params: Any) -> tuple[int, Any]:
        given = {"engine": LIST, "advertiser_id": ACME, **params}
        return await self.get("/search.json", **{k: v for k, v in given.items() if v is not None})

    async def details(self, number: int, **params: Any) -> tuple[int, Any]:
        return await self.ask(engine=DETAILS, creative_id=make_ad(number).id, **params)


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"engine": None}, "Missing query `q` parameter."),
        ({"engine": "google_nope"}, "Unsupported `google_nope` search engine."),
        ({"advertiser_id": None}, "Missing query `advertiser_id` parameter."),
        ({"engine": DETAILS}, "Missing query `creative_id` parameter."),
        ({"engine": DETAILS, "advertiser_id": None}, "Missing query `advertiser_id` parameter."),
        ({"region": "US"}, "Unsupported `US` region parameter."),
        ({"region": "2001"}, "Unsupported `2001` region parameter."),
        ({"platform": "search"}, "Unsupported `search` platform parameter."),
        ({"creative_format": "gif"}, "Unsupported `gif` creative_format parameter."),
        ({"political_ads": "yes"}, "Unsupported `yes` political_ads parameter."),
        ({"political_ads": "true"}, errors.POLITICAL_ALONE),
        ({"start_date": "2026-01-01"}, "Unsupported `2026-01-01` start_date parameter."),
        ({"num": "many"}, "Unsupported `many` num parameter."),
        ({"no_cache": "true", "async": "true"}, "`no_cache` and `async` parameters can't be used together."),
        ({"next_page_token": "made up"}, "Invalid or expired `next_page_token` parameter."),
    ],
)
async def test_a_parameter_that_is_wrong_is_a_400_with_its_name(params: dict[str, Any], text: str) -> None:
    async with Vendor() as vendor:
        assert await vendor.ask(**params) == (400, {"error": text})
        assert vendor.server.searches_paid == 0


@pytest.mark.parametrize("key", [None, "", "wrong"])
@pytest.mark.parametrize("path", ["/search", "/search.json", "/account.json", "/searches/abc.json"])
async def test_without_a_good_key_everything_is_a_401(key: str | None, path: str) -> None:
    async with Vendor() as vendor:
        status, body = await vendor.get(path, api_key=key, engine=LIST, advertiser_id=ACME)
        assert status == 401
        assert body["error"].startswith("Invalid API key.")


async def test_tokens_lead_through_every_ad_once_newest_first() -> None:
    async with Vendor(make_brand([make_ad(n, stopped_on=TODAY - timedelta(days=n)) for n in range(10)])) as vendor:
        ids, token = [], None
        for left in (3, 2, 1, 0):
            _, body = await vendor.ask(num=3, next_page_token=token)
            ids += [entry["ad_creative_id"] for entry in body["ad_creatives"]]
            assert body["search_information"] == {"total_results": 10}
            assert ("serpapi_pagination" in body) == (left > 0)
            token = body.get("serpapi_pagination", {}).get("next_page_token")
        assert ids == [make_ad(n).id for n in range(10)]


async def test_next_is_the_whole_address_without_the_key() -> None:
    async with Vendor() as vendor:
        _, body = await vendor.ask(num=3)
        parts = urlsplit(body["serpapi_pagination"]["next"])
        query = parse_qs(parts.query)
        assert f"{parts.scheme}://{parts.netloc}" == vendor.server.origin
        assert query["next_page_token"] == [body["serpapi_pagination"]["next_page_token"]]
        assert (query["advertiser_id"], query["num"]) == ([ACME], ["3"])
        assert API_KEY not in str(body)


async def test_a_token_expires_and_belongs_to_its_query() -> None:
    async with Vendor(token_ttl_s=60, cache_ttl_s=0) as vendor:
        _, body = await vendor.ask(num=3)
        token = body["serpapi_pagination"]["next_page_token"]
        assert (await vendor.ask(num=3, next_page_token=token))[0] == 200
        assert (await vendor.ask(num=3, next_page_token=token, region=2840))[0] == 400
        vendor.clock.pass_time(seconds=61)
        assert (await vendor.ask(num=3, next_page_token=token))[0] == 400


async def test_dates_are_whole_unix_seconds_and_never_in_the_future() -> None:
    async with Vendor(make_brand([make_ad(1), make_ad(2, stopped_on=TODAY - timedelta(days=3))])) as vendor:
        _, body = await vendor.ask()
        running, stopped = body["ad_creatives"]
        for entry in (running, stopped):
            assert type(entry["first_shown"]) is int
            assert entry["first_shown"] <= entry["last_shown"] <= NOW.timestamp()
        assert NOW.timestamp() - running["last_shown"] < 86_400
        assert running["total_days_shown"] == 31
        assert 2 * 86_400 < NOW.timestamp() - stopped["last_shown"] < 4 * 86_400


@pytest.mark.parametrize(
    ("params", "numbers"),
    [
        ({}, {1, 2, 3, 4}),
        ({"region": 2840}, {1, 4}),
        ({"region": 2250}, {2, 3, 4}),
        ({"platform": "YOUTUBE"}, {2}),
        ({"creative_format": "text"}, {3}),
        ({"creative_format": "image"}, {1, 4}),
        ({"start_date": f"{TODAY:%Y%m%d}"}, {1, 2, 3}),
        ({"end_date": f"{TODAY - timedelta(days=31):%Y%m%d}"}, {4}),
        ({"political_ads": "true", "region": 2840}, set()),
        ({"advertiser_id": None, "text": "acme.example"}, {1, 2, 3, 4, 5}),
        ({"advertiser_id": None, "text": "Other"}, {5}),
        ({"advertiser_id": f"{ACME},{OTHER}"}, {1, 2, 3, 4, 5}),
        ({"advertiser_id": "AR99999999999999999999"}, set()),
    ],
)
async def test_each_parameter_narrows_the_answer(params: dict[str, Any], numbers: set[int]) -> None:
    ads = [
        make_ad(1, countries=("US",)),
        make_ad(2, "video", countries=("FR",)),
        make_ad(3, "text", countries=("FR",)),
        make_ad(
            4,
            "carousel",
            countries=(),
            started_on=TODAY - timedelta(days=60),
            stopped_on=TODAY - timedelta(days=9),
        ),
    ]
    other = make_brand([make_ad(5)], advertiser=OTHER, name="Other", domain="shop.acme.example")
    meta_only = make_ad(6, network="meta")
    async with Vendor(make_brand([*ads, meta_only]), other) as vendor:
        status, body = await vendor.ask(**params)
        assert status == 200
        assert {int(entry["ad_creative_id"][2:]) for entry in body.get("ad_creatives", [])} == numbers
        assert ("error" in body) == (not numbers)
        assert all(("target_domain" in entry) == ("text" in params) for entry in body.get("ad_creatives", []))


async def test_nothing_found_is_a_success_with_an_error_text() -> None:
    async with Vendor() as vendor:
        status, body = await vendor.ask(advertiser_id=OTHER)
        assert (status, body["search_metadata"]["status"]) == (200, "Success")
        assert body["error"] == "Google Ads Transparency Center hasn't returned any results for this query."
        status, body = await vendor.details(999)
        assert (status, body["search_metadata"]["status"]) == (200, "Success")
        assert "Ad Details hasn't returned any results" in body["error"]


async def test_some_image_ads_come_as_a_script_without_a_picture() -> None:
    async with Vendor(make_brand([make_ad(n) for n in range(60)])) as vendor:
        _, body = await vendor.ask(num=100)
        drawn = [entry for entry in body["ad_creatives"] if "image" not in entry]
        assert 3 < len(drawn) < 30
        assert all("/content.js?" in entry["link"] for entry in drawn)
        assert all("link" not in entry for entry in body["ad_creatives"] if entry not in drawn)


async def test_details_show_what_the_list_lacks() -> None:
    ads = [
        make_ad(1, creatives=("i1", "i2")),
        make_ad(2, "video"),
        make_ad(3, "video", youtube_id="dQw4w9WgXcQ"),
        make_ad(4, removed=True),
    ]
    async with Vendor(make_brand(ads)) as vendor:
        pictures = (await vendor.details(1))[1]["ad_creatives"]
        assert [entry["image"] for entry in pictures] == ["https://cdn.example/i1.png", "https://cdn.example/i2.png"]
        file = variants((await vendor.details(2))[1])[0]
        assert (file["video"], file["headline"], file["call_to_action"]) == (
            "https://cdn.example/v2.mp4",
            "Title 2",
            "Learn more",
        )
        tube = variants((await vendor.details(3))[1])[0]
        assert (tube["video_link"], tube["video_duration"]) == ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "0:30")
        assert "hasn't returned any" in (await vendor.details(4))[1]["error"]
        about = (await vendor.details(1))[1]["search_information"]
        assert {entry["region"] for entry in about["regions"]} == {2840, 2276}


async def test_a_single_variant_comes_now_and_then_as_a_bare_object() -> None:
    async with Vendor(make_brand([make_ad(n) for n in range(60)])) as vendor:
        shapes = [type((await vendor.details(n))[1]["ad_creatives"]) for n in range(60)]
        assert 0 < shapes.count(dict) < 20
        assert shapes.count(list) == 60 - shapes.count(dict)


async def test_an_equal_search_within_the_hour_is_free_and_the_same() -> None:
    async with Vendor() as vendor:
        first = await vendor.ask(num=3)
        assert await vendor.ask(num=3) == first
        assert vendor.server.searches_paid == 1
        other = await vendor.ask(num=3, no_cache="true")
        assert other[1]["search_metadata"]["id"] != first[1]["search_metadata"]["id"]
        assert vendor.server.searches_paid == 2
        await vendor.ask(num=4)
        assert vendor.server.searches_paid == 3
        vendor.clock.pass_time(hours=1)
        await vendor.ask(num=3)
        assert vendor.server.searches_paid == 4


async def test_an_async_search_is_ready_in_the_archive_a_little_later() -> None:
    async with Vendor(polls=2, archive_ttl_s=60) as vendor:
        _, body = await vendor.ask(**{"async": "true"})
        assert body["search_metadata"]["status"] == "Processing"
        assert "ad_creatives" not in body
        path = urlsplit(body["search_metadata"]["json_endpoint"]).path
        states = [(await vendor.get(path))[1]["search_metadata"]["status"] for _ in range(2)]
        assert states == ["Processing", "Success"]
        assert len((await vendor.get(path.removesuffix(".json")))[1]["ad_creatives"]) == 12
        assert vendor.server.searches_paid == 1
        vendor.clock.pass_time(minutes=2)
        assert (await vendor.get(path))[0] == 410
        assert (await vendor.get("/searches/unknown.json"))[0] == 404


async def test_the_account_counts_searches_and_both_limits_are_429s_of_their_own() -> None:
    async with Vendor(searches_per_month=3, searches_per_hour=2, cache_ttl_s=0) as vendor:
        await vendor.ask()
        await vendor.ask()
        status, body = await vendor.ask()
        assert (status, body) == (
            429,
            {"error": "You are sending requests too fast, you've exceeded the hourly throughput limit."},
        )
        vendor.clock.pass_time(hours=1, seconds=1)
        _, account = await vendor.get("/account.json")
        assert (account["this_hour_searches"], account["last_hour_searches"]) == (0, 2)
        assert (account["total_searches_left"], account["account_rate_limit_per_hour"]) == (1, 2)
        await vendor.ask()
        assert await vendor.ask() == (429, {"error": "Your account has run out of searches."})
        assert (await vendor.get("/account.json"))[1]["total_searches_left"] == 0
        assert vendor.server.searches_paid == 3


async def test_each_key_has_an_account_of_its_own() -> None:
    async with Vendor(keys=(API_KEY, SECOND_KEY), searches_per_month=1, cache_ttl_s=0) as vendor:
        assert [(await vendor.ask())[0] for _ in range(2)] == [200, 429]
        assert (await vendor.ask(api_key=SECOND_KEY))[0] == 200


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("throughput_429", 429, "hourly throughput limit"),
        ("quota_429", 429, "run out of searches"),
        ("invalid_key", 401, "Invalid API key"),
        ("forbidden", 403, "doesn't have permission"),
        ("error_503", 503, "Something went wrong"),
        ("error_200", 200, "couldn't get valid results"),
        ("no_results", 200, "hasn't returned any results"),
    ],
)
async def test_each_fault_of_the_vendor_is_its_answer_once(kind: str, status: int, text: str) -> None:
    async with Vendor() as vendor:
        vendor.server.faults.add(Fault(kind=kind))
        seen, body = await vendor.ask()
        assert seen == status
        assert text in body["error"]
        assert (await vendor.ask())[0] == 200
        assert [entry.fault for entry in vendor.server.requests] == [kind, ""]


async def test_the_remaining_faults_touch_what_they_name() -> None:
    async with Vendor(polls=1) as vendor:
        for kind in ("status_error", "processing", "token_expired"):
            vendor.server.faults.add(Fault(kind=kind))
        assert (await vendor.ask(num=3))[1]["search_metadata"]["status"] == "Error"
        _, running = await vendor.ask(num=3)
        assert running["search_metadata"]["status"] == "Processing"
        _, done = await vendor.get(f"/searches/{running['search_metadata']['id']}.json")
        assert len(done["ad_creatives"]) == 3
        token = done["serpapi_pagination"]["next_page_token"]
        assert (await vendor.ask(num=3))[0] == 200
        assert (await vendor.ask(num=3, next_page_token=token))[0] == 400
        assert (await vendor.ask(num=3, next_page_token=token))[0] == 200


async def test_after_the_quota_fault_the_account_agrees_until_a_search_succeeds() -> None:
    async with Vendor() as vendor:
        vendor.server.faults.add(Fault(kind="quota_429", detail="Too many."))
        assert await vendor.ask() == (429, {"error": "Too many."})
        assert (await vendor.get("/account.json"))[1]["total_searches_left"] == 0
        await vendor.ask()
        assert (await vendor.get("/account.json"))[1]["total_searches_left"] == 29_999


async def test_the_request_log_holds_no_key() -> None:
    async with Vendor() as vendor:
        await vendor.ask()
        async with vendor.session.get("/_requests") as answer:
            text = await answer.text()
        assert API_KEY not in text
        assert '"credential":"query"' in text


async def test_reset_forgets_everything() -> None:
    async with Vendor(searches_per_month=1) as vendor:
        await vendor.ask()
        assert (await vendor.ask(num=2))[0] == 429
        async with vendor.session.post("/_reset") as answer:
            assert answer.status == 204
        assert (await vendor.ask(num=2))[0] == 200


async def test_many_clients_are_served_at_once() -> None:
    async with Vendor() as vendor:
        answers = await asyncio.gather(*(vendor.ask(num=n) for n in range(1, 13)))
        assert [len(body["ad_creatives"]) for _, body in answers] == list(range(1, 13))


def variants(body: Any) -> list[dict[str, Any]]:
    found = body["ad_creatives"]
    return found if isinstance(found, list) else [found]
