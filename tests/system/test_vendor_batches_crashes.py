"""Batches at OpenAI when processes die and answers get lost: nothing is lost, nothing is paid twice."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from adology.engine.batch_submit import BatchLimits
from adology.errors import AdologyError
from adology.settings import AdologySettings
from tests.system.vendor_batches_rig import API_KEY, KEY, Killed, dies_at, world
from upstreams.faults import Fault

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, API_KEY)


STEPS = [
    # Where the process that hands over dies, and how many batches of the two exist at the vendor by then.
    ("submit", "claim", 1, 0),
    ("submit", "upload", 1, 0),
    ("submit", "submit", 1, 0),
    ("submit", "create", 1, 0),
    ("submit", "store", 1, 1),
    ("submit", "upload", 2, 1),
    ("submit", "store", 2, 2),
    # Where the steward dies.
    ("collect", "keep", 1, 2),
    ("collect", "keep", 2, 2),
    ("collect", "end", 1, 2),
    ("collect", "delete", 1, 2),
]


@pytest.mark.parametrize(("who", "step", "times", "there_by_then"), STEPS)
async def test_whoever_dies_at_whatever_step_nothing_is_lost_or_paid_twice(
    store_settings: AdologySettings, who: str, step: str, times: int, there_by_then: int
) -> None:
    async with world(store_settings) as there:
        there.add_ads(20)
        limits = BatchLimits(requests=10)
        if who == "submit":
            with pytest.raises(Killed):
                await there.submit(dies_at(step, times=times), limits=limits)
        else:
            await there.submit(limits=limits)
            with pytest.raises(Killed):
                await there.collect(dies_at(step, times=times))
        assert there.created == there_by_then
        # A worker that comes by meanwhile takes nothing of what is under way.
        held = [row[0] for row in there.rows("select key from analyses where state = 'deferred'")]
        assert there.rows("select count(*) from analyses where retry_at < now() + interval '29 days'") == [(0,)]
        await there.collect(rounds=3)
        assert not {"preparing", "submitting", "open"} & set(there.states()), f"{len(held)} were held"
        # What never got to the vendor is stale again: the same command is given once more.
        await there.submit(limits=limits)
        await there.collect(rounds=2)
        assert await there.counts() == {"current": 20}
        assert there.paid == (20, {})
        there.check_books()


@pytest.mark.parametrize(("kind", "made_at_first"), [("truncate", 1), ("html", 0), ("http_500", 0), ("reset", 0)])
async def test_a_lost_answer_to_the_creation_is_looked_for_before_another_is_made(
    store_settings: AdologySettings, kind: str, made_at_first: int
) -> None:
    async with world(store_settings) as there:
        there.add_ads(5)
        there.openai.faults.add(Fault(kind=kind, path="/v1/batches"))
        done = await there.submit()
        assert (done.batches, done.unsure, there.created) == (1, 1, made_at_first)
        assert there.states() == ["submitting"]
        await there.collect(rounds=2)
        assert there.created == 1
        assert await there.counts() == {"current": 5}
        assert there.paid == (5, {})
        there.check_books()


async def test_ours_is_found_among_hundreds_of_others_and_of_two_of_ours_one_goes_on(
    store_settings: AdologySettings,
) -> None:
    async with world(store_settings) as there:
        there.add_ads(3)
        there.openai.faults.add(Fault(kind="truncate", path="/v1/batches"))
        await there.submit()
        api = there.openai.batches
        (ours,) = api.page(None, 1)["data"]
        copy = api.create({**ours, "completion_window": "24h"}, there.openai.clock())
        for number in range(250):
            api.create({**ours, "metadata": {"adology": f"another {number}"}}, there.openai.clock())
        await there.collect(rounds=2)
        states = {one["id"]: one["status"] for one in api.page(None, 300)["data"]}
        assert (states[ours["id"]], states[copy["id"]]) == ("completed", "cancelling")
        assert await there.counts() == {"current": 3}
        assert there.paid == (3, {})


async def test_a_refused_creation_and_a_refused_upload_give_everything_back(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(3)
        for path, kind in (("/v1/batches", "http_429"), ("/v1/files", "http_500"), ("/v1/files", "html")):
            there.openai.faults.add(Fault(kind=kind, path=path))
            with pytest.raises(AdologyError):
                await there.submit()
            assert await there.counts() == {"missing": 3}
        assert there.states() == ["given_back"] * 3
        there.check_books()
        assert there.rows("select sum(cost_usd) from paid_calls") == [(0,)]


@pytest.mark.parametrize("path", ["/v1/files/", "/v1/batches/"])
@pytest.mark.parametrize("kind", ["truncate", "http_500", "reset"])
async def test_a_vendor_that_is_away_for_a_while_is_asked_again(
    store_settings: AdologySettings, path: str, kind: str
) -> None:
    async with world(store_settings) as there:
        there.add_ads(300)
        await there.submit()
        there.openai.faults.add(Fault(kind=kind, path=path))
        await there.collect()
        assert there.states() == ["open"]
        assert there.rows("select error is null from vendor_batches") == [(False,)]
        await there.collect()
        assert await there.counts() == {"current": 300}
        assert there.paid == (300, {})
        there.check_books()


async def test_answers_that_are_gone_count_as_paid_and_their_subjects_are_stale(
    store_settings: AdologySettings,
) -> None:
    async with world(store_settings) as there:
        there.add_ads(3)
        await there.submit()
        there.openai.faults.add(Fault(kind="http_404", path="/v1/files/", times=2))
        await there.collect()
        assert there.states() == ["open"], "perhaps the key is of another project for a while"
        there.rows("update vendor_batches set created_at = now() - interval '4 days' returning id")
        await there.collect()
        assert await there.counts() == {"missing": 3}
        assert there.rows("select state, cost_usd = estimate_usd from paid_calls") == [("unknown", True)]
        there.check_books()


async def test_two_stewards_and_two_who_hand_over_do_everything_once(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(450)
        limits = BatchLimits(requests=150)
        done = await asyncio.gather(there.submit(limits=limits), there.submit(limits=limits))
        assert sum(one.requests for one in done) == 450
        there.let_time_pass()
        # Both get all of them: one is slow, the other takes it for dead.
        first, second = there.collector(look_s=0.001), there.collector(look_s=0.001)
        for _ in range(3):
            await asyncio.gather(first.run_round(), second.run_round())
        assert await there.counts() == {"current": 450}
        assert there.noted()["done"] == 450
        assert there.paid == (450, {})
        there.check_books()


async def test_a_submitter_that_was_taken_for_dead_sends_nothing(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(2)

        def sleeps_too_long(step: str) -> None:
            if step == "submit":
                there.let_time_pass()

        with contextlib.suppress(AdologyError):
            await there.submit(sleeps_too_long)
        assert there.created == 0
        await there.collect()
        assert there.states() == ["given_back"]
        assert await there.counts() == {"missing": 2}
        there.check_books()


async def test_a_creation_that_comes_late_is_cancelled(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(2)
        api = there.openai.batches

        def another_was_faster(step: str) -> None:
            if step == "store":
                (ours,) = api.page(None, 1)["data"]
                twin = api.create({**ours, "completion_window": "24h"}, there.openai.clock())
                there.rows("update vendor_batches set state = 'open', vendor_id = %s returning id", twin["id"])

        assert (await there.submit(another_was_faster)).batches == 1
        await there.collect(rounds=2)
        assert [one["status"] for one in api.page(None, 9)["data"]] == ["completed", "cancelling"]
        assert await there.counts() == {"current": 2}
        assert there.paid == (2, {})
        there.check_books()
