from __future__ import annotations

from datetime import date

import pytest

from adology import Page, Retry, RetryLater, Terminal
from tests.unit.serpapi.rig import ACME, OTHER, TODAY, Rig, ads_of, make_ad, make_brand, mixed_ads
from upstreams.serpapi import SerpApiRules
from upstreams.world import WorldBrand

pytestmark = pytest.mark.anyio

REGIONS = (2840, 2276)


def brands() -> tuple[WorldBrand, ...]:
    return make_brand(mixed_ads(26)), make_brand([make_ad(90)], advertiser=OTHER, name="Other", domain="other.example")


async def test_killed_after_any_page_it_loses_nothing_and_pays_for_nothing_twice() -> None:
    handles = (ACME, "other.example")
    no_cache = SerpApiRules(pictureless=30, cache_ttl_s=0.0)
    async with Rig(*brands(), rules=no_cache) as rig:
        whole = await rig.gather(handles, num=7, regions=REGIONS)
        wanted, paid = ads_of(whole), rig.server.searches_paid
        assert len(wanted) == 27
        for kill_at in range(1, len(whole)):
            rig.server.reset()
            first = await rig.gather(handles, num=7, regions=REGIONS, stop_after=kill_at)
            rest = await rig.gather(handles, num=7, regions=REGIONS, resume=first[-1].resume)
            assert ads_of([*first, *rest]) == wanted
            assert rest[-1].cursor == TODAY
            asked = [tuple(sorted(entry.query.items())) for entry in rig.searches()]
            same_place = [query for query in asked if "next_page_token" not in dict(query)]
            assert len(same_place) == len(set(same_place))
            assert rig.server.searches_paid == paid


async def test_resumed_at_every_single_page_it_still_ends_with_the_same_ads() -> None:
    async with Rig(make_brand(mixed_ads(20)), rules=SerpApiRules(cache_ttl_s=0.0)) as rig:
        wanted, paid = ads_of(await rig.gather(num=6)), rig.server.searches_paid
        rig.server.reset()
        pages: list[Page[date]] = []
        while not pages or pages[-1].cursor is None:
            pages += await rig.gather(num=6, resume=pages[-1].resume if pages else None, stop_after=1)
        assert ads_of(pages) == wanted
        assert rig.server.searches_paid == paid


async def test_details_bought_before_a_fault_are_kept() -> None:
    async with Rig(make_brand([make_ad(n, "video") for n in range(6)])) as rig:
        rig.fail("throughput_429", after=4)
        pages: list[Page[date]] = []
        with pytest.raises(RetryLater):
            await rig.gather(details_concurrency=1, into=pages)
        assert [len(page.ads) for page in pages] == [0, 3]
        rig.restart()
        pages += await rig.gather(resume=pages[-1].resume)
        assert len(ads_of(pages)) == 6
        assert rig.server.searches_paid == 7


async def test_an_expired_page_token_starts_its_slice_over_once() -> None:
    rules = SerpApiRules(pictureless=0, token_ttl_s=600, cache_ttl_s=0)
    async with Rig(make_brand(mixed_ads(20)), rules=rules) as rig:
        first = await rig.gather(num=8, stop_after=2)
        details = len(rig.searches("details"))
        rig.clock.pass_time(minutes=20)
        rest = await rig.gather(num=8, resume=first[-1].resume)
        assert len(ads_of([*first, *rest])) == 20
        assert rest[-1].cursor == TODAY
        # The lists are paid again, the details of the first page are not.
        assert len(rig.searches("details")) == 10
        assert details == 4


async def test_an_expired_token_that_looks_like_an_empty_answer_starts_over_too() -> None:
    rules = SerpApiRules(pictureless=0, token_ttl_s=600, cache_ttl_s=0, stale_page="empty")
    async with Rig(make_brand([make_ad(n) for n in range(20)]), rules=rules) as rig:
        first = await rig.gather(num=8, stop_after=1)
        rig.clock.pass_time(minutes=20)
        rest = await rig.gather(num=8, resume=first[-1].resume)
        assert len(ads_of([*first, *rest])) == 20


async def test_a_token_that_is_refused_again_and_again_ends_the_slice_not_the_money() -> None:
    async with Rig(make_brand([make_ad(n) for n in range(20)])) as rig:
        rig.fail("token_expired", times=-1)
        pages: list[Page[date]] = []
        with pytest.raises(Terminal, match=f"refuses the query for {ACME}.*next_page_token"):
            await rig.gather(num=8, into=pages)
        assert len(ads_of(pages)) == 8
        assert len(rig.searches()) == 4


async def test_a_resume_token_of_another_version_starts_over() -> None:
    async with Rig(make_brand([make_ad(1)])) as rig:
        for token in ("", "{}", '{"todo": 1}', "not json"):
            assert len(ads_of(await rig.gather(resume=token))) == 1


async def test_a_failed_part_is_still_told_after_a_resume() -> None:
    async with Rig(make_brand([make_ad(n) for n in range(10)])) as rig:
        first = await rig.gather(("Acme Inc.", ACME), num=5, stop_after=2)
        with pytest.raises(Terminal, match=r"'Acme Inc\.'"):
            await rig.gather(("Acme Inc.", ACME), num=5, resume=first[-1].resume)


async def test_an_outage_in_the_middle_goes_on_at_the_page_it_hit() -> None:
    async with Rig(make_brand([make_ad(n) for n in range(20)])) as rig:
        rig.fail("error_503", after=2, times=4)
        pages: list[Page[date]] = []
        with pytest.raises(Retry, match="answered 503"):
            await rig.gather(num=8, into=pages)
        pages += await rig.gather(num=8, resume=pages[-1].resume)
        assert len(ads_of(pages)) == 20
        assert rig.server.searches_paid == 3
