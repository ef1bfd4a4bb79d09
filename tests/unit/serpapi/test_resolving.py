from __future__ import annotations

from pathlib import Path

import pytest

from adology import Media
from tests.unit.serpapi.rig import Rig, ads_of, make_ad, make_brand
from upstreams.media import MediaServer
from upstreams.serpapi import SerpApiRules

pytestmark = pytest.mark.anyio


async def test_an_expired_address_is_found_anew_past_the_cache_for_one_search(tmp_path: Path) -> None:
    (tmp_path / "v1.mp4").write_bytes(b"moving")
    media_server = MediaServer(tmp_path, ttl_s=60)
    async with media_server, Rig(make_brand([make_ad(1, "video")]), url_for=media_server.url_for) as rig:
        media_server.clock = rig.clock
        ad = next(iter(ads_of(await rig.gather()).values()))
        old = ad.media[0]
        rig.clock.pass_time(minutes=5)
        assert await status_of(rig, old.url) == 403
        fresh = await rig.resolve(ad, old)
        assert fresh is not None
        assert await status_of(rig, fresh.url) == 200
        assert (fresh.kind, fresh.position) == (old.kind, old.position)
        assert rig.server.searches_paid == 3


async def test_the_same_address_again_is_no_fresh_one() -> None:
    async with Rig(make_brand([make_ad(1, "video")])) as rig:
        ad = next(iter(ads_of(await rig.gather()).values()))
        assert await rig.resolve(ad, ad.media[0]) is None


async def test_each_picture_of_an_ad_is_found_at_its_own_place(tmp_path: Path) -> None:
    media_server = MediaServer(tmp_path, ttl_s=60)
    brand = make_brand([make_ad(1, creatives=("i1", "i2", "i3"))])
    rules = SerpApiRules(pictureless=100)
    async with media_server, Rig(brand, rules=rules, url_for=media_server.url_for) as rig:
        media_server.clock = rig.clock
        ad = next(iter(ads_of(await rig.gather()).values()))
        rig.clock.pass_time(minutes=5)
        for media in ad.media:
            fresh = await rig.resolve(ad, media)
            assert fresh is not None
            assert fresh.url.partition("?")[0] == media.url.partition("?")[0]


async def test_a_youtube_video_has_no_address_to_find() -> None:
    async with Rig(make_brand([make_ad(1, "video", youtube_id="dQw4w9WgXcQ")])) as rig:
        ad = next(iter(ads_of(await rig.gather()).values()))
        paid = rig.server.searches_paid
        assert await rig.resolve(ad, ad.media[0]) is None
        assert rig.server.searches_paid == paid


async def test_what_google_shows_no_more_has_no_fresh_address() -> None:
    async with Rig(make_brand([make_ad(1)])) as rig:
        ad = next(iter(ads_of(await rig.gather()).values()))
        rig.fail("no_results")
        assert await rig.resolve(ad, Media(url="https://cdn.example/old.png", kind="image")) is None


async def status_of(rig: Rig, url: str) -> int:
    answer = await rig.context().send("GET", url)
    return answer.status
