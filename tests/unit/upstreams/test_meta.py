from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec
import pytest

from tests.unit.upstreams.meta_world import (
    OTHER_PAGE,
    PAGE,
    TODAY,
    Clock,
    days_ago,
    make_ad,
    make_ads,
    make_world,
    varied_world,
)
from upstreams.faults import FOREVER, Fault
from upstreams.meta import (
    EXPIRED_TOKEN,
    FORBIDDEN_TOKEN,
    UNCONFIRMED_TOKEN,
    USER_TOKEN,
    MetaRules,
    MetaServer,
)
from upstreams.meta.paging import End
from upstreams.meta.parameters import parse_array
from upstreams.world import World

pytestmark = pytest.mark.anyio

BASE = {"ad_reached_countries": '["DE"]', "search_page_ids": f'["{PAGE}"]', "ad_active_status": "ALL"}


class Caller:
    """Asks one stand-in."""

    def __init__(self, server: MetaServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.status = 0
        self.headers: dict[str, str] = {}

    async def get(self, *, token: str = USER_TOKEN, **given: Any) -> dict[str, Any]:
        params = {name: str(value) for name, value in {**BASE, **given}.items() if value is not None}
        if token:
            params["access_token"] = token
        async with self.session.get(f"{self.server.origin}/v26.0/ads_archive", params=params) as answer:
            self.status, self.headers = answer.status, dict(answer.headers)
            decoded: dict[str, Any] = await answer.json()
            return decoded

    async def ids(self, **given: Any) -> set[str]:
        """The ids of the one page that holds everything."""
        body = await self.get(**{"limit": 500, **given})
        return {row["id"] for row in body["data"]}

    async def error(self, **given: Any) -> dict[str, Any]:
        found: dict[str, Any] = (await self.get(**given))["error"]
        return found

    async def code(self, **given: Any) -> tuple[int, int | None]:
        error = await self.error(**given)
        return error["code"], error.get("error_subcode")

    async def walk(self, **given: Any) -> list[list[str]]:
        """The ids of every page up to the end, in whichever form it comes."""
        pages, after = [], None
        for _ in range(100):
            body = await self.get(after=after, **given)
            pages.append([row["id"] for row in body["data"]])
            if not body["data"] or "next" not in body.get("paging", {}):
                return pages
            after = body["paging"]["cursors"]["after"]
        raise AssertionError("the walk does not end")


class Lab:
    """Starts stand-ins with a world and rules, and stops them."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self.clock = Clock()
        self.servers: list[MetaServer] = []

    async def serve(self, world: World, **rules: Any) -> Caller:
        server = MetaServer(
            world, lambda file: f"http://cdn.test/m/{file}?sig=1", rules=MetaRules(**rules), clock=self.clock
        )
        await server.start()
        self.servers.append(server)
        return Caller(server, self.session)


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with aiohttp.ClientSession() as session:
        lab = Lab(session)
        yield lab
        for server in lab.servers:
            await server.stop()


# Tokens


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", (190, None)),
        ("EAAwhatever", (190, None)),
        (EXPIRED_TOKEN, (190, 463)),
        (UNCONFIRMED_TOKEN, (10, 2332002)),
        ("1234567890|appsecret", (10, 2332004)),
        (FORBIDDEN_TOKEN, (200, None)),
    ],
)
async def test_a_token_is_refused_with_its_code(lab: Lab, token: str, code: tuple[int, int | None]) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    assert await caller.code(token=token) == code
    assert caller.status == 400
    assert "X-App-Usage" in caller.headers


async def test_a_token_works_in_the_header(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    url = f"{caller.server.origin}/v25.0/ads_archive"
    headers = {"Authorization": f"Bearer {USER_TOKEN}"}
    async with lab.session.get(url, params=BASE, headers=headers) as answer:
        assert len((await answer.json())["data"]) == 2
        assert answer.headers["facebook-api-version"] == "v25.0"


# Parameters


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ad_reached_countries": None}, "ad_reached_countries is required"),
        ({"ad_reached_countries": '["DE","QQ"]'}, "ad_reached_countries[1] must be one of {ALL, AD, AE"),
        ({"ad_reached_countries": '["DE"'}, "ad_reached_countries must be an array"),
        ({"search_page_ids": str(list(range(1, 12)))}, "at most 10"),
        ({"search_page_ids": '["acme"]'}, "search_page_ids[0] must be an integer"),
        ({"search_page_ids": None}, "search_terms or search_page_ids"),
        ({"search_terms": "x" * 101}, "no longer than 100 characters"),
        ({"ad_type": "ADS"}, "ad_type must be one of {ALL, POLITICAL_AND_ISSUE_ADS"),
        ({"ad_active_status": "RUNNING"}, "ad_active_status must be one of {ACTIVE, INACTIVE, ALL}"),
        ({"media_type": "GIF"}, "media_type must be one of"),
        ({"search_type": "FUZZY"}, "search_type must be one of"),
        ({"publisher_platforms": "facebook"}, "publisher_platforms[0] must be one of {FACEBOOK"),
        ({"ad_delivery_date_min": "01.11.2026"}, "ad_delivery_date_min must be a valid date"),
        ({"unmask_removed_content": "perhaps"}, "unmask_removed_content must be a boolean"),
        ({"estimated_audience_size_max": "100"}, "estimated_audience_size_max must be one of {1000"),
        ({"limit": "0"}, "limit must be an integer"),
        ({"limit": "many"}, "limit must be an integer"),
        ({"fields": "id,imgs"}, "Tried accessing nonexisting field (imgs)"),
        ({"fields": "ad_creative_body"}, "Tried accessing nonexisting field (ad_creative_body)"),
    ],
)
async def test_a_bad_parameter_is_code_100_and_says_which(lab: Lab, given: dict[str, Any], words: str) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    error = await caller.error(**given)
    assert error["code"] == 100
    assert error["message"].startswith("(#100) ")
    assert words in error["message"]
    assert error["type"] == "OAuthException"
    assert error["fbtrace_id"]


@pytest.mark.parametrize("text", ['["DE","FR"]', "['DE', 'FR']", "DE,FR", " DE , FR "])
def test_arrays_come_in_three_encodings(text: str) -> None:
    assert parse_array(text) == ("DE", "FR")


def test_page_ids_keep_every_digit_as_numbers_and_as_strings() -> None:
    assert parse_array(f"[{PAGE}]") == parse_array(f'["{PAGE}"]') == parse_array(PAGE) == (PAGE,)


@pytest.mark.parametrize("text", ["[DE]", "[", "['DE'", '[["DE"]]', "[1.5]", "[" * 5000])
def test_a_broken_array_is_none(text: str) -> None:
    assert parse_array(text) is None


async def test_an_unknown_path_is_code_2500(lab: Lab) -> None:
    caller = await lab.serve(make_world())
    async with lab.session.get(f"{caller.server.origin}/v26.0/nonsense") as answer:
        assert (await answer.json())["error"]["code"] == 2500
    async with lab.session.post(f"{caller.server.origin}/v26.0/ads_archive") as answer:
        assert (await answer.json())["error"]["error_subcode"] == 33


# Records


async def test_only_the_fields_asked_for_come_and_the_id(lab: Lab) -> None:
    caller = await lab.serve(make_world([make_ad(1)]))
    assert (await caller.get(fields="page_name,languages"))["data"] == [
        {"id": make_ad(1).id, "page_name": "Acme & Söhne", "languages": ["en"]}
    ]


async def test_without_fields_id_and_snapshot_address_come(lab: Lab) -> None:
    caller = await lab.serve(make_world([make_ad(1)]))
    (record,) = (await caller.get())["data"]
    assert set(record) == {"id", "ad_snapshot_url"}
    address = urlsplit(record["ad_snapshot_url"])
    assert address.path == "/ads/archive/render_ad/"
    assert parse_qs(address.query) == {"id": [make_ad(1).id], "access_token": [USER_TOKEN]}


async def test_what_does_not_apply_is_absent_not_null(lab: Lab) -> None:
    caller = await lab.serve(make_world([make_ad(1, captions=(), reach=None)]))
    fields = "ad_creative_link_captions,ad_delivery_stop_time,spend,bylines,eu_total_reach,br_total_reach,page_id"
    assert (await caller.get(fields=fields))["data"] == [{"id": make_ad(1).id, "page_id": PAGE}]


async def test_types_are_as_odd_as_the_vendors(lab: Lab) -> None:
    ad = make_ad(1, countries=("DE", "FR"), stopped_on=TODAY, platforms=("FACEBOOK",), reach=9000)
    caller = await lab.serve(make_world([ad]))
    fields = (
        "ad_delivery_start_time,ad_delivery_stop_time,publisher_platforms,eu_total_reach,target_ages,target_gender,"
        "age_country_gender_reach_breakdown,total_reach_by_location,target_locations,beneficiary_payers"
    )
    (record,) = (await caller.get(fields=fields))["data"]
    assert record["ad_delivery_start_time"] == days_ago(1).isoformat()
    assert record["ad_delivery_stop_time"] == TODAY.isoformat()
    assert record["publisher_platforms"] == ["facebook"]
    assert record["eu_total_reach"] == 9000
    assert record["target_ages"] == ["18", "65"]
    assert record["total_reach_by_location"] == [{"key": "Germany", "value": 4500}, {"key": "France", "value": 4500}]
    assert [row["country"] for row in record["age_country_gender_reach_breakdown"]] == ["DE", "FR"]
    cell = record["age_country_gender_reach_breakdown"][0]["age_gender_breakdowns"][0]
    assert isinstance(cell["male"], int)
    assert record["target_locations"][0] == {
        "name": "Germany", "type": "countries", "excluded": False, "num_obfuscated": 0,
    }  # fmt: skip


async def test_a_removed_ads_texts_are_masked_unless_asked_for(lab: Lab) -> None:
    caller = await lab.serve(make_world([make_ad(1, removed=True)]))
    (masked,) = (await caller.get(fields="ad_creative_bodies"))["data"]
    assert masked["ad_creative_bodies"] == [
        "This content was removed because it didn't follow our Advertising Standards."
    ]
    (plain,) = (await caller.get(fields="ad_creative_bodies", unmask_removed_content="true"))["data"]
    assert plain["ad_creative_bodies"] == list(make_ad(1).bodies)


# Filters


async def test_filters_find_what_they_say(lab: Lab) -> None:
    ads = (
        make_ad(1),
        make_ad(2, stopped_on=days_ago(1), started_on=days_ago(30)),
        make_ad(3, countries=("FR",), languages=("fr",), platforms=("messenger",)),
        make_ad(4, countries=("US",)),
        make_ad(5, started_on=days_ago(100), stopped_on=days_ago(90), bodies=("Green tea, twice",)),
    )
    caller = await lab.serve(make_world(ads, other=[make_ad(9)]), loose=False)
    ids = [ad.id for ad in ads]

    async def found(**given: Any) -> list[int]:
        return sorted(ids.index(i) + 1 for i in await caller.ids(**given) if i in ids)

    assert await found() == [1, 2, 5]
    assert await found(ad_active_status=None) == [1]  # the vendor's default hides what has stopped
    assert await found(ad_active_status="INACTIVE") == [2, 5]
    assert await found(ad_reached_countries="ALL") == [1, 2, 3, 5]
    assert await found(ad_reached_countries="['FR', 'DE']") == [1, 2, 3, 5]
    assert await found(ad_reached_countries="US") == []  # commercial ads are shown for the EU only
    assert await found(ad_reached_countries="ALL", languages="fr") == [3]
    assert await found(ad_reached_countries="ALL", publisher_platforms="MESSENGER,THREADS") == [3]
    assert await found(ad_delivery_date_min=days_ago(50).isoformat()) == [1, 2]
    assert await found(ad_delivery_date_max=days_ago(90).isoformat()) == [5]
    window = {"ad_delivery_date_min": days_ago(60).isoformat(), "ad_delivery_date_max": days_ago(20).isoformat()}
    assert await found(**window) == [2]
    assert await found(search_terms="TEA green") == [5]
    assert await found(search_terms="tea coffee") == []
    assert await found(search_terms="green tea,twice", search_type="KEYWORD_EXACT_PHRASE") == [5]
    assert await found(search_terms="tea green", search_type="KEYWORD_EXACT_PHRASE") == []
    assert await found(ad_type="POLITICAL_AND_ISSUE_ADS") == []
    assert await found(bylines='["Somebody"]') == []
    assert await caller.ids(search_page_ids=OTHER_PAGE) == {make_ad(9).id}
    assert await caller.ids(search_page_ids=None, search_terms=".") == {ids[0], ids[1], ids[4], make_ad(9).id}


async def test_media_types_are_a_filter(lab: Lab, tmp_path: Path) -> None:
    caller = await lab.serve(varied_world(tmp_path), loose=False)

    async def numbers(media_type: str) -> list[int]:
        return sorted(int(i) - 700_000_000_000_000 for i in await caller.ids(media_type=media_type))

    assert await numbers("ALL") == [1, 2, 3, 4, 5, 6]
    assert await numbers("IMAGE") == await numbers("MEME") == [1, 3, 5]
    assert await numbers("VIDEO") == [2, 3]
    assert await numbers("NONE") == [4, 6]
    assert await caller.ids(search_terms="headline clip") == {make_ad(2).id, make_ad(3).id}


# Pages


@pytest.mark.parametrize("end", ["no_paging", "no_next", "empty_data"])
async def test_a_walk_finds_every_ad_once_and_ends_in_its_form(lab: Lab, end: End) -> None:
    ads = make_ads(53)
    caller = await lab.serve(make_world(ads), ends=(end,))
    pages = await caller.walk(limit=10)
    assert sorted(i for page in pages for i in page) == sorted(ad.id for ad in ads)
    last = await caller.get(limit=10, after=await _last_cursor(caller))
    if end == "no_paging":
        assert "paging" not in last
    elif end == "no_next":
        assert set(last["paging"]) == {"cursors"}
    else:
        assert last["data"] == []
        assert "next" in last["paging"]


async def _last_cursor(caller: Caller) -> str:
    after = ""
    for _ in range(20):
        body = await caller.get(limit=10, after=after)
        if not body["data"] or "next" not in body.get("paging", {}):
            return after
        after = body["paging"]["cursors"]["after"]
    raise AssertionError("no end")


async def test_the_limit_is_no_contract(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(200)))
    sizes = [len(page) for page in (await caller.walk(limit=10))[:-1]]
    assert min(sizes) < 10 < max(sizes)
    strict = await lab.serve(make_world(make_ads(200)), loose=False)
    assert {len(page) for page in (await strict.walk(limit=10))[:-1]} == {10}


async def test_rows_may_come_again_on_the_next_page(lab: Lab) -> None:
    ads = make_ads(30)
    caller = await lab.serve(make_world(ads), overlap=2, loose=False)
    pages = await caller.walk(limit=10)
    assert pages[1][:2] == pages[0][-2:]
    assert {i for page in pages for i in page} == {ad.id for ad in ads}


async def test_the_next_address_holds_the_token_and_leads_on(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(30)), loose=False)
    first = await caller.get(limit=10, fields="id")
    following = first["paging"]["next"]
    assert f"access_token={USER_TOKEN}" in following
    async with lab.session.get(following) as answer:
        second = await answer.json()
    assert {row["id"] for row in second["data"]}.isdisjoint(row["id"] for row in first["data"])


async def test_cursors_are_opaque_and_expire(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(30)), cursor_ttl_s=60)
    cursor = (await caller.get(limit=10))["paging"]["cursors"]["after"]
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert "data" in await caller.get(limit=10, after=cursor)
    lab.clock.move(61)
    assert await caller.code(limit=10, after=cursor) == (100, None)


@pytest.mark.parametrize("cursor", ["x", "AAAA", "ä", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA"])
async def test_a_made_up_cursor_is_refused(lab: Lab, cursor: str) -> None:
    caller = await lab.serve(make_world(make_ads(30)))
    assert await caller.code(after=cursor) == (100, None)


async def test_another_querys_cursor_is_refused(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(30)))
    cursor = (await caller.get(limit=10))["paging"]["cursors"]["after"]
    assert await caller.code(after=cursor, search_terms="coffee") == (100, None)
    assert "data" in await caller.get(after=cursor, limit=3, fields="id")


# Quota and weight


async def test_usage_rises_with_calls_until_the_throttle_and_falls_after_an_hour(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)), calls_per_hour=4)
    shares = []
    for _ in range(4):
        await caller.get()
        shares.append(msgspec.json.decode(caller.headers["X-App-Usage"])["call_count"])
    assert shares == [25, 50, 75, 100]
    lab.clock.move(600)
    assert await caller.code() == (613, None)
    (entries,) = msgspec.json.decode(caller.headers["X-Business-Use-Case-Usage"]).values()
    assert entries[0]["call_count"] >= 100
    assert entries[0]["estimated_time_to_regain_access"] == 50  # minutes
    lab.clock.move(3001)
    assert len((await caller.get())["data"]) == 2


@pytest.mark.parametrize("code", [4, 17, 613])
async def test_the_throttle_has_the_code_of_the_rules(lab: Lab, code: int) -> None:
    caller = await lab.serve(make_world(make_ads(2)), calls_per_hour=1, throttle_code=code)
    await caller.get()
    error = await caller.error()
    assert (error["code"], error["is_transient"]) == (code, True)


async def test_too_heavy_a_request_is_code_1_and_a_lighter_one_works(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)), max_weight=100)
    heavy = "id,age_country_gender_reach_breakdown,target_locations"
    assert await caller.code(limit=50, fields=heavy) == (1, None)
    assert caller.status == 500
    assert "reduce the amount of data" in (await caller.error(limit=50, fields=heavy))["message"]
    assert "data" in await caller.get(limit=33, fields=heavy)
    assert "data" in await caller.get(limit=100, fields="id")


async def test_a_deep_walk_breaks_with_code_1(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(50)), max_rows=20, loose=False)
    cursor = None
    for _ in range(2):
        cursor = (await caller.get(limit=10, after=cursor))["paging"]["cursors"]["after"]
    assert await caller.code(limit=10, after=cursor) == (1, None)


# Faults


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("rate_limit_app", (4, None), 403),
        ("rate_limit_user", (17, None), 400),
        ("rate_limit_613", (613, None), 400),
        ("transient", (1, None), 500),
        ("unknown", (2, None), 503),
        ("token_expired", (190, 463), 400),
        ("not_confirmed", (10, 2332002), 400),
    ],
)
async def test_graph_faults_are_graph_errors_and_pass(
    lab: Lab, kind: str, code: tuple[int, int | None], status: int
) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    caller.server.faults.add(Fault(kind=kind))
    assert await caller.code() == code
    assert caller.status == status
    assert len((await caller.get())["data"]) == 2


async def test_a_throttle_fault_names_the_minutes_to_wait(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    caller.server.faults.add(Fault(kind="rate_limit_613", seconds=90))
    await caller.get()
    (entries,) = msgspec.json.decode(caller.headers["X-Business-Use-Case-Usage"]).values()
    assert entries[0]["estimated_time_to_regain_access"] == 2


async def test_the_reduce_fault_strikes_only_above_its_limit(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    caller.server.faults.add(Fault(kind="transient", times=FOREVER, detail="20"))
    assert await caller.code(limit=21) == (1, None)
    assert "data" in await caller.get(limit=20)


async def test_the_cursor_fault_waits_for_a_cursor(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(30)))
    caller.server.faults.add(Fault(kind="cursor_expired"))
    cursor = (await caller.get(limit=10))["paging"]["cursors"]["after"]
    assert await caller.code(limit=10, after=cursor) == (100, None)
    assert "data" in await caller.get(limit=10, after=cursor)


async def test_api_faults_leave_snapshots_alone_and_the_other_way_round(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    caller.server.faults.add(Fault(kind="rate_limit_613"))
    caller.server.faults.add(Fault(kind="blocked_snapshot"))
    params = {"id": make_ad(1).id, "access_token": USER_TOKEN}
    async with lab.session.get(f"{caller.server.origin}/ads/archive/render_ad/", params=params) as answer:
        assert "Too many requests" in await answer.text()
    assert await caller.code() == (613, None)
    assert caller.server.faults.active() == []


async def test_a_snapshot_without_a_good_token_leads_to_the_login(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    params = {"id": make_ad(1).id}
    url = f"{caller.server.origin}/ads/archive/render_ad/"
    async with lab.session.get(url, params=params, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/login/?next=render_ad")


async def test_the_request_log_never_holds_the_token(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    await caller.get()
    async with lab.session.get(f"{caller.server.origin}/_requests") as answer:
        assert USER_TOKEN not in await answer.text()
