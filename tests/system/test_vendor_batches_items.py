"""Items that cannot be asked about in a batch: each alone, and none of the others is kept back."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adology import AdItem, Analyzer, BatchRequest, Context, Struct
from adology.engine.analyzers import ReadyAnalyzer
from adology.engine.batch_submit import TOO_LONG, BatchLimits
from adology.errors import Deferred, Retry
from adology.isolation import IsolatedPool
from adology.settings import AdologySettings
from adology.vendors import OpenAISettings, openai
from tests.system.vendor_batches_rig import API_KEY, KEY, World, ready, world
from tests.unit.isolation import functions

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]
MODEL = "gpt-5-mini"
ODD = "Offer number 1"
Act = Callable[[Context[Any]], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, API_KEY)


class Word(Struct, frozen=True, kw_only=True):
    word: str


class Kept(Struct, frozen=True, kw_only=True):
    word: str
    info: Any


class Picky(Analyzer[OpenAISettings, Kept]):
    """Asks about every ad, and does as it is told about one of them first."""

    name, version, accepts = "picky", 1, ("ad",)

    def __init__(self, act: Act) -> None:
        self._act = act

    async def batch_request(self, ctx: Context[OpenAISettings], item: AdItem) -> BatchRequest:
        (text,) = item.ad.bodies
        info = await self._act(ctx) if text.endswith(ODD) else None
        form = openai.json_form(MODEL, "Label the ad.", item.ad.bodies, schema=Word)
        return BatchRequest(endpoint="/v1/responses", body=form.body, model=MODEL, units=form.units, info=info)

    async def batch_result(self, ctx: Context[OpenAISettings], info: Any, answer: bytes) -> Kept:
        return Kept(word=openai.read_json(ctx, answer, MODEL, schema=Word).value.word, info=info)


def picky(there: World, act: Act, *, deadline_s: float = 30.0) -> ReadyAnalyzer:
    found = Picky(act)
    found.deadline_s = deadline_s  # type: ignore[misc]  # of this one
    return ready(found, OpenAISettings(openai_api_key=f"env:{KEY}", openai_base_url=f"{there.openai.origin}/v1"))


async def test_what_opens_files_does_so_in_a_child_process(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there, IsolatedPool(1) as pool:
        there.add_ads(2)
        one = picky(there, lambda ctx: ctx.isolated(functions.echo, "a"))
        assert (await there.submit(analyzer=one, children=pool)).requests == 2
        await there.collect(analyzer=one)
        (((pid, said),),) = there.rows("select result->'info' from analyses where result->'info' <> 'null'")
        assert said == "a"
        assert pid != os.getpid()


@pytest.mark.parametrize(
    ("act", "deadline_s"),
    [(lambda ctx: ctx.isolated(functions.kill_itself), 30.0), (lambda ctx: ctx.isolated(functions.hang, 30.0), 1.0)],
    ids=["dies", "hangs"],
)
async def test_a_decoder_that_dies_or_hangs_fails_its_item_alone(
    store_settings: AdologySettings, act: Act, deadline_s: float
) -> None:
    async with world(store_settings) as there, IsolatedPool(1) as pool:
        there.add_ads(3)
        one = picky(there, act, deadline_s=deadline_s)
        done = await there.submit(analyzer=one, children=pool)
        assert (done.requests, done.settled, done.left) == (2, 1, {})
        await there.collect(analyzer=one)
        assert there.rows("select error_code from analyses where state = 'failed'") == [("ADO-3102",)]
        assert await there.counts(one) == {"current": 2, "failed": 1}
        there.check_books()


@pytest.mark.parametrize("where", ["here", "in a child"])
async def test_a_fault_of_the_analyzers_code_leaves_its_item_to_workers(
    store_settings: AdologySettings, where: str
) -> None:
    async def here(_: Context[Any]) -> None:
        raise ValueError("seven")

    async with world(store_settings) as there, IsolatedPool(1) as pool:
        there.add_ads(3)
        one = picky(there, here if where == "here" else lambda ctx: ctx.isolated(functions.not_a_number))
        done = await there.submit(analyzer=one, children=pool)
        assert (done.requests, done.settled) == (2, 0)
        assert done.left == {"picky raised ValueError on them, see the log; without --batch workers try again": 1}
        await there.collect(analyzer=one)
        assert await there.counts(one) == {"current": 2, "missing": 1}
        quoted = await there.submitter(one, children=pool).quote(one, "ad", ["nike-00001"])
        assert (quoted.requests, quoted.left) == (0, done.left)


@pytest.mark.parametrize("error", [Retry("no child process"), Deferred("the budget is used up", after=9.0)])
async def test_faults_that_are_not_the_items_end_the_command(store_settings: AdologySettings, error: Exception) -> None:
    async def act(_: Context[Any]) -> None:
        raise error

    async with world(store_settings) as there:
        there.add_ads(3)
        with pytest.raises(type(error)):
            await there.submit(analyzer=picky(there, act))
        assert there.rows("select count(*) from analyses") == [(0,)]
        assert not there.openai.requests


async def nothing_kept(_: Context[Any]) -> None:
    return None


@pytest.mark.parametrize("limits", [BatchLimits(line_bytes=20_000), BatchLimits(size_bytes=20_000)])
async def test_a_request_longer_than_a_line_may_be_is_left(
    store_settings: AdologySettings, limits: BatchLimits
) -> None:
    async with world(store_settings) as there:
        there.add_ads(4, say=lambda number: f"Offer number {number}" + ("!" * 50_000 if number == 2 else ""))
        one = picky(there, nothing_kept)
        quoted = await there.submitter(one, limits=limits).quote(one, "ad", [f"nike-{n:05}" for n in range(4)])
        assert (quoted.requests, quoted.left) == (3, {TOO_LONG: 1})
        done = await there.submit(analyzer=one, limits=limits)
        assert (done.requests, done.left) == (3, {TOO_LONG: 1})
        await there.collect(analyzer=one)
        assert await there.counts(one) == {"current": 3, "missing": 1}
        there.check_books()


async def test_a_quote_counts_batches_by_their_bytes_too(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(10, say=lambda number: f"Offer number {number}" + "!" * 10_000)
        one, limits = picky(there, nothing_kept), BatchLimits(size_bytes=25_000)
        quoted = await there.submitter(one, limits=limits).quote(one, "ad", [f"nike-{n:05}" for n in range(10)])
        assert (quoted.requests, quoted.inputs) == (10, 0)
        assert 100_000 < quoted.size_bytes < 120_000
        assert limits.batches(quoted.requests, quoted.size_bytes, quoted.inputs) == 5
        done = await there.submit(analyzer=one, limits=limits)
        assert done.batches == 5
        assert done.estimate_usd
        assert float(done.estimate_usd) == pytest.approx(float(quoted.estimate_usd or 0), rel=1e-4)


async def test_a_quote_counts_what_need_not_be_asked(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(3)
        there.rows("update ads set bodies = '{}' where source_ad_id = 'nike-1' returning id")
        quoted = await there.submitter(there.analyzer).quote(there.analyzer, "ad", [f"nike-{n:05}" for n in range(4)])
        assert (quoted.requests, quoted.inputs, quoted.settled) == (2, 2, 1)
        assert quoted.left == {"no committed ad has it any more": 1}


def test_batches_are_counted_by_the_limit_that_is_met_first() -> None:
    limits = BatchLimits(requests=10, inputs=5, size_bytes=100)
    assert [limits.batches(10, 0, 0), limits.batches(11, 0, 0)] == [1, 2]
    assert limits.batches(10, 0, 11) == 3
    assert limits.batches(10, 301, 0) == 4
    assert limits.batches(0, 0, 0) == 0


async def test_what_is_kept_of_a_request_is_made_storable(store_settings: AdologySettings) -> None:
    async def act(_: Context[Any]) -> dict[str, Any]:
        return {"text": "sale\0 now \ud83d", "many": float("inf"), "pair": (1, 2)}

    async with world(store_settings) as there:
        there.add_ads(3)
        one = picky(there, act)
        assert (await there.submit(analyzer=one)).requests == 3
        await there.collect(analyzer=one)
        assert await there.counts(one) == {"current": 3}
        ((kept,),) = there.rows("select result->'info' from analyses where result->'info' <> 'null'")
        assert kept == {"text": "sale now \ufffd", "many": None, "pair": [1, 2]}
