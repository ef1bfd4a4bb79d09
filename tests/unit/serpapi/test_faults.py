from __future__ import annotations

import io
import time
from datetime import date
from typing import Any

import pytest
from loguru import logger

from adology import ConfigError, Page, Retry, RetryLater, Terminal
from adology.errors import code_of
from adology.http import Answer, Pacers
from adology_serpapi import SerpApi
from tests.unit.serpapi.rig import Rig, ads_of, make_ad, make_brand
from upstreams.serpapi import API_KEY, SerpApiRules

pytestmark = pytest.mark.anyio


def rig_of(count: int = 3, fmt: str = "image", **over: Any) -> Rig:
    return Rig(make_brand([make_ad(n, fmt) for n in range(count)]), **over)


@pytest.mark.parametrize("kind", ["html", "http_500", "error_503", "error_200", "status_error", "reset", "truncate"])
async def test_a_passing_fault_costs_another_try_and_no_ads(kind: str) -> None:
    async with rig_of() as rig:
        rig.fail(kind)
        assert len(ads_of(await rig.gather())) == 3
        assert len(rig.searches()) == 2


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("html", "not a JSON object"),
        ("http_500", "answered 500"),
        ("error_503", "Something went wrong on SerpApi's end"),
        ("error_200", "couldn't get valid results"),
        ("status_error", "ended with status Error"),
    ],
)
async def test_a_lasting_fault_is_a_retry_that_says_what_was_seen(kind: str, shown: str) -> None:
    async with rig_of() as rig:
        rig.fail(kind, times=-1)
        with pytest.raises(Retry, match=shown) as caught:
            await rig.gather()
        assert not isinstance(caught.value, RetryLater)
        assert len(rig.searches()) == 4


@pytest.mark.parametrize(("kind", "seconds"), [("slow", 0.3), ("drip", 0.3)])
async def test_a_slow_answer_is_waited_for(kind: str, seconds: float) -> None:
    async with rig_of() as rig:
        rig.fail(kind, seconds=seconds)
        assert len(ads_of(await rig.gather())) == 3
        assert rig.server.searches_paid == 1


async def test_no_results_is_an_empty_brand_not_an_error() -> None:
    async with rig_of() as rig:
        rig.fail("no_results")
        pages = await rig.gather()
        assert (ads_of(pages), len(rig.searches())) == ({}, 1)


async def test_the_hourly_limit_is_a_short_pause_of_the_key() -> None:
    async with rig_of() as rig:
        rig.fail("throughput_429")
        with pytest.raises(RetryLater, match="throughput limit") as caught:
            await rig.gather(throttle_pause_s=120)
        assert caught.value.seconds == 120
        # The key is paused in this process: nobody asks again.
        with pytest.raises(RetryLater):
            await rig.gather()
        assert len(rig.searches()) == 1


async def test_used_up_searches_are_a_setting_to_change_with_the_renewal_date() -> None:
    async with rig_of() as rig:
        rig.fail("quota_429")
        with pytest.raises(ConfigError, match="used up: Your account has run out of searches") as caught:
            await rig.gather()
        assert (code_of(caught.value), caught.value.setting) == ("ADO-2203", "sources.serpapi.api_key")
        assert "2026-12-01" in str(caught.value)
        assert len(rig.searches()) == 1


@pytest.mark.parametrize(("kind", "error"), [("throughput_429", RetryLater), ("quota_429", ConfigError)])
async def test_a_429_with_an_unknown_text_is_decided_by_the_account(kind: str, error: type[Exception]) -> None:
    async with rig_of() as rig:
        rig.fail(kind, detail="Too many requests.")
        with pytest.raises(error):
            await rig.gather()
        assert rig.server.requests[-1].path == "/account.json"


async def test_the_real_limits_of_the_account_are_met_without_faults() -> None:
    async with rig_of(30, rules=SerpApiRules(searches_per_month=2, pictureless=0)) as rig:
        pages: list[Page[date]] = []
        with pytest.raises(ConfigError, match="used up"):
            await rig.gather(num=10, into=pages)
        assert len(ads_of(pages)) == 20
    async with rig_of(30, rules=SerpApiRules(searches_per_hour=2, pictureless=0)) as rig:
        with pytest.raises(RetryLater, match="throughput"):
            await rig.gather(num=10, searches_per_hour=100_000)


async def test_searches_keep_to_the_accounts_own_hourly_limit() -> None:
    async with rig_of(80, rules=SerpApiRules(searches_per_hour=100, pictureless=0)) as rig:
        pages: list[Page[date]] = []
        # A burst of two (the account's own call is one), then one every 36 s: more than a worker waits.
        with pytest.raises(RetryLater, match="spaced out"):
            await rig.gather(num=10, burst=2, into=pages)
        assert 1 <= len(rig.searches()) <= 3
        assert len(pages) == len(rig.searches())


async def test_gatherings_within_the_burst_wait_for_nothing() -> None:
    async def sleep(seconds: float) -> None:
        raise AssertionError(f"waited {seconds} s")

    async with rig_of() as rig:
        rig.pacers = Pacers(time.monotonic, sleep)
        for _ in range(5):
            assert len(ads_of(await rig.gather(burst=20))) == 3


@pytest.mark.parametrize(
    ("kind", "code", "shown"),
    [
        ("invalid_key", "ADO-2201", "SerpApi refuses the key: Invalid API key"),
        ("forbidden", "ADO-2202", "SerpApi denies access: The account associated"),
    ],
)
async def test_a_refused_key_is_a_setting_to_change(kind: str, code: str, shown: str) -> None:
    async with rig_of() as rig:
        rig.fail(kind)
        with pytest.raises(ConfigError, match=shown) as caught:
            await rig.gather()
        assert (code_of(caught.value), caught.value.setting) == (code, "sources.serpapi.api_key")
        assert len(rig.searches()) == 1


async def test_a_wrong_address_is_a_setting_to_change() -> None:
    async with rig_of() as rig:
        with pytest.raises(ConfigError, match=r"sources\.serpapi\.base_url: .*/elsewhere has no SerpApi.*404"):
            await rig.gather(base_url=f"{rig.server.origin}/elsewhere")


async def test_a_search_that_is_still_running_is_fetched_from_the_archive_not_made_again() -> None:
    async with rig_of() as rig:
        rig.fail("processing")
        assert len(ads_of(await rig.gather())) == 3
        assert len(rig.searches()) == 1
        assert rig.server.searches_paid == 1
        assert sum(entry.path.startswith("/searches/") for entry in rig.server.requests) == 2


async def test_one_creative_that_cannot_be_read_does_not_hold_up_the_others() -> None:
    async with rig_of(3, "video") as rig:
        rig.fail("error_200", after=1, times=4)
        found = ads_of(await rig.gather(details_concurrency=1))
        outcomes = sorted(ad.outcome() for ad in found.values())
        assert outcomes == ["media", "media", "unresolved"]
        reason = next(ad.raw["media_reason"] for ad in found.values() if ad.outcome() == "unresolved")
        assert "couldn't get valid results" in reason


async def test_check_is_free_and_tells_what_is_wrong() -> None:
    async with rig_of(rules=SerpApiRules(searches_per_month=0)) as rig:
        with pytest.raises(ConfigError, match="used up: the account has no searches left"):
            await SerpApi().check(rig.context())
        with pytest.raises(ConfigError, match="refuses the key"):
            await SerpApi().check(rig.context(api_key="wrong-key-0123456789"))
    async with rig_of() as rig:
        await SerpApi().check(rig.context())
        for kind in ("html", "http_500", "http_429"):
            rig.fail(kind, path="/account")
            with pytest.raises(Retry, match=r"/account\.json answered"):
                await SerpApi().check(rig.context())
        assert rig.searches() == []


async def test_an_account_of_another_shape_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answer, "find_json", lambda _: {"total_searches_left": "many"})
    async with rig_of() as rig:
        with pytest.raises(Retry, match=r"answered 200 with an account that is none \(Expected `int \| null`"):
            await SerpApi().check(rig.context())


async def test_without_word_from_the_account_it_gathers_at_a_cautious_pace() -> None:
    async with rig_of(30) as rig:
        rig.fail("http_500", path="/account", times=-1)
        assert len(ads_of(await rig.gather())) == 30
        with pytest.raises(RetryLater, match="spaced out"):
            await rig.gather(num=3, burst=2)


async def test_a_missing_key_names_the_setting() -> None:
    async with rig_of() as rig:
        with pytest.raises(ConfigError, match=r"serpapi\.api_key: is not set"):
            await rig.gather(api_key="")


async def test_the_key_is_in_no_log_line_error_or_page() -> None:
    out = io.StringIO()
    sink = logger.add(out, level="TRACE", format="{message} {extra} {exception}")
    told: list[str] = []
    try:
        async with rig_of(6, "video") as rig:
            pages = await rig.gather()
            for fault, detail in [
                ("invalid_key", f"Invalid API key {API_KEY}"),
                ("throughput_429", f"throughput limit of api_key={API_KEY}"),
                ("quota_429", f"{API_KEY} has run out of searches"),
                ("error_200", f"failed: https://serpapi.com/search?api_key={API_KEY}&x=1"),
                ("html", ""),
                ("reset", ""),
            ]:
                rig.server.faults.clear()
                rig.restart()
                rig.fail(fault, detail=detail, times=-1)
                with pytest.raises((ConfigError, Retry, Terminal)) as caught:
                    await rig.gather(regions=(2840,))
                told.append(f"{caught.value!r} {caught.value} {caught.value.__cause__!r}")
            told += [str(page) for page in pages]
            told.append(repr(rig.context().settings))
    finally:
        logger.remove(sink)
    assert len(told) > 6
    assert API_KEY not in "".join(told)
    assert API_KEY not in out.getvalue()
    assert "call" in out.getvalue()
