from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from adology import ConfigError, Page, Terminal
from adology.http import Answer
from tests.unit.serpapi.rig import ACME, OTHER, TODAY, Rig, ads_of, make_ad, make_brand, mixed_ads
from upstreams.serpapi import SerpApiRules

pytestmark = pytest.mark.anyio


async def test_every_ad_is_found_once_over_many_pages() -> None:
    ads = [make_ad(n) for n in range(23)]
    async with Rig(make_brand(ads)) as rig:
        pages = await rig.gather(num=5)
        ids = [ad.id for page in pages for ad in page.ads]
        assert sorted(ids) == sorted(ad.id for ad in ads)
        assert len(rig.searches()) == 5
        assert [page.cursor for page in pages] == [None, None, None, None, TODAY]


async def test_an_image_ad_costs_no_details_search() -> None:
    async with Rig(make_brand([make_ad(1), make_ad(2, "text")])) as rig:
        found = ads_of(await rig.gather())
        assert rig.searches("details") == []
        assert {ad.media[0].url for ad in found.values()} == {
            "https://cdn.example/i1.png",
            "https://cdn.example/i2.png",
        }
        assert {ad.outcome() for ad in found.values()} == {"media"}


async def test_videos_get_details_and_youtube_ids_are_recorded() -> None:
    video, youtube = make_ad(1, "video"), make_ad(2, "video", youtube_id="dQw4w9WgXcQ")
    async with Rig(make_brand([video, youtube])) as rig:
        found = ads_of(await rig.gather())
        assert len(rig.searches("details")) == 2
        file = found[video.id].media[0]
        assert (file.url, file.kind, found[video.id].outcome()) == ("https://cdn.example/v1.mp4", "video", "media")
        tube = found[youtube.id].media[0]
        assert (tube.url, tube.external_id) == ("youtube:dQw4w9WgXcQ", "dQw4w9WgXcQ")
        assert found[youtube.id].outcome() == "unavailable"
        assert found[youtube.id].bodies == ("Body 2",)


async def test_a_picture_that_the_list_lacks_comes_from_the_details() -> None:
    ad = make_ad(1, creatives=("i1", "i2"))
    async with Rig(make_brand([ad]), rules=SerpApiRules(pictureless=100)) as rig:
        found = ads_of(await rig.gather())[ad.id]
        assert [(m.url, m.position) for m in found.media] == [
            ("https://cdn.example/i1.png", 0),
            ("https://cdn.example/i2.png", 1),
        ]


async def test_an_id_that_comes_as_a_number_is_bought_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer.find_json

    def numbered(self: Answer[Any]) -> Any:
        body = answer(self)
        for row in body.get("ad_creatives", []) if isinstance(body, dict) else []:
            if "ad_creative_id" in row:
                row["ad_creative_id"] = int(row["ad_creative_id"].removeprefix("CR"))
        return body

    monkeypatch.setattr(Answer, "find_json", numbered)
    async with Rig(make_brand([make_ad(1, "video")])) as rig:
        assert list(ads_of(await rig.gather(max_searches=5))) == ["1"]
        assert len(rig.searches("details")) == 1


async def test_details_never_costs_nothing_and_says_so() -> None:
    async with Rig(make_brand(mixed_ads(8))) as rig:
        found = ads_of(await rig.gather(details="never"))
        assert rig.searches("details") == []
        videos = [ad for ad in found.values() if ad.format == "video"]
        assert len(found) == 8
        assert {ad.outcome() for ad in videos} == {"unresolved"}
        assert all("details are switched off" in ad.raw["media_reason"] for ad in videos)


async def test_details_always_asks_for_every_ad() -> None:
    async with Rig(make_brand(mixed_ads(8))) as rig:
        await rig.gather(details="always")
        assert len(rig.searches("details")) == 8


async def test_a_creative_that_google_does_not_show_is_unresolved_with_its_reason() -> None:
    async with Rig(make_brand([make_ad(1, removed=True), make_ad(2)])) as rig:
        found = ads_of(await rig.gather())
        gone = found[make_ad(1).id]
        assert gone.outcome() == "unresolved"
        assert "hasn't returned any" in gone.raw["media_reason"]


async def test_a_brand_without_ads_is_empty_with_a_cursor_not_an_error() -> None:
    async with Rig(make_brand([make_ad(1)])) as rig:
        pages = await rig.gather((OTHER,))
        assert [(page.ads, page.cursor) for page in pages] == [((), TODAY)]


async def test_a_brand_without_handles_asks_nothing() -> None:
    async with Rig(make_brand([make_ad(1)])) as rig:
        pages = await rig.gather(())
        assert (rig.searches(), [page.ads for page in pages]) == ([], [()])


async def test_advertisers_share_a_search_and_domains_have_their_own() -> None:
    other = make_brand([make_ad(2)], advertiser=OTHER, name="Other", domain="other.example")
    third = make_brand([make_ad(3)], advertiser="AR10000000000000000003", name="Third", domain="third.example")
    async with Rig(make_brand([make_ad(1)]), other, third) as rig:
        found = ads_of(await rig.gather((ACME, OTHER, ACME, "https://www.third.example/shop")))
        assert len(found) == 3
        assert [entry.query.get("advertiser_id", entry.query.get("text")) for entry in rig.searches()] == [
            f"{ACME},{OTHER}",
            "third.example",
        ]


async def test_a_domain_search_leaves_out_strays_of_other_domains() -> None:
    shop = make_brand([make_ad(2)], advertiser=OTHER, name="Shop", domain="shop.acme.example")
    stray = make_brand([make_ad(3)], advertiser="AR10000000000000000003", name="Stray", domain="notacme.example")
    async with Rig(make_brand([make_ad(1)]), shop, stray) as rig:
        found = ads_of(await rig.gather(("acme.example",)))
        assert sorted(found) == [make_ad(1).id, make_ad(2).id]


async def test_regions_and_platforms_are_queries_of_their_own() -> None:
    ads = [make_ad(1, countries=("US",)), make_ad(2, countries=("DE",)), make_ad(3, countries=("FR",))]
    async with Rig(make_brand(ads)) as rig:
        found = ads_of(await rig.gather(regions=(2840, 2276), platforms=("SEARCH", "YOUTUBE")))
        asked = [(entry.query["region"], entry.query["platform"]) for entry in rig.searches()]
        assert asked == [("2840", "SEARCH"), ("2840", "YOUTUBE"), ("2276", "SEARCH"), ("2276", "YOUTUBE")]
        assert {ad.countries: ad.platforms for ad in found.values()} == {("US",): ("search",), ("DE",): ("search",)}


async def test_details_found_in_one_region_are_not_bought_again_in_the_next() -> None:
    async with Rig(make_brand([make_ad(1, "video")])) as rig:
        await rig.gather(regions=(2840, 2276))
        assert len(rig.searches("list")) == 2
        assert len(rig.searches("details")) == 1


async def test_the_first_gathering_looks_back_and_a_later_one_from_its_cursor_minus_the_lag() -> None:
    running = make_ad(1, started_on=TODAY - timedelta(days=300))
    late = make_ad(2, started_on=TODAY - timedelta(days=90), stopped_on=TODAY - timedelta(days=6))
    old = make_ad(3, started_on=TODAY - timedelta(days=90), stopped_on=TODAY - timedelta(days=40))
    async with Rig(make_brand([running, late, old])) as rig:
        assert sorted(ads_of(await rig.gather(lookback_days=60))) == [running.id, late.id, old.id]
        assert sorted(ads_of(await rig.gather(lookback_days=30))) == [running.id, late.id]
        assert sorted(ads_of(await rig.gather(since=TODAY - timedelta(days=4)))) == [running.id, late.id]
        assert sorted(ads_of(await rig.gather(since=TODAY - timedelta(days=3)))) == [running.id]
        assert rig.searches()[-1].query["start_date"] == f"{TODAY - timedelta(days=5):%Y%m%d}"


async def test_a_lookback_of_nothing_asks_for_all_time() -> None:
    async with Rig(make_brand([make_ad(1)])) as rig:
        await rig.gather(lookback_days=0)
        assert not {"start_date", "end_date"} & set(rig.searches()[0].query)


async def test_handles_of_another_kind_are_named_and_the_others_gathered() -> None:
    async with Rig(make_brand([make_ad(1)])) as rig:
        with pytest.raises(Terminal, match=r"'Acme Inc\.', 'AR12' are neither advertiser ids .* nor domains"):
            await rig.gather(("Acme Inc.", "AR12"))
        pages: list[Page[date]] = []
        with pytest.raises(Terminal, match=r"'Acme Inc\.'"):
            await rig.gather(("Acme Inc.", ACME), into=pages)
        assert len(ads_of(pages)) == 1
        assert [page.cursor for page in pages] == [None]


async def test_political_ads_without_a_region_is_a_setting_to_change() -> None:
    async with Rig(make_brand([make_ad(1)])) as rig:
        with pytest.raises(ConfigError, match=r"serpapi\.political_ads: is true without any region"):
            await rig.gather(political_ads=True)
        assert rig.searches() == []


async def test_an_unknown_region_is_refused_by_name() -> None:
    async with Rig(make_brand([make_ad(1)])) as rig:
        with pytest.raises(Terminal, match="Unsupported `4711` region parameter"):
            await rig.gather(regions=(4711,))


async def test_a_refused_advertiser_does_not_take_the_others_with_it() -> None:
    other = make_brand([make_ad(2)], advertiser=OTHER, name="Other", domain="other.example")
    async with Rig(make_brand([make_ad(1)]), other) as rig:
        rig.fail("error_200", detail="Invalid `advertiser_id` parameter.")
        found = ads_of(await rig.gather((ACME, OTHER)))
        assert len(found) == 2
        assert [entry.query["advertiser_id"] for entry in rig.searches()] == [f"{ACME},{OTHER}", ACME, OTHER]


async def test_max_pages_stops_with_what_is_left_named() -> None:
    async with Rig(make_brand([make_ad(n) for n in range(10)])) as rig:
        pages: list[Page[date]] = []
        with pytest.raises(Terminal, match=r"stopped after 2 searches \(setting max_pages\)"):
            await rig.gather(num=3, max_pages=2, into=pages)
        assert len(ads_of(pages)) == 6
        assert all(page.cursor is None for page in pages)


async def test_the_search_budget_holds_for_lists_and_details_together() -> None:
    ads = [make_ad(n, "video") for n in range(10)]
    async with Rig(make_brand(ads)) as rig:
        pages: list[Page[date]] = []
        with pytest.raises(Terminal, match=r"4 ads without details and 1 queries unfinished: max_searches = 6"):
            await rig.gather(num=4, max_searches=6, into=pages)
        found = ads_of(pages)
        assert rig.server.searches_paid == 6
        assert (len(rig.searches("list")), len(rig.searches("details")), len(found)) == (2, 4, 8)
        assert all(page.cursor is None for page in pages)
        left = [ad for ad in found.values() if ad.outcome() == "unresolved"]
        assert {ad.raw["media_reason"] for ad in left} == {"no details: max_searches = 6 is reached"}
        assert len(found) - len(left) == len(rig.searches("details"))


async def test_a_budget_that_just_suffices_is_no_fault() -> None:
    async with Rig(make_brand([make_ad(n, "video") for n in range(4)])) as rig:
        pages = await rig.gather(max_searches=5)
        assert len(ads_of(pages)) == 4
        assert pages[-1].cursor == TODAY
