"""Values that no column holds must not keep a batch from being committed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import msgspec
import pytest

from adology import Ad, CommittedAd, ItemResult, Media, Spend
from adology.settings import AdologySettings
from adology_postgres import PostgresSink
from tests.system.batches import NOON, ListBatch, make_ad, make_result, open_batch, opened, query, sha, shown

pytestmark = pytest.mark.anyio

HUGE = 10**30
HOSTILE_ADS = {
    "nul": make_ad("nul\0id", bodies=("a\0b",), advertiser="\0"),
    "surrogates": make_ad("half\ud83d", bodies=("pair \ud83d\ude00", "lone \udfff"), titles=("\ud800",)),
    "bigints": make_ad("big", reach=HUGE, spend=Spend(lower=HUGE, upper=float("inf")), impressions=Spend(lower=1e308)),
    "huge int as money": make_ad("bigger", spend=Spend(lower=10**400)),
    "negative": make_ad("negative", reach=-5, spend=Spend(lower=float("nan"))),
    "old": make_ad("old", started_on=date.min, stopped_on=date.max),
    "year one": make_ad("one", seen_at=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))),
    "year 9999": make_ad("last", seen_at=datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14)))),
    "naive": make_ad("naive", seen_at=datetime(2026, 11, 1, 12)),  # noqa: DTZ001 - a source may forget the zone
    "long": make_ad("x" * 50_000, bodies=("y" * 5_000_000,), advertiser="z" * 1_000_000, landing_url="u" * 200_000),
    "lists": make_ad("lists", bodies=("b",) * 100_000, platforms=("p" * 10_000,) * 1000),
    "media": Ad(id="media", media=tuple(Media(url=f"http://cdn/{n}", position=2**40) for n in range(2000))),
    "negative position": Ad(id="position", media=(Media(url="http://cdn/neg", position=-7),)),
    "quotes": make_ad('it\'s \\N \t\n"quoted"', bodies=("\\.", "\\N", "{a,b}", "null", "")),
    "empty": Ad(id=""),
}


async def commit(settings: AdologySettings, *ads: CommittedAd, results: list[ItemResult] | None = None) -> None:
    batch = ListBatch(await open_batch(settings), ads=ads, results=results or [])
    async with opened(PostgresSink(), settings) as (sink, context):
        await sink.write(context, batch)


@pytest.mark.parametrize("name", HOSTILE_ADS)
async def test_a_hostile_ad_is_committed(store_settings: AdologySettings, name: str) -> None:
    await commit(store_settings, shown(HOSTILE_ADS[name]), shown(make_ad("beside")))
    rows = query(store_settings, "select * from ads")
    assert len(rows) == 2
    assert "beside" in {row["source_ad_id"] for row in rows}
    assert len(query(store_settings, "select * from observations")) == 2


async def test_text_keeps_what_can_be_kept(store_settings: AdologySettings) -> None:
    await commit(store_settings, *(shown(HOSTILE_ADS[name]) for name in ("nul", "surrogates", "quotes", "long")))
    by_id = {row["source_ad_id"][:8]: row for row in query(store_settings, "select * from ads")}
    assert by_id["nulid"]["bodies"] == ["ab"]
    assert by_id["half\ufffd"]["bodies"] == ["pair \U0001f600", "lone \ufffd"]
    assert by_id["it's \\N "]["bodies"] == ["\\.", "\\N", "{a,b}", "null", ""]
    assert len(by_id["xxxxxxxx"]["bodies"][0]) == 100_000
    assert len(by_id["xxxxxxxx"]["source_ad_id"]) == 300


async def test_long_ids_that_begin_alike_stay_apart(store_settings: AdologySettings) -> None:
    await commit(store_settings, shown(make_ad("x" * 5000 + "1")), shown(make_ad("x" * 5000 + "2")))
    assert len(query(store_settings, "select * from ads")) == 2


async def test_numbers_that_no_column_holds_are_unknown(store_settings: AdologySettings) -> None:
    await commit(store_settings, shown(HOSTILE_ADS["bigints"]), shown(HOSTILE_ADS["negative"]))
    for row in query(store_settings, "select * from observations"):
        assert (row["reach"], row["spend_upper"]) == (None, None)


async def test_a_manifest_that_names_an_ad_twice_gives_one(store_settings: AdologySettings) -> None:
    later = NOON + timedelta(minutes=5)
    await commit(
        store_settings,
        shown(make_ad("a1", advertiser="old")),
        shown(make_ad("a1", advertiser="new"), at=later),
        shown(make_ad("a\0001", advertiser="same id once it is clean")),
    )
    (ad,) = query(store_settings, "select * from ads")
    assert (ad["advertiser"], ad["last_seen_at"]) == ("new", later)


HOSTILE_RESULTS = {
    "not a hash": make_result("http://cdn/1.jpg", sha256="../../etc/passwd"),
    "huge numbers": make_result("http://cdn/1.jpg", size_bytes=HUGE, width=2**40, height=-1, duration_s=float("nan")),
    "nul": make_result("http://cdn/1.jpg", kind="\0", content_type="a\0b", thumbnail="\0", s3_path="s3://b\0/x"),
    "analyses": make_result("http://cdn/1.jpg", analyses={"\0": "\ud800", "x" * 10_000: "y" * 10_000}),
    "failed without a reason": ItemResult(url="http://cdn/1.jpg", status="failed"),
    "long failure": ItemResult(url="http://cdn/1.jpg", status="failed", error="e\0" * 500_000, error_code="c" * 9000),
    "nothing but a url": ItemResult(url="http://cdn/1.jpg"),
}


@pytest.mark.parametrize("name", HOSTILE_RESULTS)
async def test_a_hostile_result_does_not_spoil_the_batch(store_settings: AdologySettings, name: str) -> None:
    ad = shown(make_ad("a1", "http://cdn/1.jpg", "http://cdn/2.jpg"))
    await commit(store_settings, ad, results=[HOSTILE_RESULTS[name], make_result("http://cdn/2.jpg")])
    digests = {row["sha256"] for row in query(store_settings, "select sha256 from ad_assets")}
    assert sha("http://cdn/2.jpg") in digests
    assert query(store_settings, "select state from batches") == [{"state": "committed"}]


async def test_two_results_of_one_url_give_one_link(store_settings: AdologySettings) -> None:
    ad = shown(make_ad("a1", "http://cdn/1.jpg", "http://cdn/1.jpg"))
    doubled = [make_result("http://cdn/1.jpg"), msgspec.structs.replace(make_result("http://cdn/1.jpg"), width=7)]
    await commit(store_settings, ad, results=doubled)
    links = query(store_settings, "select position, sha256 from ad_assets order by position")
    assert [link["position"] for link in links] == [0, 1]


async def test_a_gathering_time_without_zone_is_utc(store_settings: AdologySettings) -> None:
    naive = datetime(2026, 11, 20, 8)  # noqa: DTZ001 - a manifest of an older writer
    await commit(store_settings, shown(make_ad("a1"), at=naive))
    assert query(store_settings, "select last_seen_at from ads") == [
        {"last_seen_at": datetime(2026, 11, 20, 8, tzinfo=UTC)}
    ]
