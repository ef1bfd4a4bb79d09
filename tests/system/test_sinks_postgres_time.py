"""What a commit does to ads, assets and observations that are there already."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adology import CommittedAd, Spend
from adology.settings import AdologySettings
from adology_postgres import PostgresSink
from tests.system.batches import (
    NOON,
    ListBatch,
    make_ad,
    make_result,
    open_batch,
    opened,
    query,
    scalar,
    sha,
    shown,
)

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)


async def commit(settings: AdologySettings, batch: ListBatch) -> str:
    async with opened(PostgresSink(), settings) as (sink, context):
        await sink.write(context, batch)
    return batch.id


async def test_observations_accumulate_by_day(store_settings: AdologySettings) -> None:
    days = [(0, 100), (1, 150), (1, 160), (3, None)]
    for turn, (day, reach) in enumerate(days):
        at = NOON + day * DAY + timedelta(hours=turn)
        ad = make_ad("a1", reach=reach, status="active" if day < 3 else "stopped")
        batch_id = await open_batch(store_settings, request=str(turn))
        await commit(store_settings, ListBatch(batch_id, ads=[shown(ad, at=at)]))
    series = query(
        store_settings, "select observed_on::text as day, reach, status from observations order by observed_on"
    )
    assert series == [
        {"day": "2026-11-20", "reach": 100, "status": "active"},
        {"day": "2026-11-21", "reach": 160, "status": "active"},
        {"day": "2026-11-23", "reach": None, "status": "stopped"},
    ]


async def test_a_day_keeps_what_the_later_look_did_not_say(store_settings: AdologySettings) -> None:
    told = make_ad("a1", reach=10, impressions=Spend(lower=1, upper=5))
    await commit(store_settings, ListBatch(await open_batch(store_settings), ads=[shown(told)]))
    later = shown(make_ad("a1"), at=NOON + timedelta(hours=2))
    await commit(store_settings, ListBatch(await open_batch(store_settings, request="r2"), ads=[later]))
    assert query(store_settings, "select reach, impressions_upper from observations") == [
        {"reach": 10, "impressions_upper": 5.0}
    ]


async def test_first_and_last_seen_span_all_commits(store_settings: AdologySettings) -> None:
    first = await commit(
        store_settings, ListBatch(await open_batch(store_settings), ads=[shown(make_ad("a1"), at=NOON + DAY)])
    )
    second = await commit(
        store_settings,
        ListBatch(await open_batch(store_settings, request="r2"), ads=[shown(make_ad("a1"), at=NOON + 2 * DAY)]),
    )
    (ad,) = query(store_settings, "select * from ads")
    assert (ad["first_seen_at"], ad["last_seen_at"]) == (NOON + DAY, NOON + 2 * DAY)
    assert (ad["first_batch"], ad["last_batch"]) == (first, second)
    assert query(store_settings, "select first_batch, last_batch from brand_ads") == [
        {"first_batch": first, "last_batch": second}
    ]


async def test_a_batch_that_commits_late_does_not_turn_an_ad_back(store_settings: AdologySettings) -> None:
    late = await open_batch(store_settings, "adidas")
    new = await commit(
        store_settings,
        ListBatch(
            await open_batch(store_settings),
            ads=[shown(make_ad("a1", "http://cdn/new.jpg", status="stopped"), at=NOON + DAY)],
            results=[make_result("http://cdn/new.jpg")],
        ),
    )
    await commit(
        store_settings,
        ListBatch(
            late,
            "adidas",
            ads=[shown(make_ad("a1", "http://cdn/old.jpg", status="active"), at=NOON)],
            results=[make_result("http://cdn/old.jpg")],
        ),
    )
    (ad,) = query(store_settings, "select * from ads")
    assert (ad["status"], ad["last_batch"], ad["first_seen_at"]) == ("stopped", new, NOON)
    assert [row["sha256"] for row in query(store_settings, "select sha256 from ad_assets")] == [
        sha("http://cdn/new.jpg")
    ]
    assert scalar(store_settings, "select count(*) from observations") == 2
    assert scalar(store_settings, "select count(*) from brand_ads") == 2


async def test_the_vendors_own_time_counts_unless_it_is_nonsense(store_settings: AdologySettings) -> None:
    ads = [
        shown(make_ad("said", seen_at=NOON - DAY)),
        shown(make_ad("future", seen_at=NOON + 900 * DAY)),
        shown(make_ad("ancient", seen_at=NOON.replace(year=1))),
    ]
    await commit(store_settings, ListBatch(await open_batch(store_settings), ads=ads))
    seen = {row["source_ad_id"]: row["last_seen_at"] for row in query(store_settings, "select * from ads")}
    assert seen == {"said": NOON - DAY, "future": NOON, "ancient": NOON}


async def test_the_first_description_of_an_asset_stands_and_gaps_are_filled(store_settings: AdologySettings) -> None:
    url = "http://cdn/1.jpg"
    first = ListBatch(
        await open_batch(store_settings), ads=[shown(make_ad("a1", url))], results=[make_result(url, width=10)]
    )
    await commit(store_settings, first)
    second = ListBatch(
        await open_batch(store_settings, request="r2"),
        ads=[shown(make_ad("a1", url))],
        results=[make_result(url, width=99, height=20, thumbnail="t.jpg", content_type="image/png")],
    )
    await commit(store_settings, second)
    (asset,) = query(store_settings, "select * from assets")
    assert (asset["width"], asset["height"], asset["thumbnail"]) == (10, 20, "t.jpg")
    assert (asset["content_type"], asset["first_batch"]) == ("image/jpeg", first.id)


async def test_cursors_move_with_the_commit_only(store_settings: AdologySettings) -> None:
    await commit(store_settings, ListBatch(await open_batch(store_settings), cursors={"facebook": b"1", "serp": b"1"}))
    failing = ListBatch(await open_batch(store_settings, request="r2"), ads=_broken, cursors={"facebook": b"2"})
    with pytest.raises(RuntimeError, match="the manifest ends here"):
        await commit(store_settings, failing)
    assert scalar(store_settings, "select cursor from source_cursors where source = 'facebook'") == b"1"
    await commit(store_settings, ListBatch(failing.id, cursors={"facebook": b"2"}))
    cursors = query(store_settings, "select source, cursor from source_cursors order by source")
    assert [(row["source"], bytes(row["cursor"])) for row in cursors] == [("facebook", b"2"), ("serp", b"1")]


def _broken() -> list[CommittedAd]:
    raise RuntimeError("the manifest ends here")
