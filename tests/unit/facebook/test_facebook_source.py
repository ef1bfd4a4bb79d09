from __future__ import annotations

import time
from collections import Counter
from datetime import date

import msgspec
import pytest

from adology import Brand, ConfigError, Retry, RetryLater, Terminal
from adology.errors import code_of
from adology.http.pacing import Pacers
from tests.unit.facebook.conftest import BRAND, Rig
from tests.unit.upstreams.meta_world import (
    OTHER_PAGE,
    PAGE,
    TODAY,
    days_ago,
    make_ad,
    make_ads,
    make_world,
    varied_world,
)
from upstreams.faults import FOREVER, Fault
from upstreams.meta import EXPIRED_TOKEN, FORBIDDEN_TOKEN, UNCONFIRMED_TOKEN
from upstreams.meta.paging import End

pytestmark = pytest.mark.anyio


# Finding everything


@pytest.mark.parametrize("end", ["no_paging", "no_next", "empty_data"])
async def test_every_ad_is_found_once_whatever_form_the_end_has(rig: Rig, end: End) -> None:
    ads = make_ads(73)
    await rig.serve(make_world(ads), ends=(end,))
    pages = await rig.gather(limit=10, media="none")
    assert Counter(ad.id for ad in rig.ads) == Counter(ad.id for ad in ads)
    assert [page.cursor for page in pages[:-1]] == [None] * (len(pages) - 1)
    assert pages[-1].cursor == TODAY


async def test_more_than_ten_pages_are_asked_for_ten_at_a_time(rig: Rig) -> None:
    handles = (PAGE, *(str(n) for n in range(300, 315)), OTHER_PAGE)
    await rig.serve(make_world(make_ads(3), other=make_ads(4, first=50)))
    await rig.gather(brand=Brand(id="acme", handles={"facebook": handles}), media="none")
    assert len({ad.id for ad in rig.ads}) == 7
    asked = [msgspec.json.decode(call.query["search_page_ids"]) for call in rig.calls]
    assert [len(ids) for ids in asked] == [10, 7]


async def test_a_slice_with_too_many_rows_is_cut_and_nothing_is_lost(rig: Rig, both_pages: Brand) -> None:
    own, other = make_ads(60), make_ads(60, first=100)
    await rig.serve(make_world(own, other=other))
    await rig.gather(brand=both_pages, limit=10, max_slice_rows=70, media="none")
    assert {ad.id for ad in rig.ads} == {ad.id for ad in (*own, *other)}
    asked = {call.query["search_page_ids"] for call in rig.calls}
    assert asked == {f'["{PAGE}","{OTHER_PAGE}"]', f'["{PAGE}"]', f'["{OTHER_PAGE}"]'}


async def test_a_walk_that_breaks_deep_down_is_cut_by_country_then_by_date(rig: Rig) -> None:
    ads = [
        make_ad(number, countries=countries, stopped_on=days_ago(number - 2))
        for numbers, countries in ((range(2, 40), ("DE",)), (range(40, 55), ("FR",)), (range(60, 64), ("DE", "FR")))
        for number in numbers
    ]
    await rig.serve(make_world(ads), max_rows=20)
    await rig.gather(limit=10, media="none", countries=["DE", "FR"])
    assert {ad.id for ad in rig.ads} == {ad.id for ad in ads}
    assert {call.query["ad_reached_countries"] for call in rig.calls} == {'["DE","FR"]', '["DE"]', '["FR"]'}
    assert len({call.query["ad_delivery_date_max"] for call in rig.calls}) > 1


async def test_stopped_ads_are_found_as_well_and_have_their_status(rig: Rig) -> None:
    stopped = make_ad(2, stopped_on=days_ago(1))
    ending = make_ad(3, stopped_on=date(2027, 1, 1))
    await rig.serve(make_world([make_ad(1), stopped, ending]))
    await rig.gather(media="none")
    assert {ad.id: ad.status for ad in rig.ads} == {make_ad(1).id: "active", stopped.id: "stopped", ending.id: "active"}


async def test_a_later_gathering_asks_for_what_ran_since_the_last_one_and_the_lag(rig: Rig) -> None:
    old = make_ad(40, started_on=days_ago(40), stopped_on=days_ago(30))
    running, late = make_ad(41, started_on=days_ago(40)), make_ad(6, stopped_on=days_ago(6))
    await rig.serve(make_world([old, running, late]))
    await rig.gather(since=days_ago(5), media="none")
    assert {ad.id for ad in rig.ads} == {running.id, late.id}
    assert rig.calls[0].query["ad_delivery_date_min"] == days_ago(7).isoformat()


async def test_a_brand_without_ads_gives_one_empty_page_with_the_cursor(rig: Rig) -> None:
    await rig.serve(make_world())
    pages = await rig.gather()
    assert [(page.ads, page.cursor) for page in pages] == [((), TODAY)]


async def test_an_ad_carries_what_the_record_and_the_snapshot_say(rig: Rig) -> None:
    await rig.serve(varied_world(rig.folder))
    await rig.gather()
    ad = next(ad for ad in rig.ads if ad.id == make_ad(1).id)
    assert (ad.advertiser, ad.advertiser_id) == ("Acme & Söhne", PAGE)
    assert ad.bodies == make_ad(1).bodies
    assert (ad.cta, ad.landing_url, ad.format) == ("Shop now", make_ad(1).landing_url, "image")
    assert (ad.platforms, ad.languages, ad.countries) == (("facebook", "instagram"), ("en",), ("DE",))
    assert (ad.started_on, ad.stopped_on, ad.reach) == (days_ago(1), None, 1001)
    assert ad.link == f"{rig.meta.origin}/ads/library/?id={ad.id}"


# Going on after a crash


async def test_resuming_after_each_page_loses_nothing_and_fetches_no_page_twice(rig: Rig) -> None:
    own, other = make_ads(31), make_ads(17, first=100)
    await rig.serve(make_world(own, other=other), loose=False)
    # Two slices, so that a crash between them is among the cases.
    brand = Brand(id="acme", handles={"facebook": (PAGE, *(str(n) for n in range(300, 309)), OTHER_PAGE)})
    resume = None
    while True:
        got = await rig.gather(brand=brand, pages=1, resume=resume, limit=7, media="none")
        if not got or got[0].cursor is not None:
            break
        resume = got[0].resume
    assert Counter(ad.id for ad in rig.ads) == Counter(ad.id for ad in (*own, *other))
    asked = [(call.query["search_page_ids"], call.query.get("after")) for call in rig.calls]
    assert len(set(asked)) == len(asked) == len(rig.pages)


async def test_a_token_of_the_last_page_asks_for_nothing_more(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)))
    (page,) = await rig.gather(media="none")
    calls = len(rig.calls)
    assert await rig.gather(resume=page.resume, media="none") == []
    assert len(rig.calls) == calls


async def test_a_token_of_another_version_starts_over(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)))
    await rig.gather(resume='{"page": 3}', media="none")
    assert len(rig.ads) == 5


async def test_a_gathering_keeps_its_first_day_when_it_goes_on_the_next(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(15)))
    (first,) = await rig.gather(pages=1, limit=10, media="none")
    token = (first.resume or "").replace(f'"began":"{TODAY}"', f'"began":"{days_ago(1)}"')
    pages = await rig.gather(resume=token, media="none", limit=10)
    assert pages[-1].cursor == days_ago(1)


async def test_an_expired_cursor_starts_the_slice_over_and_loses_nothing(rig: Rig) -> None:
    ads = make_ads(45)
    await rig.serve(make_world(ads))
    rig.meta.faults.add(Fault(kind="cursor_expired", after=2))
    await rig.gather(limit=10, media="none")
    assert {ad.id for ad in rig.ads} == {ad.id for ad in ads}
    assert sum("after" not in call.query for call in rig.calls) == 2


async def test_a_stored_cursor_that_expired_over_night_starts_the_slice_over(rig: Rig) -> None:
    ads = make_ads(45)
    await rig.serve(make_world(ads), cursor_ttl_s=3600)
    (first,) = await rig.gather(pages=1, limit=10, media="none")
    rig.clock.move(10_000)
    pages = await rig.gather(resume=first.resume, limit=10, media="none")
    assert {ad.id for ad in rig.ads} == {ad.id for ad in ads}
    assert pages[-1].cursor == TODAY


async def test_cursors_that_never_hold_end_the_slice_instead_of_going_on_for_ever(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(45)))
    rig.meta.faults.add(Fault(kind="cursor_expired", times=FOREVER))
    with pytest.raises(Terminal, match=r"incomplete: .*the cursor is not valid any more"):
        await rig.gather(limit=10, media="none")
    assert len(rig.calls) == 8  # one page and a refusal, four times
    assert all(page.cursor is None for page in rig.pages)


# Throttles and faults


@pytest.mark.parametrize("kind", ["rate_limit_app", "rate_limit_user", "rate_limit_613"])
async def test_a_throttle_stops_at_once_for_as_long_as_the_vendor_says(rig: Rig, kind: str) -> None:
    await rig.serve(make_world(make_ads(35)))
    rig.meta.faults.add(Fault(kind=kind, after=1, seconds=300))
    with pytest.raises(RetryLater) as caught:
        await rig.gather(limit=10, media="none")
    assert caught.value.seconds == 300
    assert len(rig.calls) == 2, "a throttle must not be asked again"
    assert len(rig.pages) == 1
    with pytest.raises(RetryLater):  # the pause holds for everybody in this process
        await rig.gather(limit=10, media="none")
    assert len(rig.calls) == 2


async def test_a_throttle_without_a_time_pauses_as_the_settings_say(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)))
    rig.meta.faults.add(Fault(kind="rate_limit_613"))
    with pytest.raises(RetryLater) as caught:
        await rig.gather(media="none", throttle_pause_s=123.0)
    assert caught.value.seconds == 123.0


async def test_a_plain_429_is_a_throttle_too(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)))
    rig.meta.faults.add(Fault(kind="http_429", seconds=77))
    with pytest.raises(RetryLater) as caught:
        await rig.gather(media="none")
    assert caught.value.seconds == 77


async def test_usage_near_the_limit_pauses_before_the_vendor_refuses(rig: Rig) -> None:
    ads = make_ads(100)
    await rig.serve(make_world(ads), calls_per_hour=5, loose=False, cursor_ttl_s=86_400)
    with pytest.raises(RetryLater) as caught:
        await rig.gather(limit=10, media="none")
    assert len(rig.calls) == 5
    assert all(call.status == 200 for call in rig.calls)
    assert len(rig.ads) == 50, "the page that brought the news is handed over"
    assert 3500 < caught.value.seconds <= 3600
    rig.clock.move(3601)
    rig.pacers = Pacers(time.monotonic)  # an hour later
    await rig.gather(limit=10, media="none", resume=rig.pages[-1].resume)
    assert Counter(ad.id for ad in rig.ads) == Counter(ad.id for ad in ads)


async def test_usage_is_read_on_errors_too(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)), calls_per_hour=1)
    rig.meta.faults.add(Fault(kind="token_expired"))
    with pytest.raises(ConfigError):
        await rig.gather(media="none")
    assert rig.pacers.get(rig.context().credential_id(rig.token)).paused_s > 3000


@pytest.mark.parametrize("times", [1, 3])
async def test_a_passing_error_is_asked_again(rig: Rig, times: int) -> None:
    await rig.serve(make_world(make_ads(5)))
    rig.meta.faults.add(Fault(kind="unknown", times=times))
    await rig.gather(media="none")
    assert len(rig.ads) == 5
    assert len(rig.calls) == times + 1


@pytest.mark.parametrize("kind", ["unknown", "html", "http_500"])
async def test_an_error_that_does_not_pass_is_left_to_the_engine(rig: Rig, kind: str) -> None:
    await rig.serve(make_world(make_ads(5)))
    rig.meta.faults.add(Fault(kind=kind, times=FOREVER))
    with pytest.raises(Retry) as caught:
        await rig.gather(media="none")
    assert not isinstance(caught.value, RetryLater)
    assert code_of(caught.value) == "ADO-2003"
    assert len(rig.calls) == 4
    shown = "Graph error 2: An unexpected error" if kind == "unknown" else "an answer that is no list of ads: "
    assert shown in str(caught.value)
    assert "4 times" in str(caught.value)


async def test_html_once_in_place_of_json_is_survived(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(25)))
    rig.meta.faults.add(Fault(kind="html", after=1))
    await rig.gather(limit=10, media="none")
    assert len({ad.id for ad in rig.ads}) == 25


async def test_a_cut_off_answer_is_asked_again(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)))
    rig.meta.faults.add(Fault(kind="truncate", path="/v"))
    await rig.gather(media="none")
    assert len(rig.ads) == 5


async def test_a_redirect_is_not_followed_with_the_token(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)))
    rig.meta.faults.add(Fault(kind="redirect", times=FOREVER, detail=f"{rig.media.origin}/steal"))
    with pytest.raises(Retry, match="answered 302"):
        await rig.gather(media="none")
    assert not rig.media.requests


# Credentials and bad requests


@pytest.mark.parametrize(
    ("token", "code", "words"),
    [
        (EXPIRED_TOKEN, "ADO-2101", "190/463): the token has expired"),
        ("EAAnobodyknowsthis", "ADO-2101", "refuses the token (190"),
        (UNCONFIRMED_TOKEN, "ADO-2102", "identity check"),
        ("12345678|app-secret-value", "ADO-2102", "it is an app token"),
        (FORBIDDEN_TOKEN, "ADO-2102", "denies access (200"),
    ],
)
async def test_a_bad_token_pauses_the_plugin_and_says_why_without_showing_it(
    rig: Rig, token: str, code: str, words: str
) -> None:
    await rig.serve(make_world(make_ads(5)))
    rig.token = token
    for attempt in (rig.gather, lambda: rig.source.check(rig.context())):
        with pytest.raises(ConfigError) as caught:
            await attempt()
        assert caught.value.setting == "sources.facebook.token"
        assert code_of(caught.value) == code
        assert words in str(caught.value)
        assert token not in str(caught.value)
    assert len(rig.calls) == 2


async def test_check_asks_for_one_ad(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)))
    await rig.source.check(rig.context())
    assert [(call.query["limit"], call.query["fields"]) for call in rig.calls] == [("1", "id")]


async def test_check_does_not_take_a_page_of_html_for_success(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)))
    rig.meta.faults.add(Fault(kind="html", times=FOREVER))
    with pytest.raises(Retry, match="no list of ads"):
        await rig.source.check(rig.context())


async def test_check_names_the_version_when_meta_refuses_the_simplest_query(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)))
    with pytest.raises(Terminal, match=r"Is v26\.0 \(setting sources\.facebook\.api_version\) still") as caught:
        await rig.source.check(rig.context(base_url=f"{rig.meta.origin}/gone"))
    assert code_of(caught.value) == "ADO-2103"
    assert "Meta refuses the simplest query: Graph error" in str(caught.value)


async def test_a_query_that_is_wrong_fails_the_brand_with_the_vendors_words(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)))
    with pytest.raises(Terminal) as caught:
        await rig.gather(countries=["QQ"])
    assert code_of(caught.value) == "ADO-2103"
    assert "ad_reached_countries[0] must be one of" in str(caught.value)


async def test_a_handle_that_is_no_page_id_is_named_and_the_others_are_gathered(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)))
    with pytest.raises(Terminal, match=r"incomplete: handles 'AcmeCoffee' are not Meta page ids"):
        await rig.gather(brand=Brand(id="acme", handles={"facebook": (PAGE, "AcmeCoffee")}), media="none")
    assert len(rig.ads) == 5
    assert [page.cursor for page in rig.pages] == [None], "what was left out must be asked for next time"


async def test_a_brand_with_no_page_id_at_all_fails_before_asking(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(5)))
    with pytest.raises(Terminal, match="brand acme: handles 'AcmeCoffee'"):
        await rig.gather(brand=Brand(id="acme", handles={"facebook": ("AcmeCoffee",)}))
    assert rig.calls == []


async def test_a_bound_on_pages_ends_the_gathering_as_incomplete(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(45)))
    with pytest.raises(Terminal, match=r"stopped after 2 pages \(setting max_pages\)"):
        await rig.gather(brand=BRAND, limit=10, max_pages=2, media="none")
    assert len(rig.calls) == 2
    assert len(rig.pages) == 2
