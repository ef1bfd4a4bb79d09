from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.upstreams.meta_lab import BASE, Lab
from tests.unit.upstreams.meta_world import (
    OTHER_PAGE,
    PAGE,
    TODAY,
    days_ago,
    make_ad,
    make_ads,
    make_world,
    varied_world,
)
from upstreams.meta import EXPIRED_TOKEN, FORBIDDEN_TOKEN, UNCONFIRMED_TOKEN, USER_TOKEN
from upstreams.meta.parameters import parse_array

pytestmark = pytest.mark.anyio


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
