from __future__ import annotations

import re

import msgspec
import pytest

from tests.unit.upstreams.meta_lab import Caller, Lab
from tests.unit.upstreams.meta_world import (
    make_ad,
    make_ads,
    make_world,
)
from upstreams.faults import FOREVER, Fault
from upstreams.meta import USER_TOKEN
from upstreams.meta.paging import End

pytestmark = pytest.mark.anyio


# Pages


@pytest.mark.parametrize("end", ["no_paging", "no_next", "empty_data"])
async def test_a_walk_finds_every_ad_once_and_ends_in_its_form(lab: Lab, end: End) -> None:
    ads = make_ads(53)
    caller = await lab.serve(make_world(ads), ends=(end,))
    pages = await caller.walk(limit=10)
    assert sorted(i for page in pages for i in page) == sorted(ad.id for ad in ads)
    last = await caller.get(limit=10, after=await _last_cursor(caller))
    if end == "no_paging":
        assert "paging" not in last
    elif end == "no_next":
        assert set(last["paging"]) == {"cursors"}
    else:
        assert last["data"] == []
        assert "next" in last["paging"]


async def _last_cursor(caller: Caller) -> str:
    after = ""
    for _ in range(20):
        body = await caller.get(limit=10, after=after)
        if not body["data"] or "next" not in body.get("paging", {}):
            return after
        after = body["paging"]["cursors"]["after"]
    raise AssertionError("no end")


async def test_the_limit_is_no_contract(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(200)))
    sizes = [len(page) for page in (await caller.walk(limit=10))[:-1]]
    assert min(sizes) < 10 < max(sizes)
    strict = await lab.serve(make_world(make_ads(200)), loose=False)
    assert {len(page) for page in (await strict.walk(limit=10))[:-1]} == {10}


async def test_rows_may_come_again_on_the_next_page(lab: Lab) -> None:
    ads = make_ads(30)
    caller = await lab.serve(make_world(ads), overlap=2, loose=False)
    pages = await caller.walk(limit=10)
    assert pages[1][:2] == pages[0][-2:]
    assert {i for page in pages for i in page} == {ad.id for ad in ads}


async def test_the_next_address_holds_the_token_and_leads_on(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(30)), loose=False)
    first = await caller.get(limit=10, fields="id")
    following = first["paging"]["next"]
    assert f"access_token={USER_TOKEN}" in following
    async with lab.session.get(following) as answer:
        second = await answer.json()
    assert {row["id"] for row in second["data"]}.isdisjoint(row["id"] for row in first["data"])


async def test_cursors_are_opaque_and_expire(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(30)), cursor_ttl_s=60)
    cursor = (await caller.get(limit=10))["paging"]["cursors"]["after"]
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert "data" in await caller.get(limit=10, after=cursor)
    lab.clock.move(61)
    assert await caller.code(limit=10, after=cursor) == (100, None)


@pytest.mark.parametrize("cursor", ["x", "AAAA", "ä", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA"])
async def test_a_made_up_cursor_is_refused(lab: Lab, cursor: str) -> None:
    caller = await lab.serve(make_world(make_ads(30)))
    assert await caller.code(after=cursor) == (100, None)


async def test_another_querys_cursor_is_refused(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(30)))
    cursor = (await caller.get(limit=10))["paging"]["cursors"]["after"]
    assert await caller.code(after=cursor, search_terms="coffee") == (100, None)
    assert "data" in await caller.get(after=cursor, limit=3, fields="id")


# Quota and weight


async def test_usage_rises_with_calls_until_the_throttle_and_falls_after_an_hour(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)), calls_per_hour=4)
    shares = []
    for _ in range(4):
        await caller.get()
        shares.append(msgspec.json.decode(caller.headers["X-App-Usage"])["call_count"])
    assert shares == [25, 50, 75, 100]
    lab.clock.move(600)
    assert await caller.code() == (613, None)
    (entries,) = msgspec.json.decode(caller.headers["X-Business-Use-Case-Usage"]).values()
    assert entries[0]["call_count"] >= 100
    assert entries[0]["estimated_time_to_regain_access"] == 50  # minutes
    lab.clock.move(3001)
    assert len((await caller.get())["data"]) == 2


@pytest.mark.parametrize("code", [4, 17, 613])
async def test_the_throttle_has_the_code_of_the_rules(lab: Lab, code: int) -> None:
    caller = await lab.serve(make_world(make_ads(2)), calls_per_hour=1, throttle_code=code)
    await caller.get()
    error = await caller.error()
    assert (error["code"], error["is_transient"]) == (code, True)


async def test_too_heavy_a_request_is_code_1_and_a_lighter_one_works(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)), max_weight=100)
    heavy = "id,age_country_gender_reach_breakdown,target_locations"
    assert await caller.code(limit=50, fields=heavy) == (1, None)
    assert caller.status == 500
    assert "reduce the amount of data" in (await caller.error(limit=50, fields=heavy))["message"]
    assert "data" in await caller.get(limit=33, fields=heavy)
    assert "data" in await caller.get(limit=100, fields="id")


async def test_a_deep_walk_breaks_with_code_1(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(50)), max_rows=20, loose=False)
    cursor = None
    for _ in range(2):
        cursor = (await caller.get(limit=10, after=cursor))["paging"]["cursors"]["after"]
    assert await caller.code(limit=10, after=cursor) == (1, None)


# Faults


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("rate_limit_app", (4, None), 403),
        ("rate_limit_user", (17, None), 400),
        ("rate_limit_613", (613, None), 400),
        ("transient", (1, None), 500),
        ("unknown", (2, None), 503),
        ("token_expired", (190, 463), 400),
        ("not_confirmed", (10, 2332002), 400),
    ],
)
async def test_graph_faults_are_graph_errors_and_pass(
    lab: Lab, kind: str, code: tuple[int, int | None], status: int
) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    caller.server.faults.add(Fault(kind=kind))
    assert await caller.code() == code
    assert caller.status == status
    assert len((await caller.get())["data"]) == 2


async def test_a_throttle_fault_names_the_minutes_to_wait(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    caller.server.faults.add(Fault(kind="rate_limit_613", seconds=90))
    await caller.get()
    (entries,) = msgspec.json.decode(caller.headers["X-Business-Use-Case-Usage"]).values()
    assert entries[0]["estimated_time_to_regain_access"] == 2


async def test_the_reduce_fault_strikes_only_above_its_limit(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    caller.server.faults.add(Fault(kind="transient", times=FOREVER, detail="20"))
    assert await caller.code(limit=21) == (1, None)
    assert "data" in await caller.get(limit=20)


async def test_the_cursor_fault_waits_for_a_cursor(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(30)))
    caller.server.faults.add(Fault(kind="cursor_expired"))
    cursor = (await caller.get(limit=10))["paging"]["cursors"]["after"]
    assert await caller.code(limit=10, after=cursor) == (100, None)
    assert "data" in await caller.get(limit=10, after=cursor)


async def test_api_faults_leave_snapshots_alone_and_the_other_way_round(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    caller.server.faults.add(Fault(kind="rate_limit_613"))
    caller.server.faults.add(Fault(kind="blocked_snapshot"))
    params = {"id": make_ad(1).id, "access_token": USER_TOKEN}
    async with lab.session.get(f"{caller.server.origin}/ads/archive/render_ad/", params=params) as answer:
        assert "Too many requests" in await answer.text()
    assert await caller.code() == (613, None)
    assert caller.server.faults.active() == []


async def test_a_snapshot_without_a_good_token_leads_to_the_login(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    params = {"id": make_ad(1).id}
    url = f"{caller.server.origin}/ads/archive/render_ad/"
    async with lab.session.get(url, params=params, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/login/?next=render_ad")


async def test_the_request_log_never_holds_the_token(lab: Lab) -> None:
    caller = await lab.serve(make_world(make_ads(2)))
    await caller.get()
    async with lab.session.get(f"{caller.server.origin}/_requests") as answer:
        assert USER_TOKEN not in await answer.text()
