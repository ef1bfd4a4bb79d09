"""The models within the engine: what stands in a picture is read, and look-alikes are found after the commit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from adology.plugins import load_plugins
from adology.settings import AdologySettings
from adology.store.follower import Follower
from adology.store.likenesses import Likenesses
from adology.store.similar import Query, Similar, unpack
from adology_duplicates.pairs import Duplicates
from tests.system import rig

pytestmark = pytest.mark.timeout(120)

OF_AN_IMAGE = ["labels", "likeness", "measures", "media", "safety", "scores", "text", "visual_embedding"]


def draw(path: Path, text: str, colour: str) -> None:
    image = Image.new("RGB", (640, 400), colour)
    pen = ImageDraw.Draw(image)
    pen.ellipse((380, 60, 600, 280), fill="white")
    pen.text((40, 150), text, fill="white", font=ImageFont.load_default(40))
    image.save(path, quality=92)


def test_creatives_are_read_embedded_and_judged_in_the_batch_that_brings_them(
    settings: AdologySettings, tmp_path: Path
) -> None:
    async def scenario() -> None:
        folder = tmp_path / "ads"
        folder.mkdir()
        draw(folder / "a.jpg", "Only 49.99 EUR", "navy")
        draw(folder / "b.jpg", "Only 49.99 EUR", "#101070")
        async with rig.living(settings, loaded=load_plugins(strict=True)) as engine:
            await rig.add_brand(engine, folder)
            await rig.ask(engine, "first")
            batch = await rig.wait_ended(engine, "first", timeout_s=90)
            await rig.check_promises(engine, batch, {path.as_uri() for path in folder.iterdir()})
            found = rig.rows(
                settings,
                "select l.sha256, l.analyzer, n.result from asset_analyses l join analyses n on n.key = l.key"
                " where n.state = 'done' order by 1, 2",
            )
            assert [analyzer for _, analyzer, _ in found] == OF_AN_IMAGE * 2
            texts = [result for _, analyzer, result in found if analyzer == "text"]
            assert ["".join(line["text"].split()) for text in texts for line in text["lines"]] == ["Only49.99EUR"] * 2
            assert [price["amount"] for text in texts for price in text["prices"]] == ["49.99"] * 2

            (one, _, embedding), (other, _, _) = [row for row in found if row[1] == "visual_embedding"]
            query = Query(
                kind="asset", analyzer="visual_embedding", space=embedding["space"],
                vector=unpack(embedding["vector"]), without=one,
            )  # fmt: skip
            (near,) = await Similar(engine.database).search(query, limit=5)
            assert near.subject == other
            assert near.similarity > 0.95

            # What follows commits compares the two, and they are one, recoloured.
            await Follower(engine.database, Duplicates(engine.database)).catch_up()
            ((first, second),) = await Likenesses(engine.database).groups(brand=rig.BRAND)
            assert {first.sha256, second.sha256} == {one, other}
            (pair,) = await Likenesses(engine.database).pairs_of(one)
            assert (pair.other, pair.confidence >= 0.5) == (other, True)

    asyncio.run(scenario())
