"""Ads of an organisation and public ones never mix."""

from __future__ import annotations

import pytest

from adology import CommittedAd, ItemResult
from adology.settings import AdologySettings
from adology.store import BrandState, Database, Ledger
from adology_postgres import PostgresSink
from tests.system.batches import ListBatch, make_ad, open_batch, opened, query, shown, store_analysis

pytestmark = pytest.mark.anyio


async def commit(settings: AdologySettings, *ads: CommittedAd, request: str = "r1") -> str:
    batch_id = await open_batch(settings, request=request)
    async with opened(PostgresSink(), settings) as (sink, context):
        await sink.write(context, ListBatch(batch_id, ads=ads))
    return batch_id


async def owners(settings: AdologySettings) -> set[tuple[str, str | None, str]]:
    rows = query(settings, "select source_ad_id, owner_org_id, advertiser from ads")
    return {(row["source_ad_id"], row["owner_org_id"], row["advertiser"]) for row in rows}


async def test_the_owner_is_kept(store_settings: AdologySettings) -> None:
    await commit(store_settings, shown(make_ad("1", owner_org_id="acme", advertiser="v1"), source="crm"))
    await commit(store_settings, shown(make_ad("1", owner_org_id="acme", advertiser="v2"), source="crm"), request="r2")
    assert await owners(store_settings) == {("1", "acme", "v2")}


async def test_ids_of_each_owner_are_a_space_of_their_own(store_settings: AdologySettings) -> None:
    await commit(
        store_settings,
        shown(make_ad("1", owner_org_id="acme", advertiser="acme's"), source="crm"),
        shown(make_ad("1", owner_org_id="rival", advertiser="rival's"), source="crm"),
        shown(make_ad("2", advertiser="public"), source="crm"),
    )
    assert await owners(store_settings) == {
        ("1", "acme", "acme's"),
        ("1", "rival", "rival's"),
        ("2", None, "public"),
    }


async def test_a_private_ad_never_becomes_public(store_settings: AdologySettings) -> None:
    await commit(store_settings, shown(make_ad("1", owner_org_id="acme", advertiser="secret"), source="crm"))
    leak = shown(make_ad("1", advertiser="secret"), source="crm")
    batch_id = await commit(store_settings, leak, shown(make_ad("2"), source="crm"), request="r2")
    assert await owners(store_settings) == {("1", "acme", "secret"), ("2", None, "")}
    (failure,) = query(store_settings, "select * from failures where batch_id = %s", batch_id)
    assert failure["error_code"] == "ADO-4303"
    assert failure["error"] == "ad 1 of source crm belongs to an organisation and was not made public"


async def test_a_private_ad_of_the_same_batch_counts_as_well(store_settings: AdologySettings) -> None:
    await commit(
        store_settings,
        shown(make_ad("1", advertiser="secret"), source="crm"),
        shown(make_ad("1", owner_org_id="acme", advertiser="secret"), source="crm"),
    )
    assert await owners(store_settings) == {("1", "acme", "secret")}


async def test_a_public_ad_stays_public_when_an_owner_brings_the_same_id(store_settings: AdologySettings) -> None:
    await commit(store_settings, shown(make_ad("1", advertiser="public"), source="crm"))
    await commit(store_settings, shown(make_ad("1", owner_org_id="acme", advertiser="own"), source="crm"), request="r2")
    assert await owners(store_settings) == {("1", None, "public"), ("1", "acme", "own")}


async def test_an_empty_owner_is_nobody_not_everybody(store_settings: AdologySettings) -> None:
    await commit(store_settings, shown(make_ad("1", owner_org_id=""), source="crm"))
    assert await owners(store_settings) == {("1", "", "")}


async def test_an_analysis_of_one_owners_copy_does_not_reach_the_other(store_settings: AdologySettings) -> None:
    mine = make_ad("1", owner_org_id="acme", bodies=("our secret plan",))
    theirs = make_ad("1", owner_org_id="rival", bodies=("another text",))
    await store_analysis(store_settings, "secret", mine.copy_hash(), analyzer="copy", kind="ad")
    result = ItemResult(url="urn:x", source="crm", ad_id="1", ad_analyses={"copy": "secret"})
    batch = ListBatch(
        await open_batch(store_settings), ads=[shown(mine, source="crm"), shown(theirs, source="crm")], results=[result]
    )
    async with opened(PostgresSink(), store_settings) as (sink, context):
        await sink.write(context, batch)
    found = query(store_settings, "select owner_org_id, key from ad_analyses join ads on id = ad_id")
    assert found == [{"owner_org_id": "acme", "key": "secret"}]


async def test_brand_wide_analyzers_see_public_ads_only(store_settings: AdologySettings) -> None:
    batch_id = await commit(
        store_settings,
        shown(make_ad("1", owner_org_id="acme"), source="crm"),
        shown(make_ad("2"), source="facebook"),
    )
    async with Database(store_settings.postgres) as database:
        batch = await Ledger(database).find_batch(batch_id)
        assert batch is not None
        assert [ad.source async for ad in BrandState(database, batch).ads()] == ["facebook"]
