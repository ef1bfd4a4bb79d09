from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adology_serpapi.convert import Details, needs_details, scrub, to_ad
from adology_serpapi.error_table import read_failure
from adology_serpapi.media import find_youtube_id, variant_media
from adology_serpapi.regions import COUNTRIES, REGIONS

KEY = "secretkey0123456789"
TODAY = date(2026, 9, 16)


def load(shared_data: Path, name: str) -> Any:
    return json.loads((shared_data / "google" / "serpapi" / name).read_text("utf-8"))


def row(**over: Any) -> dict[str, Any]:
    return {"ad_creative_id": "CR1", "advertiser_id": "AR1", "format": "image", **over}


def test_real_list_rows_become_ads(shared_data: Path) -> None:
    rows = load(shared_data, "dev_atc_hubspot.json")["ad_creatives"]
    text, video, image = (to_ad(scrub(entry, KEY), today=TODAY) for entry in rows)
    assert (text.id, text.advertiser_id) == ("CR06609143572560084993", "AR10072600183532683265")
    assert (text.advertiser, text.format, text.captions) == ("Hubspot, Inc.", "text", ("hubspot.com",))
    assert (text.started_on, text.status, text.stopped_on) == (date(2022, 6, 29), "active", None)
    assert text.seen_at == datetime(2026, 9, 16, 2, 18, 21, tzinfo=UTC)
    assert [(m.kind, m.width, m.height) for m in text.media] == [("image", 348, 451)]
    assert text.link.startswith("https://adstransparency.google.com/advertiser/AR10072600183532683265/creative/")
    assert (video.media, video.outcome()) == ((), "unresolved")
    assert image.media[0].url == "https://tpc.googlesyndication.com/archive/simgad/15529968583071394590"
    assert [needs_details(entry) for entry in rows] == [False, True, False]
    assert "serpapi_details_link" not in image.raw


def test_real_details_of_a_text_ad_give_its_words_and_countries(shared_data: Path) -> None:
    body = load(shared_data, "dev_ad_details_text.json")
    details = Details(tuple(body["ad_creatives"]), body["search_information"])
    ad = to_ad(row(format="text"), today=TODAY, details=details)
    assert ad.titles == ("Spaceship.com Official Website - Connect Your Digital World",)
    assert ad.bodies == ("Propel your business into the digital frontier...",)
    assert ad.captions == ("www.spaceship.com/",)
    assert ad.descriptions == ("Free Domain Privacy", "Domain Name Registration", "Domain Price List")
    assert ad.countries == ("PK", "DE")
    assert (ad.media, ad.outcome()) == ((), "text_only")
    assert ad.raw["details"]["search_information"]["regions"][1]["region"] == 2276


def test_real_details_of_a_video_ad_give_its_file_but_not_the_logo(shared_data: Path) -> None:
    body = load(shared_data, "dev_ad_details_video.json")
    ad = to_ad(row(format="video"), today=TODAY, details=Details(tuple(body["ad_creatives"])))
    assert [(m.kind, m.role) for m in ad.media] == [("video", "creative")]
    assert ad.media[0].url.endswith("/video.mp4")
    assert (ad.cta, ad.landing_url, ad.outcome()) == ("Learn More", "https://example.com", "media")


def test_real_errors_are_told_apart(shared_data: Path) -> None:
    failures = [read_failure(entry["http"], entry["body"]) for entry in load(shared_data, "dev_errors.json")]
    assert [failure and failure.action for failure in failures] == [
        "credential",
        "request",
        "request",
        "request",
        "empty",
    ]


@pytest.mark.parametrize(
    ("status", "body", "action"),
    [
        (
            200,
            {"error": "Google Ads Transparency Center Ad Details hasn't returned any results for this query."},
            "empty",
        ),
        (200, {"error": "Your account has run out of searches."}, "quota"),
        (429, {"error": "Your searches for the month have run out."}, "quota"),
        (429, {"error": "Your hourly throughput limit has been exceeded."}, "throttle"),
        (429, {"error": "Slow down."}, "limited"),
        (429, None, "limited"),
        (200, {"error": "Invalid API key."}, "credential"),
        (200, {"error": "Your account has been suspended."}, "account"),
        (200, {"error": "Unsupported `US` region parameter."}, "request"),
        (200, {"search_metadata": {"status": "Queued"}}, "wait"),
        (200, {"search_metadata": {"status": "Error"}}, "failed"),
        (200, [1], "transient"),
        (200, None, "transient"),
        (401, None, "transient"),
        (404, None, "address"),
        (301, None, "address"),
        (302, None, "transient"),
        (500, {}, "transient"),
        (503, {"error": "Unavailable"}, "transient"),
        (418, {"error": "Teapot"}, "request"),
    ],
)
def test_each_answer_means_what_the_table_says(status: int, body: Any, action: str) -> None:
    failure = read_failure(status, body)
    assert failure is not None
    assert failure.action == action


def test_an_answer_with_results_is_no_failure() -> None:
    assert read_failure(200, {"search_metadata": {"status": "Success"}, "ad_creatives": []}) is None


@pytest.mark.parametrize(
    ("last", "status", "stopped"),
    [
        (date(2026, 9, 16), "active", None),
        (date(2026, 9, 15), "active", None),
        (date(2026, 9, 14), "unknown", None),
        (date(2026, 9, 9), "unknown", None),
        (date(2026, 9, 8), "stopped", date(2026, 9, 8)),
        (None, "unknown", None),
    ],
)
def test_the_status_follows_from_the_last_showing(last: date | None, status: str, stopped: date | None) -> None:
    seconds = int(datetime(last.year, last.month, last.day, 23, tzinfo=UTC).timestamp()) if last else None
    ad = to_ad(row(last_shown=seconds), today=TODAY)
    assert (ad.status, ad.stopped_on) == (status, stopped)


@pytest.mark.parametrize("value", ["soon", -(10**30), 10**30, [], {}, "", None])
def test_a_time_that_is_none_leaves_the_date_out(value: Any) -> None:
    assert to_ad(row(first_shown=value), today=TODAY).started_on is None


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com/watch?feature=x&v=dQw4w9WgXcQ&t=1",
        "https://youtu.be/dQw4w9WgXcQ?t=3",
        "https://m.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com/embed/dQw4w9WgXcQ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
        "https://youtube.com/shorts/dQw4w9WgXcQ",
    ],
)
def test_a_youtube_id_is_found_in_each_form_of_address(url: str) -> None:
    assert find_youtube_id(url) == "dQw4w9WgXcQ"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://cdn.example/video.mp4",
        "https://[CDN]/video.mp4",
        "https://www.youtube.com/",
        "https://www.youtube.com/watch?v=a b",
        "https://youtube.com.evil.example/watch?v=dQw4w9WgXcQ",
    ],
)
def test_other_addresses_have_no_youtube_id(url: str) -> None:
    assert find_youtube_id(url) is None


def test_a_youtube_thumbnail_is_a_preview_where_one_is_wanted() -> None:
    variants = [{"video_link": "https://youtu.be/dQw4w9WgXcQ"}]
    assert [m.role for m in variant_media(variants)] == ["creative"]
    media = variant_media(variants, "https://i.example/{id}/hq.jpg")
    assert [(m.url, m.role) for m in media] == [
        ("youtube:dQw4w9WgXcQ", "creative"),
        ("https://i.example/dQw4w9WgXcQ/hq.jpg", "preview"),
    ]
    ad = to_ad(
        row(format="video"),
        today=TODAY,
        details=Details(tuple(variants)),
        thumbnail_url="https://i.example/{id}/hq.jpg",
    )
    assert ad.outcome() == "unavailable"


def test_equal_files_of_variants_count_once_and_keep_their_order() -> None:
    variants = [{"image": "https://c.example/a"}, {"image": "https://c.example/a"}, {"image": "https://c.example/b"}]
    assert [(m.url, m.position) for m in variant_media(variants)] == [
        ("https://c.example/a", 0),
        ("https://c.example/b", 1),
    ]


def test_addresses_that_nobody_can_read_are_kept_or_left_out() -> None:
    variant = {"image": "https://[CDN]/a.png", "link": "https://[shop]/sale", "headline": "Sale"}
    ad = to_ad(scrub(row(note="https://[x]/?api_key=1&y=2"), KEY), today=TODAY, details=Details((variant,)))
    assert (ad.media[0].url, ad.landing_url) == ("https://[CDN]/a.png", "https://[shop]/sale")
    assert ad.raw["note"] == "https://[x]/?y=2"


def test_the_key_is_scrubbed_wherever_it_stands() -> None:
    dirty = {
        "api_key": KEY,
        "next": f"https://serpapi.com/search.json?api_key={KEY}&engine=x",
        "deep": [{"text": f"key {KEY} here"}],
        "path": f"https://serpapi.com/{KEY}/x.json",
        "days": 3,
    }
    clean = scrub(dirty, KEY)
    assert KEY not in json.dumps(clean)
    assert clean["next"] == "https://serpapi.com/search.json?engine=x"
    assert clean["days"] == 3


def test_every_region_is_a_number_of_its_country() -> None:
    assert len(COUNTRIES) == 239
    assert (COUNTRIES[2840], COUNTRIES[2826], COUNTRIES[20277], REGIONS["ES"]) == ("US", "GB", "ES", 2724)


ADDRESSES = ("https://x.example/watch?v=1", "https://[CDN]/video.mp4", "https://x.example/?api_key=1&u=http://[")
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(ADDRESSES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("format", "image", "link", "first_shown", "last_shown", "width", "advertiser", "target_domain", "details_link")
VARIANT_KEYS = ("video_link", "video", "image", "headline", "snippet", "link", "visible_link", "sitelink_texts")


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, junk)),
    st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(VARIANT_KEYS, junk)), max_size=3),
    st.fixed_dictionaries({}, optional={"regions": junk}),
)
def test_any_answer_converts_without_a_fault(
    odd: dict[str, Any], variants: list[dict[str, Any]], about: dict[str, Any]
) -> None:
    ad = to_ad(scrub(row(**odd), KEY), today=TODAY, details=Details(tuple(variants), about))
    assert ad.id == "CR1"
    assert ad.outcome() in {"media", "text_only", "unresolved", "unavailable"}
