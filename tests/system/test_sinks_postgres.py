from __future__ import annotations

import msgspec
import pytest

from adology import Ad, ItemResult, Media, Spend
from adology.abc.sink import BatchCounts
from adology.settings import AdologySettings
from adology_postgres import PostgresSink
from tests.system.batches import (
    ListBatch,
    make_ad,
    make_result,
    open_batch,
    opened,
    query,
    scalar,
    sha,
    shown,
    store_analysis,
)

pytestmark = pytest.mark.anyio


async def commit(settings: AdologySettings, *batches: ListBatch) -> None:
    async with opened(PostgresSink(), settings) as (sink, context):
        for batch in batches:
            await sink.write(context, batch)


async def test_a_commit_writes_everything(store_settings: AdologySettings) -> None:
    batch_id = await open_batch(store_settings)
    running = make_ad(
        "a1",
        "http://cdn/1.jpg",
        "http://cdn/2.jpg",
        advertiser="Nike",
        titles=("Just",),
        status="active",
        reach=5,
        spend=Spend(lower=1.5, upper=2.5, currency="EUR"),
    )
    await store_analysis(store_settings, "asset-key", sha("http://cdn/1.jpg"))
    await store_analysis(store_settings, "copy-key", running.copy_hash(), analyzer="copy", kind="ad")
    batch = ListBatch(
        batch_id,
        ads=[shown(running), shown(make_ad("a2"))],
        results=[
            make_result(
                "http://cdn/1.jpg",
                width=640,
                height=480,
                thumbnail="derived/t.jpg",
                analyses={"media": "asset-key"},
                source="facebook",
                ad_id="a1",
                ad_analyses={"copy": "copy-key"},
            ),
            ItemResult(url="http://cdn/2.jpg", status="failed", error_code="ADO-5101", error="404"),
            ItemResult(url="urn:adology:ad:facebook:a2", source="facebook", ad_id="a2"),
        ],
        counts=BatchCounts(ads=2, urls=3, media=1, assets=1, failures=1),
        cursors={"facebook": b"\x81cursor"},
    )
    await commit(store_settings, batch)

    first, second = query(store_settings, "select * from ads order by source_ad_id")
    assert (first["advertiser"], first["bodies"], first["titles"]) == ("Nike", ["copy of a1"], ["Just"])
    assert (first["status"], first["media_outcome"], second["media_outcome"]) == ("active", "media", "text_only")
    assert (first["first_batch"], first["last_batch"], first["owner_org_id"]) == (batch_id, batch_id, None)
    assert query(store_settings, "select brand, ad_id from brand_ads order by ad_id") == [
        {"brand": "nike", "ad_id": first["id"]},
        {"brand": "nike", "ad_id": second["id"]},
    ]
    (asset,) = query(store_settings, "select * from assets")
    assert (asset["sha256"], asset["width"], asset["thumbnail"]) == (sha("http://cdn/1.jpg"), 640, "derived/t.jpg")
    assert query(store_settings, "select ad_id, position, sha256, role from ad_assets") == [
        {"ad_id": first["id"], "position": 0, "sha256": asset["sha256"], "role": "creative"}
    ]
    assert query(store_settings, "select url, error_code, error from failures") == [
        {"url": "http://cdn/2.jpg", "error_code": "ADO-5101", "error": "404"}
    ]
    observed = query(store_settings, "select observed_on::text, status, reach, spend_upper, currency from observations")
    assert {
        "observed_on": "2026-11-20",
        "status": "active",
        "reach": 5,
        "spend_upper": 2.5,
        "currency": "EUR",
    } in observed
    assert scalar(store_settings, "select key from asset_analyses") == "asset-key"
    assert query(store_settings, "select ad_id, key from ad_analyses") == [{"ad_id": first["id"], "key": "copy-key"}]
    (cursor,) = query(store_settings, "select brand, source, cursor, batch_id from source_cursors")
    assert (cursor["source"], bytes(cursor["cursor"]), cursor["batch_id"]) == ("facebook", b"\x81cursor", batch_id)
    (ledger,) = query(store_settings, "select state, counts, committed_at from batches")
    assert ledger["state"] == "committed"
    assert ledger["counts"] == {**msgspec.structs.asdict(batch.counts)}
    (message,) = query(store_settings, "select queue, body, batch_id from outbox")
    assert message["queue"] == "insight"
    assert msgspec.json.decode(message["body"]) == {"brand": "nike", "batch": batch_id}
    assert message["batch_id"] == batch_id


async def test_the_same_batch_twice_counts_once(store_settings: AdologySettings) -> None:
    batch = ListBatch(await open_batch(store_settings), ads=[shown(make_ad("a1"))])
    await commit(store_settings, batch, batch)
    assert scalar(store_settings, "select count(*) from outbox") == 1
    assert scalar(store_settings, "select count(*) from observations") == 1


async def test_an_ad_gets_media_that_another_ads_item_brought(store_settings: AdologySettings) -> None:
    shared = "http://cdn/shared.jpg"
    batch = ListBatch(
        await open_batch(store_settings),
        ads=[shown(make_ad("a1", shared)), shown(make_ad("a2", "http://cdn/own.jpg", shared))],
        results=[make_result(shared), make_result("http://cdn/own.jpg")],
    )
    await commit(store_settings, batch)
    links = query(
        store_settings,
        "select source_ad_id, position, sha256 from ad_assets join ads on id = ad_id order by source_ad_id, position",
    )
    assert [(link["source_ad_id"], link["position"], link["sha256"]) for link in links] == [
        ("a1", 0, sha(shared)),
        ("a2", 0, sha("http://cdn/own.jpg")),
        ("a2", 1, sha(shared)),
    ]


async def test_an_ad_whose_media_all_failed_is_still_an_ad(store_settings: AdologySettings) -> None:
    batch = ListBatch(
        await open_batch(store_settings),
        ads=[shown(make_ad("a1", "http://cdn/gone.jpg"))],
        results=[ItemResult(url="http://cdn/gone.jpg", status="failed", error_code="ADO-5101", error="410")],
    )
    await commit(store_settings, batch)
    assert scalar(store_settings, "select media_outcome from ads") == "media"
    assert scalar(store_settings, "select count(*) from ad_assets") == 0
    assert scalar(store_settings, "select url from failures") == "http://cdn/gone.jpg"


async def test_files_replace_those_of_yesterday_only_where_all_of_them_came(store_settings: AdologySettings) -> None:
    urls = ("http://cdn/1.jpg", "http://cdn/2.jpg")
    ads = [shown(make_ad("whole", *urls)), shown(make_ad("broken", "http://cdn/3.jpg", "http://cdn/4.jpg"))]
    old = [make_result(url, f"old {url}") for url in (*urls, "http://cdn/3.jpg", "http://cdn/4.jpg")]
    await commit(store_settings, ListBatch(await open_batch(store_settings), ads=ads, results=old))
    new = [make_result(url, f"new {url}") for url in (*urls, "http://cdn/3.jpg")]
    failed = ItemResult(url="http://cdn/4.jpg", status="failed", error_code="ADO-5101", error="410")
    await commit(
        store_settings, ListBatch(await open_batch(store_settings, request="r2"), ads=ads, results=[*new, failed])
    )
    links = query(store_settings, "select source_ad_id, sha256 from ad_assets join ads on id = ad_id")
    held = {(link["source_ad_id"], link["sha256"]) for link in links}
    assert {digest for name, digest in held if name == "whole"} == {sha(f"new {url}") for url in urls}
    assert ("broken", sha("old http://cdn/4.jpg")) in held
    assert ("broken", sha("new http://cdn/3.jpg")) in held


async def test_a_preview_is_linked_as_such(store_settings: AdologySettings) -> None:
    media = (Media(url="http://cdn/v.mp4", kind="video"), Media(url="http://cdn/p.jpg", role="preview", position=0))
    batch = ListBatch(
        await open_batch(store_settings),
        ads=[shown(Ad(id="a1", media=media))],
        results=[make_result("http://cdn/v.mp4", kind="video"), make_result("http://cdn/p.jpg")],
    )
    await commit(store_settings, batch)
    links = query(store_settings, "select sha256, role from ad_assets")
    assert {(link["sha256"], link["role"]) for link in links} == {
        (sha("http://cdn/v.mp4"), "creative"),
        (sha("http://cdn/p.jpg"), "preview"),
    }


async def test_a_result_cannot_claim_analyses_of_other_bytes(store_settings: AdologySettings) -> None:
    await store_analysis(store_settings, "elsewhere", sha("other bytes"))
    await store_analysis(store_settings, "unfinished", sha("http://cdn/1.jpg"), analyzer="slow", done=False)
    claimed = {"media": "elsewhere", "slow": "unfinished", "invented": "no such key"}
    batch = ListBatch(
        await open_batch(store_settings),
        ads=[shown(make_ad("a1", "http://cdn/1.jpg"))],
        results=[make_result("http://cdn/1.jpg", analyses=claimed, source="facebook", ad_id="a1", ad_analyses=claimed)],
    )
    await commit(store_settings, batch)
    assert query(store_settings, "select * from asset_analyses") == []
    assert query(store_settings, "select * from ad_analyses") == []
    assert scalar(store_settings, "select count(*) from ad_assets") == 1


async def test_results_of_foreign_workers_need_url_and_path_only(store_settings: AdologySettings) -> None:
    url = "http://cdn/foreign.jpg"
    batch = ListBatch(
        await open_batch(store_settings),
        ads=[shown(make_ad("f1", url), source="external")],
        results=[ItemResult(url=url, s3_path="s3://theirs/1.jpg", embedding=b"\0\0\x80\x3f")],
    )
    await commit(store_settings, batch)
    assert scalar(store_settings, "select source from ads") == "external"
    assert scalar(store_settings, "select count(*) from assets") == 0
    assert scalar(store_settings, "select state from batches") == "committed"


async def test_an_empty_batch_commits(store_settings: AdologySettings) -> None:
    await commit(store_settings, ListBatch(await open_batch(store_settings)))
    assert scalar(store_settings, "select state from batches") == "committed"
