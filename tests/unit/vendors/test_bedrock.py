from __future__ import annotations

import asyncio
from decimal import Decimal

import numpy as np
import pytest

from adology.errors import ConfigError, Deferred, Retry, RetryLater, Terminal, code_of
from adology.vendors import UnusableAnswerError, bedrock, close_clients
from adology.vendors.bedrock import Purpose
from tests.unit.vendors.rig import SECRETS, Heard, Rig, error_of, picture, shown
from upstreams.bedrock import ACCESS_KEY_ID, NOVA, TITAN, BedrockRules, BedrockServer
from upstreams.faults import Fault

pytestmark = pytest.mark.anyio


async def _embed(rig: Rig, model: str = TITAN, seed: int = 1) -> object:
    return await bedrock.embed_image(rig.ctx, model, picture(seed), dimensions=256)


@pytest.mark.parametrize("model", [TITAN, NOVA])
async def test_a_picture_becomes_a_unit_vector_and_is_billed_as_one_picture(
    bedrock_server: BedrockServer, model: str
) -> None:
    rig = Rig(bedrock=bedrock_server)
    first = await bedrock.embed_image(rig.ctx, model, picture(1), dimensions=384)
    same = await bedrock.embed_image(rig.ctx, model, picture(1), dimensions=384)
    other = await bedrock.embed_image(rig.ctx, model, picture(2), dimensions=384)
    assert first.vectors.shape == (1, 384)
    assert first.vectors.dtype == np.float32
    assert np.isclose(np.linalg.norm(first.vectors), 1, atol=1e-5)
    assert np.array_equal(first.vectors, same.vectors)
    assert not np.allclose(first.vectors, other.vectors)
    bill = rig.calls[0][1]
    assert (bill.outcome, bill.model, bill.units["images"]) == ("billed", model, 1)
    assert bill.cost_usd == Decimal("0.00006")
    assert bill.request_id == first.request_id != ""


@pytest.mark.parametrize("model", [TITAN, NOVA])
async def test_a_text_is_billed_by_its_tokens(bedrock_server: BedrockServer, model: str) -> None:
    rig = Rig(bedrock=bedrock_server)
    found = await bedrock.embed_text(rig.ctx, model, "red trainers", dimensions=256)
    assert found.vectors.shape == (1, 256)
    assert found.input_tokens == 3
    ((wanted, bill),) = rig.calls
    assert bill.units == {"input_tokens": 3}
    assert wanted.units["input_tokens"] >= 3
    with pytest.raises(ValueError, match="not empty"):
        await bedrock.embed_text(rig.ctx, model, " ")


async def test_what_is_stored_and_what_asks_have_purposes_of_their_own(bedrock_server: BedrockServer) -> None:
    rig = Rig(bedrock=bedrock_server)
    purposes: tuple[Purpose, ...] = ("GENERIC_INDEX", "IMAGE_RETRIEVAL")
    stored, asking = [
        await bedrock.embed_image(rig.ctx, NOVA, picture(kind="WEBP"), dimensions=256, purpose=purpose)
        for purpose in purposes
    ]
    assert not np.allclose(stored.vectors, asking.vectors)
    params = bedrock_server.asked[0]["singleEmbeddingParams"]
    assert params["image"]["format"] == "webp"
    assert params["embeddingPurpose"] == "GENERIC_INDEX"


@pytest.mark.parametrize(
    ("fault", "kind", "code", "text"),
    [
        (Fault(kind="throttling"), RetryLater, "ADO-3206", "answered 429 ThrottlingException"),
        (Fault(kind="not_ready"), RetryLater, "ADO-3206", "ModelNotReadyException"),
        (Fault(kind="unavailable"), Retry, "ADO-3205", "503 ServiceUnavailableException"),
        (Fault(kind="internal"), Retry, "ADO-3205", "500 InternalServerException"),
        (Fault(kind="model_timeout"), Retry, "ADO-3205", "408 ModelTimeoutException"),
        (Fault(kind="model_error"), Retry, "ADO-3205", "424 ModelErrorException"),
        (Fault(kind="validation"), Terminal, "ADO-3204", "400 ValidationException: 'Malformed input"),
        (Fault(kind="invalid_model"), ConfigError, "ADO-3209", "Not every region has every model"),
        (Fault(kind="not_found"), ConfigError, "ADO-3209", "has no model"),
        (Fault(kind="quota"), Deferred, "ADO-3207", "quota is used up"),
        (Fault(kind="access_denied"), ConfigError, "ADO-3208", "analyzers.labels.model: AWS denies access"),
        (Fault(kind="bad_key"), ConfigError, "ADO-3208", "analyzers.labels.bedrock_access_key_id: AWS refuses"),
        (Fault(kind="expired"), ConfigError, "ADO-3208", "ExpiredTokenException"),
        (Fault(kind="message_200", detail="cannot see"), Terminal, "ADO-3204", "200 with an error: 'cannot see'"),
        (Fault(kind="http_500"), Retry, "ADO-3205", "answered 500"),
        (Fault(kind="http_429", seconds=9), RetryLater, "ADO-3206", "answered 429"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
async def test_what_was_not_done_costs_nothing_and_says_what_to_do(
    bedrock_server: BedrockServer, fault: Fault, kind: type[Exception], code: str, text: str
) -> None:
    rig = Rig(bedrock=bedrock_server)
    bedrock_server.faults.add(fault)
    with Heard() as heard:
        error = await error_of(_embed(rig))
    assert type(error) is kind
    assert code_of(error) == code
    assert text in str(error)
    assert rig.outcomes == ["failed"]
    assert rig.cost_usd == 0
    assert len(bedrock_server.requests) == 1, "the engine owns the retries"
    assert not bedrock_server.charges.counts
    _nothing_secret(shown(error) + heard.text)


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
async def test_an_answer_that_was_lost_may_have_been_paid_for(bedrock_server: BedrockServer, fault: Fault) -> None:
    rig = Rig(bedrock=bedrock_server, bedrock_timeout_s=0.5)
    bedrock_server.faults.add(fault)
    with Heard() as heard:
        error = await error_of(_embed(rig))
    assert type(error) is Retry
    assert code_of(error) == "ADO-3205"
    ((wanted, bill),) = rig.calls
    assert bill.outcome == "unknown"
    assert bill.cost_usd == wanted.estimate_usd
    assert (bill.cost_usd or 0) > 0
    _nothing_secret(shown(error) + heard.text)


async def test_a_request_that_never_left_costs_nothing() -> None:
    rig = Rig()
    error = await error_of(_embed(rig))
    await close_clients()
    assert type(error) is Retry
    assert rig.outcomes == ["failed"]


async def test_an_answer_without_a_vector_or_with_another_is_paid_for_and_refused(
    bedrock_server: BedrockServer,
) -> None:
    for model in (TITAN, NOVA):
        rig = Rig(bedrock=bedrock_server)
        bedrock_server.faults.add(Fault(kind="no_vector"))
        bedrock_server.faults.add(Fault(kind="wrong_dimensions", detail="300"))
        assert isinstance(await error_of(_embed(rig, model)), UnusableAnswerError)
        other = await error_of(_embed(rig, model))
        assert isinstance(other, ConfigError)
        assert "300 numbers, asked for 256" in str(other)
        assert rig.outcomes == ["billed", "billed"]


async def test_what_no_model_takes_is_not_sent(bedrock_server: BedrockServer) -> None:
    rig = Rig(bedrock=bedrock_server)
    webp = await error_of(bedrock.embed_image(rig.ctx, TITAN, picture(kind="WEBP")))
    large = await error_of(bedrock.embed_image(rig.ctx, TITAN, picture() + b"\0" * 20_000_000))
    length = await error_of(bedrock.embed_image(rig.ctx, TITAN, picture(), dimensions=512))
    model = await error_of(bedrock.embed_image(rig.ctx, "amazon.titan-text", picture()))
    assert isinstance(webp, Terminal)
    assert "it takes image/jpeg, image/png" in str(webp)
    assert isinstance(large, Terminal)
    assert "at most 25000000" in str(large)
    assert isinstance(length, ConfigError)
    assert "Allowed: 256, 384, 1024." in str(length)
    assert isinstance(model, ConfigError)
    assert not bedrock_server.requests
    assert not rig.calls


async def test_a_picture_above_the_models_size_is_the_items_fault(bedrock_server: BedrockServer) -> None:
    error = await error_of(bedrock.embed_image(Rig(bedrock=bedrock_server).ctx, TITAN, picture(size=(2100, 20))))
    assert type(error) is Terminal
    assert "2100x20 exceed" in str(error)


async def test_throttling_pauses_everybody_with_that_credential_and_model(bedrock_server: BedrockServer) -> None:
    bedrock_server.faults.add(Fault(kind="throttling", seconds=40))
    first = await error_of(_embed(Rig(bedrock=bedrock_server)))
    second = await error_of(_embed(Rig(bedrock=bedrock_server)))
    assert isinstance(first, RetryLater)
    assert first.seconds == 40
    assert isinstance(second, RetryLater)
    assert len(bedrock_server.requests) == 1
    await _embed(Rig(bedrock=bedrock_server), NOVA)


async def test_a_used_up_quota_closes_that_model_only(bedrock_server: BedrockServer) -> None:
    bedrock_server.faults.add(Fault(kind="quota"))
    assert isinstance(await error_of(_embed(Rig(bedrock=bedrock_server))), Deferred)
    assert isinstance(await error_of(_embed(Rig(bedrock=bedrock_server))), Deferred)
    assert len(bedrock_server.requests) == 1
    await _embed(Rig(bedrock=bedrock_server), NOVA)


async def test_many_at_once_share_one_client_and_pay_once_each(bedrock_server: BedrockServer) -> None:
    rig = Rig(bedrock=bedrock_server)
    await asyncio.gather(*(_embed(rig, seed=number) for number in range(40)))
    state = bedrock_server.charges.show()
    assert (state.calls, state.contents) == (40, 40)
    assert rig.outcomes == ["billed"] * 40


async def test_a_model_without_access_is_a_setting_to_change() -> None:
    rules = BedrockRules(denied_models=frozenset({TITAN}))
    async with BedrockServer(rules) as server:
        error = await error_of(_embed(Rig(bedrock=server)))
        await close_clients()
    assert isinstance(error, ConfigError)
    assert "request access to the model" in str(error)


def _nothing_secret(text: str) -> None:
    for secret in (*SECRETS, ACCESS_KEY_ID):
        assert secret not in text
