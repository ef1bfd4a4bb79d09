from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adology import Ad, Spend
from adology_facebook.convert import REMOVED_NOTICE, read_date, to_ad

TODAY = date(2026, 11, 20)


def convert(**record: Any) -> Ad:
    return to_ad({"id": "1", **record}, today=TODAY, site_url="https://www.facebook.com")


def test_a_record_of_nothing_but_an_id_is_an_ad_with_defaults() -> None:
    ad = convert()
    assert (ad.id, ad.status, ad.bodies, ad.reach, ad.spend, ad.countries, ad.media_outcome) == (
        "1", "unknown", (), None, None, (), None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("start", "stop", "status"),
    [
        ("2026-11-01", None, "active"),
        ("2026-11-01", "2026-11-19", "stopped"),
        ("2026-11-01", "2026-11-20", "active"),
        ("2026-11-01", "2027-01-01", "active"),
        (None, "2026-11-19", "stopped"),
        (None, None, "unknown"),
    ],
)
def test_the_status_follows_from_the_dates(start: str | None, stop: str | None, status: str) -> None:
    given = {"ad_delivery_start_time": start, "ad_delivery_stop_time": stop}
    assert convert(**{name: value for name, value in given.items() if value}).status == status


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-07", date(2026, 3, 7)),
        ("2026-03-07T00:00:00+0000", date(2026, 3, 7)),
        ("", None),
        (None, None),
        ("soon", None),
        (7, None),
    ],
)
def test_dates_come_in_two_forms(text: Any, day: date | None) -> None:
    assert read_date(text) == day


def test_ranges_are_strings_and_may_be_open_at_the_top() -> None:
    ad = convert(spend={"lower_bound": "1000000"}, currency="EUR", impressions={"lower_bound": 0, "upper_bound": "999"})
    assert ad.spend == Spend(lower=1_000_000.0, upper=None, currency="EUR")
    assert ad.impressions == Spend(lower=0.0, upper=999.0)


@pytest.mark.parametrize(
    ("value", "reach"),
    [(12, 12), ("12", 12), (12.0, 12), (None, None), ("many", None), ("inf", None), (True, None)],
)
def test_reach_is_a_number_in_any_form_or_unknown(value: Any, reach: int | None) -> None:
    assert convert(eu_total_reach=value).reach == reach


def test_brazil_counts_where_europe_says_nothing() -> None:
    assert convert(br_total_reach=5).reach == 5
    assert convert(eu_total_reach=7, br_total_reach=5).reach == 7


def test_a_removed_ads_notice_is_no_copy() -> None:
    ad = convert(ad_creative_bodies=[REMOVED_NOTICE], ad_creative_link_titles=[REMOVED_NOTICE, "Other"])
    assert (ad.bodies, ad.titles, ad.media_outcome) == ((), ("Other",), "removed")


def test_platforms_are_lower_case_and_countries_come_from_the_breakdown() -> None:
    rows = [{"country": "DE"}, {"country": "FR"}, {"country": "DE"}, {}, "odd"]
    ad = convert(publisher_platforms=["FACEBOOK", "threads"], age_country_gender_reach_breakdown=rows)
    assert (ad.platforms, ad.countries) == (("facebook", "threads"), ("DE", "FR"))


# Real records


def _real_records(folder: Path) -> list[dict[str, Any]]:
    archive = folder / "meta" / "ads_archive"
    records = [row for path in sorted(archive.glob("*.json")) for row in json.loads(path.read_bytes())["data"]]
    lines = (archive / "dev_us2020_rest.jsonl").read_text("utf-8").splitlines()
    return [*records, *map(json.loads, lines)]


def test_every_real_record_becomes_an_ad(shared_data: Path) -> None:
    records = _real_records(shared_data)
    assert len(records) > 1300
    ads = [to_ad(record, today=TODAY, site_url="https://www.facebook.com") for record in records]
    assert len({ad.id for ad in ads}) == len({record["id"] for record in records})
    assert {ad.advertiser for ad in ads} == {"Democratic Party", "GOP"}
    assert all(ad.started_on and ad.status == "stopped" and ad.spend and ad.spend.currency == "USD" for ad in ads)
    assert all(ad.impressions and ad.impressions.lower is not None for ad in ads)
    encoded = msgspec.json.encode(ads)
    assert b"access_token" not in encoded
    assert msgspec.json.decode(encoded, type=list[Ad]) == ads


def test_real_removed_ads_are_told_apart(shared_data: Path) -> None:
    records = _real_records(shared_data)
    removed = [record for record in records if REMOVED_NOTICE in record.get("ad_creative_bodies", ())]
    assert removed
    ads = [to_ad(record, today=TODAY, site_url="https://www.facebook.com") for record in records]
    assert {ad.id for ad in ads if ad.media_outcome == "removed"} == {record["id"] for record in removed}
    assert not any(REMOVED_NOTICE in (*ad.bodies, *ad.titles, *ad.captions, *ad.descriptions) for ad in ads)


def test_the_old_api_generation_is_read_as_far_as_it_goes(shared_data: Path) -> None:
    body = json.loads((shared_data / "meta" / "radlibrary" / "dev_example_response.json").read_bytes())
    ads = [
        to_ad({"id": str(number), **record}, today=TODAY, site_url="https://www.facebook.com")
        for number, record in enumerate(body["data"])
    ]
    assert ads
    assert all(ad.advertiser and ad.started_on for ad in ads)
