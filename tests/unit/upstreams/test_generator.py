"""The generated world: complete, deterministic, and true to its truth."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageFont

from adology import Ad, Brand, Context
from adology_customer_db import Columns, CustomerDb, CustomerDbSettings
from upstreams.generator import Truth, generate, load_truth, write_customer_db
from upstreams.generator.__main__ import main
from upstreams.generator.fonts import Typeface
from upstreams.generator.plan import SLOTS
from upstreams.world import MEDIA_FOLDER, Creative, World, load_world

pytestmark = pytest.mark.xdist_group("generator")  # they share drawn worlds

MADE_ON = date(2026, 6, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("world")
    generate(path, seed=3, brands=2, ads=len(SLOTS), made_on=MADE_ON)
    return path


@pytest.fixture(scope="module")
def world(folder: Path) -> World:
    return load_world(folder)


@pytest.fixture(scope="module")
def truths(folder: Path) -> dict[str, Truth]:
    return load_truth(folder)


def media(folder: Path, creative: Creative) -> Path:
    return folder / MEDIA_FOLDER / creative.file


def pictures(world: World) -> Iterator[Creative]:
    return (creative for creative in world.creatives if creative.kind == "image")


def clips(world: World) -> Iterator[Creative]:
    return (creative for creative in world.creatives if creative.kind == "video")


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed, ads in (("a", 5, 5), ("b", 5, 5), ("c", 6, 1)):
        world = generate(tmp_path / name, seed=seed, brands=1, ads=ads, made_on=MADE_ON)
        write_customer_db(world, tmp_path / name / "customer.sqlite", str)

    def read(name: str) -> dict[str, str]:
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        return {str(p.relative_to(tmp_path / name)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    assert read("a") == read("b")
    assert set(read("a").values()).isdisjoint(read("c").values())


def test_every_case_occurs_at_every_brand(world: World) -> None:
    for brand in world.brands:
        assert {ad.network for ad in brand.ads} == {"meta", "google", "customer"}
        assert {ad.format for ad in brand.ads} == {"image", "video", "carousel", "text"}
        assert any(ad.removed for ad in brand.ads)
        assert any(ad.youtube_id and not ad.creatives for ad in brand.ads if ad.network == "google")
        assert any(len(ad.creatives) >= 3 for ad in brand.ads if ad.format == "carousel")
        assert brand.domain.endswith(".example")
        assert all(ad.landing_url.startswith(f"https://www.{brand.domain}/") for ad in brand.ads)
        assert brand.google_advertiser_id.startswith("AR")
        assert brand.meta_page_id.isdigit()


def test_ids_are_unique_and_every_creative_is_used_and_exists(folder: Path, world: World) -> None:
    ads = [ad for brand in world.brands for ad in brand.ads]
    assert len({ad.id for ad in ads}) == len(ads)
    used = Counter(name for ad in ads for name in ad.creatives)
    assert set(used) == {creative.id for creative in world.creatives}
    assert max(used.values()) > 1, "some creative runs in several ads"
    for creative in world.creatives:
        assert hashlib.sha256(media(folder, creative).read_bytes()).hexdigest() == creative.sha256


def test_dates_lead_up_to_the_day_the_world_was_made(world: World) -> None:
    for brand in world.brands:
        for ad in brand.ads:
            assert ad.started_on <= MADE_ON
            assert ad.stopped_on is None or ad.started_on <= ad.stopped_on <= MADE_ON
        assert 0 < sum(ad.stopped_on is None for ad in brand.ads) < len(brand.ads)


def test_every_picture_opens_and_is_what_the_world_says(folder: Path, world: World, truths: dict[str, Truth]) -> None:
    for creative in pictures(world):
        with Image.open(media(folder, creative)) as picture:
            picture.load()
            assert picture.size == (creative.width, creative.height)
            assert Image.MIME[picture.format or ""] == creative.content_type
            assert getattr(picture, "n_frames", 1) == truths[creative.id].frames
    kinds = {creative.content_type for creative in pictures(world)}
    assert {"image/jpeg", "image/png", "image/webp"} <= kinds
    assert len({creative.width / creative.height for creative in pictures(world)}) >= 4


def test_pictures_are_like_photos_and_not_flat(folder: Path, world: World) -> None:
    for creative in pictures(world):
        with Image.open(media(folder, creative)) as picture:
            pixels = np.asarray(picture.convert("L"), np.float32)
        assert pixels.std() > 12
        assert len(np.unique(pixels)) > 40


def test_every_clip_plays_with_the_cuts_and_the_sound_that_the_truth_names(
    folder: Path, world: World, truths: dict[str, Truth]
) -> None:
    for creative in clips(world):
        truth = truths[creative.id]
        with av.open(str(media(folder, creative))) as container:
            frames = [frame.to_ndarray(format="gray").astype(np.float32) for frame in container.decode(video=0)]
            rate = container.streams.video[0].average_rate
            assert (len(container.streams.audio) > 0) is truth.has_sound
        assert rate is not None
        assert len(frames) == truth.frames
        assert frames[0].shape == (creative.height, creative.width)
        assert creative.duration_s is not None
        assert 3 <= creative.duration_s <= 7.9
        jumps = [float(np.abs(after - before).mean()) for before, after in itertools.pairwise(frames)]
        cuts = {at + 1 for at, jump in enumerate(jumps) if jump > 6 * float(np.median(jumps)) + 2}
        assert cuts == {round(cut * float(rate)) for cut in truth.cuts_s}


def test_some_clips_have_sound_that_is_heard(folder: Path, world: World, truths: dict[str, Truth]) -> None:
    loud = [creative for creative in clips(world) if truths[creative.id].has_sound]
    assert loud
    with av.open(str(media(folder, loud[0]))) as container:
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])
    assert samples.std() > 0.02


def test_boxes_lie_within_the_picture_and_hold_ink(folder: Path, world: World, truths: dict[str, Truth]) -> None:
    for creative in pictures(world):
        truth = truths[creative.id]
        assert set(truth.boxes) == {"headline", "price", "button", "product"}
        with Image.open(media(folder, creative)) as picture:
            pixels = np.asarray(picture.convert("L"), np.float32)
        for name, (left, top, right, bottom) in truth.boxes.items():
            assert 0 <= left < right <= creative.width, (creative.id, name)
            assert 0 <= top < bottom <= creative.height, (creative.id, name)
            assert pixels[top:bottom, left:right].std() > 8, (creative.id, name)


def test_world_and_truth_say_the_same_words(world: World, truths: dict[str, Truth]) -> None:
    assert set(truths) == {creative.id for creative in world.creatives}
    for creative in world.creatives:
        truth = truths[creative.id]
        assert (truth.headline, truth.price, truth.language) == (creative.headline, creative.price, creative.language)
        assert truth.headline
        assert truth.price
        assert truth.button
        assert truth.same_as == creative.same_as


def test_repeats_are_what_they_are_said_to_be(folder: Path, world: World, truths: dict[str, Truth]) -> None:
    creatives = {creative.id: creative for creative in world.creatives}
    relations = Counter(truth.relation for truth in truths.values())
    assert min(relations["exact"], relations["recompressed"], relations["resized"]) >= 2
    for truth in truths.values():
        if truth.same_as is None:
            continue
        copy, origin = creatives[truth.id], creatives[truth.same_as]
        assert (copy.sha256 == origin.sha256) is (truth.relation == "exact")
        assert copy.file != origin.file
        assert (copy.width < origin.width) is (truth.relation == "resized")
        alike = [_thumbnail(media(folder, creative)) for creative in (copy, origin)]
        assert np.abs(alike[0] - alike[1]).mean() < 6
    distinct = {creative.sha256 for creative in world.creatives}
    assert len(distinct) == len(world.creatives) - relations["exact"]


def test_one_creative_runs_at_two_brands(truths: dict[str, Truth]) -> None:
    assert any(truth.same_as and truths[truth.same_as].brand != truth.brand for truth in truths.values())


def test_ads_speak_several_languages_and_scripts(world: World) -> None:
    ads = [ad for brand in world.brands for ad in brand.ads]
    assert len({ad.languages for ad in ads}) >= 3
    assert not all(body.isascii() for ad in ads for body in ad.bodies)


def test_pillows_own_font_draws_without_accents_and_leaves_other_scripts_out() -> None:
    plain = Typeface()
    assert plain.spell("Größe für 20 €") == "Groesse fuer 20 EUR"
    assert plain.spell("été à l'œil"[:5]) == "ete a"
    assert plain.spell("Κυριακή") == ""


def test_a_world_can_be_drawn_with_pillows_own_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("cannot open resource")

    monkeypatch.setattr(ImageFont, "truetype", _only_from_memory(ImageFont.truetype, refuse))
    world = generate(tmp_path, seed=1, brands=1, ads=1, made_on=MADE_ON)
    assert all(creative.headline.isascii() and creative.price.isascii() for creative in world.creatives)


def test_the_customers_database_feeds_the_customer_source(world: World, tmp_path: Path) -> None:
    path = tmp_path / "customer.sqlite"
    count = write_customer_db(world, path, lambda file: f"http://127.0.0.1:9/m/{file}?sig=1,2")
    expected = {ad.id: ad for brand in world.brands for ad in brand.ads if ad.network == "customer"}
    assert count == len(expected) > 0
    settings = CustomerDbSettings(
        url=f"sqlite:///{path}",
        owner_org_id="org-1",
        query="select * from ads where brand = :handle",
        columns=Columns(
            id="id", bodies=("body",), titles=("headline",), images=("image_url",), videos=("video_url",),
            landing_url="landing_url", platforms="platforms", started_on="starts_on", stopped_on="ends_on",
        ),
        cursor_column="updated_at",
    )  # fmt: skip

    async def read() -> list[Ad]:
        context = Context("customer_db", settings, now=lambda: datetime(2026, 6, 2, tzinfo=UTC))
        brand = Brand(id="x", handles={"customer_db": tuple(brand.id for brand in world.brands)})
        return [ad async for page in CustomerDb().pages(context, brand, None) for ad in page.ads]

    found = {ad.id: ad for ad in asyncio.run(read())}
    assert set(found) == set(expected)
    for name, ad in found.items():
        assert len(ad.media) == len(expected[name].creatives)
        assert (ad.bodies, ad.started_on) == (expected[name].bodies, expected[name].started_on)
        assert ad.platforms == expected[name].platforms


def test_the_command_writes_everything_and_signs_addresses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    origin = "http://127.0.0.1:8123"
    main([str(tmp_path), "--brands", "1", "--ads", "5", "--made-on", "2026-06-01", "--media-origin", origin])
    assert "1 brands, 5 ads" in capsys.readouterr().err
    assert load_world(tmp_path).made_on == MADE_ON
    with closing(sqlite3.connect(tmp_path / "customer.sqlite")) as link:
        ((url,),) = link.execute("select image_url from ads").fetchall()
    assert url.startswith(f"{origin}/m/")
    assert "&sig=" in url


def test_the_command_refuses_a_world_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(tmp_path), "--ads", "0"])
    assert caught.value.code == 2
    assert "both must be at least 1" in capsys.readouterr().err


def _thumbnail(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    with Image.open(path) as picture:
        small = picture.convert("L").resize((32, 32), Image.Resampling.BOX)
    return np.asarray(small, np.float32)


def _only_from_memory(real: object, refuse: object) -> object:
    """Fonts by name are refused, Pillow's own (a file in memory) is not."""

    def truetype(font: object = None, *rest: object, **more: object) -> object:
        chosen = refuse if isinstance(font, str) else real
        return chosen(font, *rest, **more)  # type: ignore[operator]  # both are functions

    return truetype
