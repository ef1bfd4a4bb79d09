"""Code 1: ask for less, then for more again; a query that is too much is cut, an outage is not."""

from __future__ import annotations

import msgspec
import pytest

from adology import Retry, RetryLater
from adology_facebook.progress import Progress
from tests.unit.facebook.conftest import Rig
from tests.unit.upstreams.meta_world import make_ads, make_world
from upstreams.faults import FOREVER, Fault

pytestmark = pytest.mark.anyio


def limits(rig: Rig) -> list[int]:
    return [int(call.query["limit"]) for call in rig.calls]


async def test_the_page_size_halves_on_code_1_and_recovers_after_good_answers(rig: Rig) -> None:
    ads = make_ads(400)
    await rig.serve(make_world(ads), loose=False)
    rig.meta.faults.add(Fault(kind="transient", times=2))
    await rig.gather(limit=80, media="none")
    assert limits(rig)[:8] == [80, 40, 20, 20, 20, 20, 20, 40]
    assert max(limits(rig)[3:]) == 80
    assert len({ad.id for ad in rig.ads}) == 400


async def test_the_page_size_settles_below_what_chokes_the_vendor(rig: Rig) -> None:
    ads = make_ads(150)
    await rig.serve(make_world(ads), loose=False)
    rig.meta.faults.add(Fault(kind="transient", times=FOREVER, detail="30"))
    await rig.gather(limit=100, media="none")
    assert len({ad.id for ad in rig.ads}) == 150
    assert all(call.status == 200 for call in rig.calls if int(call.query["limit"]) <= 30)


async def test_heavy_fields_are_dropped_before_pages_get_tiny_and_come_back(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(150)), loose=False, max_weight=30)
    await rig.gather(limit=40, media="none")
    asked = [("target_locations" in call.query["fields"], int(call.query["limit"])) for call in rig.calls]
    assert asked[:4] == [(True, 40), (True, 20), (True, 10), (False, 10)]
    assert len({ad.id for ad in rig.ads}) == 150
    assert [call.status for call in rig.calls[:8]] == [500, 500, 500, 200, 200, 200, 200, 200]
    assert any(heavy for heavy, _ in asked[4:]), "heavy fields are tried again"


async def test_a_resumed_gathering_knows_what_the_vendor_can_take(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(60)), loose=False)
    rig.meta.faults.add(Fault(kind="transient", times=FOREVER, detail="10"))
    (first,) = await rig.gather(pages=1, limit=40, media="none")
    assert limits(rig) == [40, 20, 10]
    await rig.gather(pages=1, limit=40, media="none", resume=first.resume)
    assert limits(rig)[3:] == [10]


async def test_an_outage_that_answers_code_1_is_retried_and_fails_no_slice(rig: Rig) -> None:
    await rig.serve(make_world(make_ads(60)))
    rig.meta.faults.add(Fault(kind="transient", times=FOREVER))
    with pytest.raises(Retry, match="Meta answers nothing at all") as caught:
        await rig.gather(limit=20, media="none")
    assert not isinstance(caught.value, RetryLater)
    assert limits(rig)[-1] == 1
    assert len(rig.calls) < 25
    assert rig.pages == []


async def test_a_page_that_never_comes_is_cut_out_and_the_rest_is_found(rig: Rig) -> None:
    ads = make_ads(40)
    await rig.serve(make_world(ads), loose=False)
    rig.meta.faults.add(Fault(kind="transient", after=2, times=7))  # 20, 10, light, 5, 2, 1: and one more
    await rig.gather(limit=20, media="none", countries=["DE", "FR"])
    assert {ad.id for ad in rig.ads} == {ad.id for ad in ads}


def test_a_resume_token_is_small_and_round_trips() -> None:
    token = '{"began":"2026-11-20","todo":[[["1"],["DE"],"2025-11-20","2026-11-20"]],"after":"x","limit":10}'
    progress = msgspec.json.decode(token, type=Progress)
    assert progress.encode() == token
