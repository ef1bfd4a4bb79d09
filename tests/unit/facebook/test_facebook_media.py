"""Media through the snapshots: what is found, what is recorded when nothing is, and fresh addresses."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import aiohttp
import pytest

from adology import Ad, ConfigError, Media, RetryLater
from tests.unit.facebook.conftest import Rig
from tests.unit.upstreams.meta_world import make_ad, make_ads, make_world, varied_world, with_ads
from upstreams.faults import FOREVER, Fault
from upstreams.meta.snapshots import SHAPES, Shape

pytestmark = pytest.mark.anyio


async def _sha256(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200, url
        return hashlib.sha256(await answer.read()).hexdigest()


def _by_number(ads: list[Ad]) -> dict[int, Ad]:
    return {int(ad.id) - 700_000_000_000_000: ad for ad in ads}


@pytest.mark.parametrize("shape", SHAPES)
async def test_each_kind_of_ad_has_its_media_however_the_page_embeds_it(rig: Rig, shape: Shape) -> None:
    world = varied_world(rig.folder)
    await rig.serve(world, shape=shape)
    await rig.gather()
    ads = _by_number(rig.ads)
    assert {number: ad.outcome() for number, ad in ads.items()} == {
        1: "media", 2: "media", 3: "media", 4: "text_only", 5: "removed", 6: "text_only",
    }  # fmt: skip

    def shown(number: int) -> list[tuple[str, str, int]]:
        return [(media.kind, media.role, media.position) for media in ads[number].media]

    assert shown(1) == [("image", "creative", 0)]
    assert shown(2) == [("video", "creative", 0), ("image", "preview", 0)]
    assert shown(3) == [
        ("image", "creative", 0), ("video", "creative", 1), ("image", "preview", 1), ("image", "creative", 2),
    ]  # fmt: skip
    files = {creative.id: creative.sha256 for creative in world.creatives}
    creatives = [media for media in ads[3].media if media.role == "creative"]
    assert [await _sha256(media.url) for media in creatives] == [files["image1"], files["clip"], files["image2"]]


async def test_the_profile_picture_is_no_creative(rig: Rig) -> None:
    await rig.serve(varied_world(rig.folder))
    await rig.gather()
    assert not any("profile" in media.url for ad in rig.ads for media in ad.media)


async def test_a_removed_ad_is_recorded_as_such_and_has_no_copy(rig: Rig) -> None:
    await rig.serve(varied_world(rig.folder))
    await rig.gather()
    removed = _by_number(rig.ads)[5]
    assert (removed.media_outcome, removed.media, removed.bodies, removed.titles) == ("removed", (), (), ())
    assert removed.id not in rig.snapshots, "the record has said it: no snapshot needed"


async def test_a_page_that_says_removed_is_told_from_a_text_ad(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(1)))
    rig.meta.faults.add(Fault(kind="removed_snapshot"))
    await rig.gather()
    assert rig.ads[0].media_outcome == "removed"


@pytest.mark.parametrize(
    ("fault", "outcome", "reason"),
    [
        (Fault(kind="skeleton_snapshot"), "unresolved", "no embedded data"),
        (Fault(kind="wrong_snapshot"), "unresolved", "the page shows another ad"),
        (Fault(kind="html", path="/ads/"), "unresolved", "no embedded data"),
        (Fault(kind="redirect", path="/ads/", detail="/login/?next=x"), "unresolved", "302 towards /login/"),
        (Fault(kind="http_404", path="/ads/"), "unavailable", "answered 404"),
        (Fault(kind="http_410", path="/ads/"), "unavailable", "answered 410"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else None,
)
async def test_media_that_cannot_be_found_are_recorded_with_the_reason(
    rig: Rig, fault: Fault, outcome: str, reason: str
) -> None:
    ads = [make_ad(1, format="image", creatives=("image0",)), make_ad(2), make_ad(3, creatives=("image1",))]
    await rig.serve(with_ads(varied_world(rig.folder), ads))
    rig.meta.faults.add(fault)
    await rig.gather(snapshot_concurrency=1)
    first, second, third = rig.ads
    assert (first.media_outcome, first.media) == (outcome, ())
    assert reason in first.raw["media_reason"]
    assert (second.media_outcome, third.media_outcome) == ("text_only", "media")


async def test_a_jump_of_unresolved_media_is_warned_about(rig: Rig, logged: io.StringIO) -> None:
    await rig.serve(make_world(make_ads(5)))
    rig.meta.faults.add(Fault(kind="skeleton_snapshot", times=FOREVER))
    await rig.gather()
    text = logged.getvalue()
    assert '"level":"WARNING","msg":"media not found"' in text
    assert '"unresolved":5,"ads":5' in text


async def test_no_snapshot_is_read_when_media_are_switched_off(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)))
    await rig.gather(media="none")
    assert rig.snapshots == []
    assert {ad.media_outcome for ad in rig.ads} == {"unresolved"}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="blocked_snapshot", after=6),
        Fault(kind="blocked_snapshot", after=6, detail="403"),
        Fault(kind="http_429", path="/ads/", after=6, seconds=40),
    ],
    ids=["page", "403", "429"],
)
async def test_a_block_in_the_middle_of_a_page_keeps_what_was_read_and_goes_on_later(rig: Rig, fault: Fault) -> None:
    ads = make_ads(20)
    await rig.serve(make_world(ads))
    rig.meta.faults.add(fault)
    with pytest.raises(RetryLater, match="the snapshot site blocks us") as caught:
        await rig.gather(snapshot_concurrency=1, snapshot_pause_s=99.0)
    assert caught.value.seconds == (40 if fault.seconds else 99)
    assert len(rig.ads) == 6
    rig.pacers = type(rig.pacers)(lambda: 0.0)  # the pause is over
    await rig.gather(resume=rig.pages[-1].resume)
    assert sorted(ad.id for ad in rig.ads) == sorted(ad.id for ad in ads)
    assert len(rig.snapshots) == 21, "only the blocked one is read again"
    assert rig.pages[-1].cursor is not None


async def test_a_block_at_the_first_snapshot_hands_over_nothing(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(3)))
    rig.meta.faults.add(Fault(kind="blocked_snapshot"))
    with pytest.raises(RetryLater):
        await rig.gather(snapshot_concurrency=1)
    assert rig.pages == []


async def test_a_block_of_snapshots_does_not_pause_the_api(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(3)))
    rig.meta.faults.add(Fault(kind="blocked_snapshot"))
    with pytest.raises(RetryLater):
        await rig.gather()
    await rig.source.check(rig.context())


async def test_an_ad_of_overlapping_slices_has_its_snapshot_read_once(rig: Rig) -> None:
    ads = make_ads(30, countries=("DE", "FR"))
    await rig.serve(make_world(ads), loose=False)
    await rig.gather(limit=10, max_slice_rows=20, countries=["DE", "FR"])
    assert len(rig.calls) > 5
    assert sorted(rig.snapshots) == sorted(ad.id for ad in ads)


async def test_resolve_gives_a_fresh_address_for_an_expired_one(rig: Rig) -> None:
    world = varied_world(rig.folder)
    await rig.serve(world)
    await rig.gather()
    ad = _by_number(rig.ads)[3]
    rig.clock.move(601)
    async with aiohttp.ClientSession() as session, session.get(ad.media[1].url) as answer:
        assert answer.status == 403
    files = {creative.id: creative.sha256 for creative in world.creatives}
    for media, name in ((ad.media[0], "image1"), (ad.media[1], "clip"), (ad.media[3], "image2")):
        fresh = await rig.source.resolve(rig.context(), Ad(id=ad.id), media)
        assert fresh is not None
        assert fresh.url != media.url
        assert await _sha256(fresh.url) == files[name]
    preview = await rig.source.resolve(rig.context(), Ad(id=ad.id), ad.media[2])
    assert preview is not None
    assert (preview.role, preview.position) == ("preview", 1)


async def test_resolve_finds_nothing_for_an_ad_that_was_removed_meanwhile(rig: Rig) -> None:
    await rig.serve(varied_world(rig.folder))
    media = Media(url="http://gone.test/1.jpg", kind="image")
    assert await rig.source.resolve(rig.context(), Ad(id=make_ad(5).id), media) is None
    assert await rig.source.resolve(rig.context(), Ad(id="1"), media) is None


async def test_a_browser_that_is_not_installed_is_a_setting_to_change(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.serve(make_world(make_ads(1)))
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None if name == "playwright" else tmp_path)
    with pytest.raises(ConfigError, match=r"Install adology\[browser\]") as caught:
        await rig.gather(media="browser")
    assert caught.value.setting == "sources.facebook.media"
