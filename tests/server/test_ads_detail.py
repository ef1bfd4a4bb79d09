"""One ad with all that is known of it, facets and statistics, and signed addresses that download."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import msgspec
import pymongo
import pytest

from adology.aws import open_client
from adology.settings import AdologySettings
from adology.store.naming import payload_id
from adology_server.ads.model import AdDetail
from tests.server.ads_rig import Ads, at, follow, sha
from tests.server.rig import log_in, serving

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def ads(store_settings: AdologySettings) -> Ads:
    made = Ads(store_settings)
    made.add_org("acme")
    made.add_user("acme", "owner@acme.example")
    made.add_brands("nike", "puma")
    for brand in ("nike", "puma"):
        made.batch(f"b-{brand}", brand)
    return made


async def sporty(nobody: Any) -> Any:
    owner = await log_in(nobody, "owner@acme.example")
    await owner.post("/v1/brandspaces", {"name": "Sport", "primary": "nike", "competitors": ["puma"]})
    return owner


def test_an_ad_has_copy_analyses_days_and_lineage(store_settings: AdologySettings, ads: Ads) -> None:
    ad_id = ads.commit_ad("a", bodies=["One", "Two"], seen=at(0), creative="x", brands=("nike", "puma"))
    twin = ads.commit_ad("b", creative="y")
    ads.group("x", "y")
    ads.analyse(ad_id, "labels_copy", {"labels": [], "vector": "AAAA", "model": "m"}, cost=0.25)
    ads.rows("insert into observations (ad_id, observed_on, observed_at, status, reach, batch_id)"
             " values (%s, '2026-11-02', now(), 'active', 7, 'b-nike')", [ad_id])  # fmt: skip
    ads.rows("insert into ad_flags (ad_id, flag, details) values (%s, 'price_mismatch', '[1]')", [ad_id])
    raw = {"snapshot": {"n": 1}, "when": at(0)}
    mongo: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(store_settings.mongo.url)
    with mongo:
        mongo[store_settings.mongo.database]["payloads"].insert_one(
            {"_id": payload_id("b-nike", "facebook", "a"), "raw": raw}
        )

    async def scenario() -> None:
        await follow(store_settings)
        async with serving(store_settings) as nobody:
            owner = await sporty(nobody)
            body = await owner.get(f"/v1/ads/{ad_id}")
            assert {*body} == {*AdDetail.__struct_fields__}
            ad = msgspec.convert(body, AdDetail)
            assert (ad.bodies, [one.brand for one in ad.brands], ad.near_duplicates) == (
                ("One", "Two"), ["nike", "puma"], (twin,),
            )  # fmt: skip
            (told,) = ad.analyses
            assert (told.analyzer, told.version, told.cost_usd, told.result) == (
                "labels_copy", 3, 0.25, {"labels": [], "model": "m"},
            )  # fmt: skip
            assert [(one.reach, one.status) for one in ad.observations] == [(7, "active")]
            assert (ad.first_batch.id, ad.last_batch.brand, ad.flags[0].details) == ("b-nike", "nike", [1])
            assert ad.raw == {"snapshot": {"n": 1}, "when": {"$date": "2026-11-01T00:00:00Z"}}
            assert (await owner.get(f"/v1/ads/{twin}"))["raw"] is None

    asyncio.run(scenario())


def test_without_mongo_an_ad_lacks_its_record_alone(store_settings: AdologySettings, ads: Ads) -> None:
    ad_id = ads.commit_ad("a")
    replace = msgspec.structs.replace
    away = replace(store_settings, mongo=replace(store_settings.mongo, url="mongodb://127.0.0.1:9/"))

    async def scenario() -> None:
        await follow(store_settings)
        async with serving(away) as nobody:
            owner = await sporty(nobody)
            found = await owner.get(f"/v1/ads/{ad_id}")
            assert (found["raw"], found["titles"]) == (None, ["Title a"])

    asyncio.run(scenario())


def test_facets_and_statistics_count_what_the_list_shows(store_settings: AdologySettings, ads: Ads) -> None:
    ((today,),) = ads.rows("select now()")
    new = today - timedelta(days=2)
    ads.commit_ad("a", seen=new, labels=["theme:sport", "tone:bold"], format="image", platforms=["x", "y"])
    ads.commit_ad(
        "b", seen=at(-400), labels=["theme:sport"], format="video", status="stopped", stopped_on=at(-390).date()
    )
    ads.commit_ad("both", seen=new, brands=("nike", "puma"), format="image")

    async def scenario() -> None:
        await follow(store_settings)
        async with serving(store_settings) as nobody:
            owner = await sporty(nobody)
            facets = await owner.get("/v1/ads/facets")
            flat = {
                name: {one["value"]: one["ads"] for one in found}
                for name, found in facets.items()
                if name != "total" and found is not None
            }
            assert facets["total"] == 3
            assert flat == {
                "brand": {"nike": 3, "puma": 1}, "source": {"facebook": 3}, "platform": {"x": 1, "y": 1},
                "format": {"image": 2, "video": 1}, "status": {"unknown": 2, "stopped": 1}, "language": {},
                "label": {"theme:sport": 2, "tone:bold": 1}, "role": {"primary": 3, "competitor": 1}, "domain": {},
                "safety": {},
            }  # fmt: skip
            assert (await owner.get("/v1/ads/facets", brand="puma"))["total"] == 1
            told = await owner.get("/v1/statistics")
            assert (told["ads"], told["new"], told["new_days"], told["stopped"]) == (3, 2, 7, 1)
            assert [(one["brand"], one["ads"], one["new"], one["stopped"]) for one in told["brands"]] == [
                ("nike", 3, 2, 1), ("puma", 1, 1, 0),
            ]  # fmt: skip
            assert told["formats"] == [{"value": "image", "ads": 2}, {"value": "video", "ads": 1}]
            assert told["labels"][0] == {"value": "theme:sport", "ads": 2}
            weeks = {one["week"]: (one["new"], one["stopped"]) for one in told["weeks"]}
            monday = new.date() - timedelta(days=new.weekday())
            assert weeks[monday.isoformat()] == (2, 0)
            assert sum(count for _, count in weeks.values()) == 1
            assert (await owner.get("/v1/statistics", new_days=1))["new"] == 0

    asyncio.run(scenario())


def test_creatives_are_downloaded_from_the_bucket(settings: AdologySettings, ads: Ads) -> None:
    ad_id = ads.commit_ad("a", creative="x")
    key = f"assets/{sha('x')}.png"

    async def scenario() -> None:
        async with open_client(settings.aws, "s3") as s3:
            for one in (key, "assets/other.png"):
                await s3.put_object(Bucket=settings.s3.bucket, Key=one, Body=b"\x89PNG", ContentType="image/png")
        await follow(settings)
        async with serving(settings) as nobody, aiohttp.ClientSession() as web:
            owner = await sporty(nobody)
            (asset,) = (await owner.get(f"/v1/ads/{ad_id}"))["assets"]
            async with web.get(asset["url"]) as answer:
                assert (answer.status, await answer.read()) == (200, b"\x89PNG")
                assert answer.headers["content-disposition"] == "inline"
            for changed in (
                asset["url"].replace(key, "assets/other.png"),
                asset["url"][:-4] + ("0000" if asset["url"][-4:] != "0000" else "1111"),
                asset["url"].replace("inline", "attachment"),
                asset["url"].replace("X-Amz-Expires=900", "X-Amz-Expires=90000"),
            ):
                async with web.get(changed) as answer:
                    assert answer.status == 403, changed
            async with web.put(asset["url"], data=b"x") as answer:
                assert answer.status == 403
            thumbnails = [(await owner.get("/v1/ads"))["items"][0]["thumbnail_url"] for _ in range(2)]
            assert thumbnails[0] == thumbnails[1] == asset["thumbnail_url"]

    asyncio.run(scenario())
