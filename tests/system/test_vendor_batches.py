"""OpenAI's Batch API for back-fills: half the price, and every answer, fault and budget as with calls."""
# ruff: noqa: ARG002 - an analyzer's signatures

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from adology import AdItem, Analyzer, BatchRequest, Context, Struct
from adology.engine.batch_submit import BatchLimits
from adology.settings import AdologySettings
from adology.store.costs import Costs
from adology.vendors import OpenAISettings, openai
from tests.system.vendor_batches_rig import API_KEY, KEY, ready, world
from upstreams.faults import Fault

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]
TODAY = datetime.now(UTC).date()


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, API_KEY)


async def test_thousands_of_subjects_go_out_in_several_batches_and_come_back_by_themselves(
    store_settings: AdologySettings,
) -> None:
    async with world(store_settings, polls=2) as there:
        there.add_ads(700)
        there.add_ads(500, brand="puma")
        done = await there.submit(limits=BatchLimits(requests=500))
        assert (done.batches, done.requests, done.left, done.unsure) == (3, 1200, {}, 0)
        assert done.estimate_usd
        assert await there.counts() == {"deferred": 1200}
        assert await Costs(there.database).lines("analyzer", since=TODAY) != []
        assert (await there.submit()).requests == 0, "what is under way is nobody else's"

        await there.collect()
        assert there.paid == (0, {}), "the vendor is at work"
        await there.collect()
        assert await there.counts() == {"current": 1200}
        assert there.paid == (1200, {})
        assert there.states() == ["completed"] * 3
        assert there.noted() == {"done": 1200}
        there.check_books()
        assert there.openai.batches.files == 0, "customers' texts were left with the vendor"
        assert there.rows("select count(distinct subject) from changes where kind = 'ad'") == [(1200,)]

        # Half of the price of a call, for whom it was for, and never more than was set aside.
        lines = {line.name: line for line in await Costs(there.database).lines("brand", since=TODAY)}
        assert set(lines) == {"nike", "puma"}
        ((tokens, paid, estimate),) = there.rows(
            "select sum((units->>'input_tokens')::numeric), sum(cost_usd), sum(estimate_usd) from paid_calls"
        )
        assert paid == (tokens * Decimal("0.01") / 1_000_000).quantize(Decimal("1e-8"))
        assert paid <= estimate == done.estimate_usd
        ((each,),) = there.rows("select sum(cost_usd) from analyses")
        assert abs(each - paid) < Decimal("0.000001")
        (model,) = await Costs(there.database).lines("model", since=TODAY)
        assert (model.name, model.unknown, model.open_usd) == ("openai-batch text-embedding-3-small", 0, 0)


async def test_a_result_is_the_same_as_that_of_a_call(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(1)
        await there.submit()
        await there.collect()
        ((stored,),) = there.rows("select result from analyses")
        ad = await there.subjects.find_copy("nike-00000")
        assert ad is not None
        ctx = Context("text_embedding", there.analyzer.settings, section="analyzers")
        said = await there.analyzer.call(ctx, AdItem(ad=ad))
        assert stored == msgspec.to_builtins(said)


@pytest.mark.parametrize(
    ("kind", "detail", "state", "answered"),
    [
        ("batch_expires", "4", "expired", 4),
        ("batch_stops", "3", "cancelled", 3),
        ("batch_expires", "0", "expired", 0),
        ("batch_fails", "token_limit_exceeded", "failed", 0),
    ],
)
async def test_what_a_batch_did_not_come_to_is_stale_again_and_not_paid(
    store_settings: AdologySettings, kind: str, detail: str, state: str, answered: int
) -> None:
    async with world(store_settings) as there:
        there.add_ads(10)
        there.openai.faults.add(Fault(kind=kind, detail=detail))
        await there.submit()
        await there.collect()
        assert there.states() == [state]
        left = {"missing": 10 - answered}
        assert await there.counts() == ({"current": answered, **left} if answered else left)
        assert there.noted() == ({"done": answered, **left} if answered else left)
        there.check_books()
        ((paid, tokens),) = there.rows("select sum(cost_usd), sum((units->>'input_tokens')::numeric) from paid_calls")
        assert (paid > 0) == bool(answered) == bool(tokens)
        await there.submit()
        await there.collect()
        assert await there.counts() == {"current": 10}
        assert there.paid == (10, {})


async def test_a_failure_that_was_tried_again_in_vain_is_the_failure_that_it_was(
    store_settings: AdologySettings,
) -> None:
    async with world(store_settings) as there:
        there.add_ads(4)
        there.openai.faults.add(Fault(kind="batch_errors", detail="400"))
        await there.submit()
        await there.collect()
        assert await there.counts() == {"current": 2, "failed": 2}
        before = there.rows("select key, error_code, error from analyses where state = 'failed' order by key")
        assert {code for _, code, _ in before} == {"ADO-3204"}
        there.openai.faults.add(Fault(kind="batch_fails"))
        assert (await there.submit(reasons=("failed",))).requests == 2
        assert await there.counts() == {"current": 2, "deferred": 2}
        await there.collect()
        assert there.rows("select key, error_code, error from analyses where state = 'failed' order by key") == before
        await there.submit(reasons=("failed",))
        await there.collect()
        assert await there.counts() == {"current": 4}
        assert there.paid == (4, {})
        there.check_books()


@pytest.mark.parametrize(("status", "code"), [("500", "ADO-3205"), ("429", "ADO-3206"), ("401", "ADO-3208")])
async def test_passing_faults_of_single_requests_put_them_off_as_in_a_call(
    store_settings: AdologySettings, status: str, code: str
) -> None:
    async with world(store_settings) as there:
        there.add_ads(6)
        there.openai.faults.add(Fault(kind="batch_errors", detail=status))
        await there.submit()
        await there.collect()
        assert await there.counts() == {"current": 4, "deferred": 2}
        assert there.noted() == {"done": 4, "deferred": 2}
        found = there.rows("select error_code, retry_at < now() + interval '10 minutes', deferrals from analyses"
                           " where state = 'deferred'")  # fmt: skip
        assert found == [(code, True, 1)] * 2
        there.check_books()


async def test_missing_doubled_unknown_and_garbled_answers_are_counted(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(6)
        there.openai.faults.add(Fault(kind="batch_lines"))
        await there.submit()
        await there.collect()
        assert there.noted() == {"done": 5, "missing": 1, "doubled": 1, "unknown": 1, "garbage": 1}
        assert await there.counts() == {"current": 5, "missing": 1}
        there.check_books()


async def test_a_budget_pays_for_as_many_as_it_reaches_for(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(100)
        there.add_ads(10, brand="puma")
        # A request is set aside with about 0.00000016 USD.
        done = await there.submit(brand_day_usd=0.000008)
        assert 30 < done.requests < 80
        assert sum(done.left.values()) == 110 - done.requests
        (why,) = done.left
        assert why.startswith("the day's budget for brand 'nike' has 0.0000")
        assert (await there.counts())["missing"] == sum(done.left.values())
        await there.collect()
        (used,) = there.rows("select used_usd from budget_use where scope = 'brand:nike'")
        assert 0 < used[0] <= Decimal("0.000008")
        there.check_books()
        again = await there.submit(day_usd=0.0)
        assert (again.batches, again.requests) == (0, 0)
        assert len(there.states()) == 1


async def test_the_vendor_is_looked_at_once_a_minute_and_lost_calls_are_not_closed_meanwhile(
    store_settings: AdologySettings,
) -> None:
    async with world(store_settings, polls=5) as there:
        there.add_ads(2)
        await there.submit()
        for _ in range(3):
            await there.collector().run_round()
        looks = [entry for entry in there.openai.requests if entry.path.startswith("/v1/batches/")]
        assert looks == []
        there.let_time_pass()
        for _ in range(3):
            await there.collector().run_round()
        looks = [entry for entry in there.openai.requests if entry.path.startswith("/v1/batches/")]
        assert len(looks) == 1
        assert await there.batches()._spending.close_lost(older_s=0.0) == 0
        (line,) = await Costs(there.database).lines("analyzer", since=TODAY)
        assert line.open_usd > 0


async def test_answers_wait_for_the_settings_that_they_were_asked_with(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(2)
        await there.submit()
        other = there.embedding(dimensions=8)
        await there.collect(analyzer=other, rounds=2)
        assert there.states() == ["open"]
        ((error,),) = there.rows("select error from vendor_batches")
        assert error.startswith("setting analyzers.text_embedding: has other settings than those that it asked with.")
        assert await there.counts(other) == {"missing": 2}
        await there.collect()
        assert await there.counts() == {"current": 2}
        there.check_books()


async def test_results_of_settings_that_come_back_are_not_paid_again(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(4)
        other = there.embedding(dimensions=8)
        for analyzer in (there.analyzer, other):
            await there.submit(analyzer=analyzer)
            await there.collect(analyzer=analyzer)
        assert await there.counts() == {"settings": 4}
        paid = there.paid
        done = await there.submit()
        assert (done.requests, done.settled) == (0, 4)
        assert await there.counts() == {"current": 4}
        assert there.paid == paid == (8, {})


async def test_what_nobody_reads_within_a_month_is_closed(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(2)
        await there.submit()
        there.rows("update vendor_batches set created_at = now() - interval '29 days' returning id")
        await there.collect(analyzer=there.embedding(dimensions=8))
        assert there.states() == ["failed"]
        assert await there.counts() == {"missing": 2}
        assert there.rows("select state from paid_calls") == [("unknown",)]


class Word(Struct, frozen=True, kw_only=True):
    word: str


class Labeller(Analyzer[OpenAISettings, Word]):
    """Asks for a form, as the labels do."""

    name, version, accepts = "labeller", 1, ("ad",)

    async def batch_request(self, ctx: Context[OpenAISettings], item: AdItem) -> BatchRequest:
        form = openai.json_form("gpt-5-mini", "Label the ad.", item.ad.bodies, schema=Word)
        return BatchRequest(endpoint="/v1/responses", body=form.body, model="gpt-5-mini", units=form.units)

    async def batch_result(self, ctx: Context[OpenAISettings], info: None, answer: bytes) -> Word:
        return openai.read_json(ctx, answer, "gpt-5-mini", schema=Word).value


async def test_structured_answers_come_in_batches_too(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(3)
        settings = OpenAISettings(openai_api_key=f"env:{KEY}", openai_base_url=f"{there.openai.origin}/v1")
        labeller = ready(Labeller(), settings)
        assert (await there.submit(analyzer=labeller)).requests == 3
        await there.collect(analyzer=labeller)
        assert await there.counts(labeller) == {"current": 3}
        ((model, units),) = there.rows("select model, units from paid_calls")
        assert model.startswith("gpt-5-mini-")
        assert units["input_tokens"] + units["cached_tokens"] > 0
        assert units["output_tokens"] > 0
        assert there.rows("select count(*) from analyses where result->>'word' <> ''") == [(3,)]
        there.check_books()


class Mute(Labeller):
    """It asks, and has nothing to read the answers with."""

    name = "mute"
    batch_result = Analyzer.batch_result


async def test_nothing_is_sent_for_an_analyzer_that_cannot_read_answers(store_settings: AdologySettings) -> None:
    async with world(store_settings) as one:
        one.add_ads(3)
        labeller = ready(Mute(), OpenAISettings(openai_base_url=f"{one.openai.origin}/v1", openai_api_key=f"env:{KEY}"))
        with pytest.raises(ValueError, match=r"^mute has batch_request but no batch_result; nothing was sent$"):
            await one.submit(analyzer=labeller)
        assert one.openai.charges.show().calls == 0
        assert one.rows("select count(*) from vendor_batches") == [(0,)]


async def test_an_ad_that_says_nothing_is_settled_without_a_request(store_settings: AdologySettings) -> None:
    async with world(store_settings) as there:
        there.add_ads(3)
        there.rows("update ads set bodies = '{}' where source_ad_id = 'nike-1' returning id")
        done = await there.submit()
        assert (done.requests, done.settled) == (2, 1)
        await there.collect()
        assert await there.counts() == {"current": 3}
        assert there.paid == (2, {})
