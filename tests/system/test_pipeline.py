"""The whole way of the data in one process, on the real embedded servers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pymongo

from adology.settings import AdologySettings
from tests.system import rig


def test_a_folder_of_ads_becomes_committed_ads_assets_and_analyses(settings: AdologySettings, tmp_path: Path) -> None:
    async def scenario() -> None:
        files = rig.draw_ads(tmp_path / "ads", 6)
        async with rig.living(settings) as engine:
            await rig.add_brand(engine, tmp_path / "ads")
            await rig.ask(engine, "first")
            batch = await rig.wait_ended(engine, "first")
            await rig.wait_queues_empty(engine)

            await rig.check_promises(engine, batch, {path.as_uri() for path in files})
            assert batch.counts["ads"] == 7
            assert batch.counts["assets"] == 6
            assert batch.counts["duplicates"] == 1
            assert rig.rows(engine.settings, "select count(*) from ads") == [(7,)]
            assert rig.rows(engine.settings, "select count(*), min(width), min(height) from assets") == [(6, 160, 120)]
            assert rig.rows(engine.settings, "select count(*) from observations") == [(7,)]
            (insight,) = rig.rows(engine.settings, "select analyzer, result from insights")
            assert insight[0] == "pulse"

    asyncio.run(scenario())


def test_the_second_gathering_pays_for_nothing_again(settings: AdologySettings, tmp_path: Path) -> None:
    async def scenario() -> None:
        rig.draw_ads(tmp_path / "ads", 4)
        async with rig.living(settings) as engine:
            await rig.add_brand(engine, tmp_path / "ads")
            await rig.ask(engine, "first")
            first = await rig.wait_ended(engine, "first")
            rig.draw_ads(tmp_path / "ads", 1, first=50)
            await rig.ask(engine, "second")
            second = await rig.wait_ended(engine, "second")

            assert first.id != second.id
            assert second.counts["duplicates"] == second.counts["media"] - 1
            # One creative and one copy are new: the media and the copy analyzer ran once each at most.
            assert second.counts["analyses_run"] <= 2
            attempts = rig.rows(engine.settings, "select max(attempts) from analyses")
            assert attempts == [(1,)]

    asyncio.run(scenario())


def test_documents_are_in_mongo_and_reachable_through_committed_rows(settings: AdologySettings, tmp_path: Path) -> None:
    async def scenario() -> None:
        rig.draw_ads(tmp_path / "ads", 2)
        (tmp_path / "ads" / "metadata.jsonl").write_text(
            json.dumps({"file": "ad-000.jpg", "body": "Half price today", "colour": "red"}) + "\n"
        )
        async with rig.living(settings) as engine:
            await rig.add_brand(engine, tmp_path / "ads")
            await rig.ask(engine, "first")
            await rig.wait_ended(engine, "first")

            with pymongo.MongoClient[dict[str, object]](engine.settings.mongo.url) as client:
                database = client[engine.settings.mongo.database]
                keys = {row[0] for row in rig.rows(engine.settings, "select key from asset_analyses")}
                assert keys
                assert keys <= {str(found["_id"]) for found in database["analyses"].find()}

    asyncio.run(scenario())


def test_a_brand_without_ads_commits_an_empty_batch(settings: AdologySettings, tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "ads").mkdir()
        async with rig.living(settings) as engine:
            await rig.add_brand(engine, tmp_path / "ads")
            await rig.ask(engine, "empty")
            batch = await rig.wait_ended(engine, "empty")

            assert batch.state == "committed"
            assert batch.expected_count == 0
            assert batch.sources["files"]["outcome"] == "empty"

    asyncio.run(scenario())


def test_two_gathers_of_one_brand_at_once_make_one_batch(settings: AdologySettings, tmp_path: Path) -> None:
    async def scenario() -> None:
        files = rig.draw_ads(tmp_path / "ads", 5)
        async with rig.living(settings, workers=2) as engine:
            await rig.add_brand(engine, tmp_path / "ads")
            await asyncio.gather(rig.ask(engine, "one"), rig.ask(engine, "two"))
            one, two = await rig.wait_ended(engine, "one"), await rig.wait_ended(engine, "two")
            await rig.wait_queues_empty(engine)

            committed = rig.rows(engine.settings, "select count(*) from batches where state = 'committed'")
            if one.id == two.id:
                assert committed == [(1,)]
            await rig.check_promises(engine, two, {path.as_uri() for path in files})

    asyncio.run(scenario())
