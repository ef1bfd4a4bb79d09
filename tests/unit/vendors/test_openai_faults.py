"""Every way in which OpenAI can fail: which error it is, what the ledger says, what others may still do."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from adology.errors import ConfigError, Deferred, Retry, RetryLater, Terminal, code_of
from adology.vendors import IncompleteError, RefusedError, UnusableAnswerError, close_clients, openai
from tests.unit.vendors.rig import SECRETS, Heard, Labels, Rig, error_of, picture, shown
from upstreams.faults import Fault
from upstreams.openai import OpenAiRules, OpenAiServer

pytestmark = pytest.mark.anyio

SMALL = "text-embedding-3-small"
MODEL = "gpt-5-mini"


async def _ask(rig: Rig, *parts: str | bytes) -> object:
    return await openai.ask_json(rig.ctx, MODEL, "Label.", parts or ["a sale"], schema=Labels)


@pytest.mark.parametrize(
    ("fault", "kind", "code", "text"),
    [
        (Fault(kind="rate_429", seconds=7), RetryLater, "ADO-3206", "Rate limit reached"),
        (Fault(kind="quota_429"), Deferred, "ADO-3207", "quota is used up"),
        (Fault(kind="too_large_429"), Terminal, "ADO-3204", "waiting cannot help"),
        (Fault(kind="error_500"), Retry, "ADO-3205", "The server had an error"),
        (Fault(kind="error_503"), Retry, "ADO-3205", "overloaded"),
        (Fault(kind="bad_key"), ConfigError, "ADO-3208", "setting analyzers.labels.openai_api_key: OpenAI refuses"),
        (Fault(kind="forbidden"), ConfigError, "ADO-3208", "denies access (missing_scope)"),
        (Fault(kind="model_not_found"), ConfigError, "ADO-3209", "setting analyzers.labels.model: OpenAI has no model"),
        (Fault(kind="bad_schema"), ConfigError, "ADO-3209", "refuses how it is asked"),
        (Fault(kind="bad_image"), Terminal, "ADO-3204", "does not represent a valid image"),
        (Fault(kind="http_404"), ConfigError, "ADO-3209", "openai_base_url"),
        (Fault(kind="http_500"), Retry, "ADO-3205", "answered 500"),
        (Fault(kind="http_429", seconds=3), RetryLater, "ADO-3206", "answered 429"),
        (Fault(kind="failed"), Retry, "ADO-3205", "failed response (server_error)"),
        (Fault(kind="failed", detail="rate_limit_exceeded"), RetryLater, "ADO-3206", "failed response"),
        (Fault(kind="failed", detail="invalid_image"), Terminal, "ADO-3204", "failed response (invalid_image)"),
    ],
    ids=lambda value: f"{value.kind}-{value.detail}" if isinstance(value, Fault) else "",
)
async def test_what_was_not_done_costs_nothing_and_says_what_to_do(
    openai_server: OpenAiServer, fault: Fault, kind: type[Exception], code: str, text: str
) -> None:
    rig = Rig(openai_server)
    openai_server.faults.add(fault)
    with Heard() as heard:
        error = await error_of(_ask(rig))
    assert type(error) is kind
    assert code_of(error) == code
    assert text in str(error)
    assert rig.outcomes == ["failed"]
    assert rig.cost_usd == 0
    assert len(openai_server.requests) == 1, "the engine owns the retries"
    assert not openai_server.charges.counts
    _nothing_secret(shown(error) + heard.text)


@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        (Fault(kind="refusal"), RefusedError, "refuses: \"I'm sorry"),
        (Fault(kind="incomplete"), IncompleteError, "ends early: max_output_tokens. Raise max_output_tokens."),
        (Fault(kind="incomplete", detail="content_filter"), IncompleteError, "ends early: content_filter"),
        (Fault(kind="not_json"), UnusableAnswerError, "something else than a Labels"),
        (Fault(kind="wrong_schema"), UnusableAnswerError, "something else than a Labels"),
    ],
    ids=lambda value: f"{value.kind}-{value.detail}" if isinstance(value, Fault) else "",
)
async def test_an_answer_of_no_use_is_still_paid_for(
    openai_server: OpenAiServer, fault: Fault, kind: type[Exception], text: str
) -> None:
    rig = Rig(openai_server)
    openai_server.faults.add(fault)
    error = await error_of(_ask(rig))
    assert type(error) is kind
    assert isinstance(error, Terminal)
    assert text in str(error)
    assert rig.bill.outcome == "billed"
    assert rig.bill.units["output_tokens"] > 0
    assert rig.cost_usd > 0
    assert openai_server.charges.counts.total() == 1


async def test_why_an_answer_ends_early_can_be_asked(openai_server: OpenAiServer) -> None:
    error = await error_of(
        openai.ask_json(Rig(openai_server).ctx, MODEL, "x", ["y"], schema=Labels, max_output_tokens=16)
    )
    assert isinstance(error, IncompleteError)
    assert error.reason == "max_output_tokens"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="slow", seconds=5),
        Fault(kind="drip", seconds=5),
        Fault(kind="html"),
        Fault(kind="truncate"),
        Fault(kind="reset"),
    ],
    ids=lambda fault: fault.kind,
)
async def test_an_answer_that_was_lost_may_have_been_paid_for(openai_server: OpenAiServer, fault: Fault) -> None:
    rig = Rig(openai_server, openai_timeout_s=0.5)
    openai_server.faults.add(fault)
    with Heard() as heard:
        error = await error_of(_ask(rig))
    assert type(error) is Retry
    assert code_of(error) == "ADO-3205"
    ((wanted, bill),) = rig.calls
    assert bill.outcome == "unknown"
    assert bill.cost_usd == wanted.estimate_usd
    assert (bill.cost_usd or 0) > 0
    _nothing_secret(shown(error) + heard.text)


async def test_a_request_that_never_left_costs_nothing() -> None:
    rig = Rig(openai_base_url="http://127.0.0.1:9/v1")
    error = await error_of(_ask(rig))
    await close_clients()
    assert type(error) is Retry
    assert "no connection" in str(error)
    assert rig.outcomes == ["failed"]


async def test_a_cancelled_call_leaves_its_estimate(openai_server: OpenAiServer) -> None:
    rig = Rig(openai_server)
    openai_server.faults.add(Fault(kind="slow", seconds=5))
    task = asyncio.create_task(_ask(rig))
    while not openai_server.charges.counts:  # noqa: ASYNC110 - the stand-in has no event for it
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert rig.outcomes == ["unknown"]


async def test_vectors_of_another_length_stop_the_analyzer(openai_server: OpenAiServer) -> None:
    rig = Rig(openai_server)
    openai_server.faults.add(Fault(kind="wrong_dimensions", detail="300"))
    error = await error_of(openai.embed_texts(rig.ctx, ["one", "two"], SMALL, dimensions=256))
    assert isinstance(error, ConfigError)
    assert "gave vectors of 300 numbers, asked for 256" in str(error)
    assert rig.outcomes == ["billed"]


async def test_a_missing_vector_is_never_made_up(openai_server: OpenAiServer) -> None:
    rig = Rig(openai_server)
    openai_server.faults.add(Fault(kind="missing_vector", times=2))
    error = await error_of(openai.embed_texts(rig.ctx, ["one", "two"], SMALL))
    assert isinstance(error, UnusableAnswerError)
    assert "1 vectors for 2 texts" in str(error)
    only = await error_of(openai.embed_texts(rig.ctx, ["one"], SMALL))
    assert "0 vectors for 1 texts" in str(only)
    assert rig.outcomes == ["billed", "billed"]


async def test_a_text_that_is_too_long_is_the_items_fault(openai_server: OpenAiServer) -> None:
    error = await error_of(openai.embed_texts(Rig(openai_server).ctx, ["x" * 40_000], SMALL))
    assert type(error) is Terminal
    assert "maximum context length" in str(error)


async def test_an_exhausted_quota_holds_all_calls_without_asking_again(openai_server: OpenAiServer) -> None:
    openai_server.faults.add(Fault(kind="quota_429"))
    first = await error_of(_ask(Rig(openai_server)))
    other = Rig(openai_server)
    second = await error_of(_ask(other))
    assert isinstance(first, Deferred)
    assert first.after == 3600
    assert isinstance(second, Deferred)
    assert 3500 < second.after <= 3600
    assert isinstance(await error_of(openai.embed_texts(other.ctx, ["another model"], SMALL)), Deferred)
    assert len(openai_server.requests) == 1
    assert not other.calls, "nothing was set aside for a call that was not made"


async def test_a_rate_limit_pauses_everybody_with_that_key_and_model(openai_server: OpenAiServer) -> None:
    openai_server.faults.add(Fault(kind="rate_429", seconds=40))
    first = await error_of(_ask(Rig(openai_server)))
    second = await error_of(_ask(Rig(openai_server)))
    assert isinstance(first, RetryLater)
    assert first.seconds == 40
    assert isinstance(second, RetryLater)
    assert 30 < second.seconds <= 40
    assert len(openai_server.requests) == 1
    await openai.embed_texts(Rig(openai_server).ctx, ["another model"], SMALL)


async def test_a_short_pause_is_waited_for(openai_server: OpenAiServer) -> None:
    openai_server.faults.add(Fault(kind="http_429", seconds=1))
    await error_of(_ask(Rig(openai_server)))
    started = asyncio.get_running_loop().time()
    await _ask(Rig(openai_server))
    assert asyncio.get_running_loop().time() - started > 0.7


async def test_nearly_used_up_limits_are_respected_before_the_vendor_refuses() -> None:
    async with OpenAiServer(OpenAiRules(requests_per_minute=3)) as server:
        rig = Rig(server)
        for number in range(3):
            await openai.embed_texts(rig.ctx, [f"text {number}"], SMALL)
        error = await error_of(openai.embed_texts(rig.ctx, ["one too many"], SMALL))
        await close_clients()
    assert isinstance(error, RetryLater)
    assert 15 < error.seconds <= 60
    assert "0 of 3 requests a minute are left" in str(error)
    assert [request.status for request in server.requests] == [200, 200, 200]
    assert rig.outcomes == ["billed"] * 3


async def test_a_real_429_is_told_in_seconds() -> None:
    async with OpenAiServer(OpenAiRules(requests_per_minute=2)) as server:
        answers = await asyncio.gather(*(error_of_or_none(_ask(Rig(server), f"ad {n}")) for n in range(4)))
        await close_clients()
    refused = [error for error in answers if error is not None]
    assert len(refused) == 2
    assert all(isinstance(error, RetryLater) and 0 < error.seconds <= 60 for error in refused)
    assert server.charges.counts.total() == 2


async def error_of_or_none(work: object) -> Exception | None:
    try:
        await work  # type: ignore[misc]  # a coroutine
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return error
    return None


async def test_a_storm_loses_nothing_and_pays_once(openai_server: OpenAiServer) -> None:
    """Whoever asks again after each error, as the engine does, gets every answer and pays for each once."""
    for kind in ("error_500", "error_503", "http_500"):
        openai_server.faults.add(Fault(kind=kind, times=5, after=1))
    rig = Rig(openai_server)

    async def insist(number: int) -> None:
        while (error := await error_of_or_none(_ask(rig, f"ad {number}"))) is not None:
            assert isinstance(error, Retry)

    await asyncio.gather(*(insist(number) for number in range(20)))
    shown_ = openai_server.charges.show()
    assert (shown_.calls, shown_.contents) == (20, 20)
    assert rig.outcomes.count("billed") == 20
    assert rig.outcomes.count("failed") == 15


async def test_a_key_that_is_missing_or_odd_is_a_setting_to_change(openai_server: OpenAiServer) -> None:
    missing = await error_of(_ask(Rig(openai_server, openai_api_key="env:NOT_THERE")))
    odd = await error_of(_ask(Rig(openai_server, openai_api_key="sk-übel\u2013key-value")))
    url = await error_of(_ask(Rig(openai_server, openai_base_url="api.openai.com/v1")))
    assert isinstance(missing, ConfigError)
    assert "NOT_THERE is not set" in str(missing)
    assert isinstance(odd, ConfigError)
    assert "übel" not in shown(odd)
    assert isinstance(url, ConfigError)
    assert url.setting == "analyzers.labels.openai_base_url"
    assert not openai_server.requests


async def test_prices_that_are_not_known_do_not_stop_a_call(openai_server: OpenAiServer) -> None:
    rig = Rig(openai_server)
    await openai.moderate(rig.ctx, picture=picture())
    assert rig.bill.cost_usd == Decimal(0)


def _nothing_secret(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text
        assert secret[-4:] not in text, "not even the end of it"
        assert secret[:8] not in text
