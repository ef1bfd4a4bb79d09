"""The vendor's own client works against the stand-in unchanged, so the stand-in speaks as the vendor does."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import openai
import pydantic
import pytest

from tests.unit.vendors.rig import picture
from upstreams.faults import Fault
from upstreams.openai import API_KEY, OpenAiRules, OpenAiServer

pytestmark = pytest.mark.anyio

MODEL = "gpt-5-mini"
SMALL = "text-embedding-3-small"


class Labels(pydantic.BaseModel):
    hook: str
    sure: bool


@pytest.fixture
async def server() -> AsyncIterator[OpenAiServer]:
    async with OpenAiServer(OpenAiRules(batch_polls=2)) as started:
        yield started


@pytest.fixture
async def client(server: OpenAiServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key=API_KEY, base_url=f"{server.origin}/v1") as made:
        yield made


def _content(text: str = "Sale!") -> list[Any]:
    url = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
    parts = [{"type": "input_text", "text": text}, {"type": "input_image", "image_url": url, "detail": "low"}]
    return [{"role": "user", "content": parts}]


async def _parse(client: openai.AsyncOpenAI, **given: Any) -> Any:
    return await client.responses.parse(model=MODEL, input=_content(), text_format=Labels, **given)


async def test_structured_output_is_parsed_by_the_client(client: openai.AsyncOpenAI) -> None:
    answer = await _parse(client, instructions="Label the ad.")
    assert isinstance(answer.output_parsed, Labels)
    assert answer.status == "completed"
    assert answer.model == "gpt-5-mini-2025-08-07"
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert answer.usage.output_tokens_details.reasoning_tokens > 0
    assert answer._request_id.startswith("req_")
    assert [item.type for item in answer.output] == ["reasoning", "message"]


async def test_a_refusal_parses_to_nothing_without_an_exception(
    client: openai.AsyncOpenAI, server: OpenAiServer
) -> None:
    server.faults.add(Fault(kind="refusal"))
    answer = await _parse(client)
    assert (answer.output_parsed, answer.output_text) == (None, "")


async def test_an_incomplete_answer_breaks_the_clients_parser(client: openai.AsyncOpenAI, server: OpenAiServer) -> None:
    server.faults.add(Fault(kind="incomplete"))
    with pytest.raises(pydantic.ValidationError):
        await _parse(client)
    answer = await client.responses.create(model=MODEL, input="hello", max_output_tokens=16)
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"


async def test_a_failed_response_raises_nothing(client: openai.AsyncOpenAI, server: OpenAiServer) -> None:
    server.faults.add(Fault(kind="failed", detail="image_too_large"))
    answer = await client.responses.create(model=MODEL, input="hello")
    assert answer.status == "failed"
    assert answer.error is not None
    assert answer.error.code == "image_too_large"


async def test_a_proxys_page_comes_back_as_text(client: openai.AsyncOpenAI, server: OpenAiServer) -> None:
    server.faults.add(Fault(kind="html"))
    answer: Any = await client.responses.create(model=MODEL, input="hello")
    assert isinstance(answer, str)


async def test_embeddings_are_base64_of_float32_and_have_an_index(
    client: openai.AsyncOpenAI, server: OpenAiServer
) -> None:
    answer = await client.embeddings.create(model=SMALL, input=["one", "two"], dimensions=64)
    assert server.asked[0]["encoding_format"] == "base64"
    rows = {row.index: row.embedding for row in answer.data}
    plain = await client.embeddings.create(model=SMALL, input="two", dimensions=64, encoding_format="float")
    assert np.allclose(rows[1], plain.data[0].embedding, atol=1e-6)
    assert np.isclose(np.linalg.norm(rows[0]), 1, atol=1e-5)
    assert answer.usage.prompt_tokens == 2
    server.faults.add(Fault(kind="missing_vector"))
    with pytest.raises(ValueError, match="No embedding data"):
        await client.embeddings.create(model=SMALL, input="one")


async def test_moderation_takes_text_and_a_picture(client: openai.AsyncOpenAI) -> None:
    url = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
    parts: list[Any] = [{"type": "text", "text": "nude"}, {"type": "image_url", "image_url": {"url": url}}]
    answer = await client.moderations.create(input=parts)
    assert len(answer.results) == 1
    assert answer.results[0].flagged
    assert answer.results[0].categories.sexual
    assert answer.results[0].category_applied_input_types.hate == ["text"]
    both = await client.moderations.create(input=["one", "two"])
    assert [row.flagged for row in both.results] == [False, False]


async def test_the_limits_are_told_in_headers_with_go_durations(client: openai.AsyncOpenAI) -> None:
    raw = await client.responses.with_raw_response.create(model=MODEL, input="hello")
    assert raw.headers["x-ratelimit-limit-requests"] == "5000"
    assert raw.headers["x-ratelimit-remaining-requests"] == "4999"
    assert raw.headers["x-ratelimit-reset-requests"] == "12ms"
    assert {"x-request-id", "openai-processing-ms", "openai-version"} <= set(raw.headers)


@pytest.mark.parametrize(
    ("kind", "error", "status", "code"),
    [
        ("rate_429", openai.RateLimitError, 429, "rate_limit_exceeded"),
        ("quota_429", openai.RateLimitError, 429, "insufficient_quota"),
        ("error_500", openai.InternalServerError, 500, None),
        ("error_503", openai.InternalServerError, 503, None),
        ("bad_key", openai.AuthenticationError, 401, "invalid_api_key"),
        ("forbidden", openai.PermissionDeniedError, 403, "missing_scope"),
        ("model_not_found", openai.NotFoundError, 404, "model_not_found"),
        ("bad_image", openai.BadRequestError, 400, "invalid_image_format"),
    ],
)
async def test_a_refusal_is_the_clients_own_error(
    client: openai.AsyncOpenAI,
    server: OpenAiServer,
    kind: str,
    error: type[openai.APIStatusError],
    status: int,
    code: str,
) -> None:
    server.faults.add(Fault(kind=kind))
    with pytest.raises(error) as caught:
        await client.with_options(max_retries=0).responses.create(model=MODEL, input="hello")
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert caught.value.request_id is not None


async def test_the_clients_own_retries_repeat_even_an_exhausted_quota(
    client: openai.AsyncOpenAI, server: OpenAiServer
) -> None:
    server.faults.add(Fault(kind="quota_429", times=-1))
    with pytest.raises(openai.RateLimitError):
        await client.with_options(max_retries=1).responses.create(model=MODEL, input="hello")
    assert len(server.requests) == 2


async def test_a_hanging_answer_was_charged_for(client: openai.AsyncOpenAI, server: OpenAiServer) -> None:
    server.faults.add(Fault(kind="slow", seconds=3))
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(max_retries=0, timeout=0.3).responses.create(model=MODEL, input="hello")
    assert server.charges.counts.total() == 1


async def test_what_the_vendor_does_not_take_is_a_400_in_its_words(client: openai.AsyncOpenAI) -> None:
    loose: Any = {"format": {"type": "json_schema", "name": "x", "strict": True, "schema": {"type": "object"}}}
    with pytest.raises(openai.BadRequestError, match="Invalid schema for response_format 'x'"):
        await client.responses.create(model=MODEL, input="hello", text=loose)
    broken: Any = [{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]}]
    with pytest.raises(openai.BadRequestError, match="valid image"):
        await client.responses.create(model=MODEL, input=broken)
    with pytest.raises(openai.BadRequestError, match="dimensions"):
        await client.embeddings.create(model=SMALL, input="one", dimensions=9999)
    with pytest.raises(openai.BadRequestError, match="empty string"):
        await client.embeddings.create(model=SMALL, input="")
    with pytest.raises(openai.NotFoundError):
        await client.embeddings.create(model="text-embedding-9", input="one")


async def test_a_batch_is_answered_later_in_no_order_with_failures_apart(
    client: openai.AsyncOpenAI, server: OpenAiServer
) -> None:
    lines = [_line(f"ad-{number}", {"model": SMALL, "input": f"text {number}"}) for number in range(5)]
    lines.append(_line("bad", {"model": SMALL, "input": ""}))
    given = await client.files.create(file=("in.jsonl", "\n".join(lines).encode()), purpose="batch")
    batch = await client.batches.create(
        input_file_id=given.id, endpoint="/v1/embeddings", completion_window="24h", metadata={"why": "back-fill"}
    )
    assert batch.status == "validating"
    assert (await client.batches.retrieve(batch.id)).status == "in_progress"
    done = await client.batches.retrieve(batch.id)
    assert done.status == "completed"
    assert done.request_counts is not None
    assert (done.request_counts.completed, done.request_counts.failed) == (5, 1)
    assert done.output_file_id
    assert done.error_file_id
    rows = [json.loads(line) for line in (await client.files.content(done.output_file_id)).text.splitlines()]
    assert {row["custom_id"] for row in rows} == {f"ad-{number}" for number in range(5)}
    assert [row["custom_id"] for row in rows] != [f"ad-{number}" for number in range(5)]
    assert all(row["response"]["body"]["usage"]["prompt_tokens"] for row in rows)
    (bad,) = [json.loads(line) for line in (await client.files.content(done.error_file_id)).text.splitlines()]
    assert (bad["custom_id"], bad["response"]["status_code"]) == ("bad", 400)
    assert server.charges.counts.total() == 5


async def test_a_batch_of_bad_lines_fails_as_a_whole(client: openai.AsyncOpenAI) -> None:
    given = await client.files.create(file=("in.jsonl", b"not json\n"), purpose="batch")
    batch = await client.batches.create(input_file_id=given.id, endpoint="/v1/embeddings", completion_window="24h")
    await client.batches.retrieve(batch.id)
    done = await client.batches.retrieve(batch.id)
    assert done.status == "failed"
    assert done.errors is not None
    assert done.errors.data is not None
    assert done.errors.data[0].line == 1
    other = await client.batches.create(input_file_id=given.id, endpoint="/v1/embeddings", completion_window="24h")
    assert (await client.batches.cancel(other.id)).status == "cancelling"


async def test_a_batch_ends_early_with_what_was_answered(client: openai.AsyncOpenAI, server: OpenAiServer) -> None:
    lines = "\n".join(_line(f"ad-{number}", {"model": SMALL, "input": f"text {number}"}) for number in range(4))
    given = await client.files.create(
        file=("in.jsonl", lines.encode()), purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    for kind, state in (("batch_expires", "expired"), ("batch_stops", "cancelled")):
        server.faults.add(Fault(kind=kind, detail="1"))
        batch = await client.batches.create(
            input_file_id=given.id, endpoint="/v1/embeddings", completion_window="24h", metadata={"mine": kind}
        )
        await client.batches.retrieve(batch.id)
        done = await client.batches.retrieve(batch.id)
        assert done.status == state
        assert done.output_file_id
        assert done.error_file_id
        assert len((await client.files.content(done.output_file_id)).text.splitlines()) == 1
        left = [json.loads(line) for line in (await client.files.content(done.error_file_id)).text.splitlines()]
        assert {(row["response"], row["error"]["code"]) for row in left} == {(None, f"batch_{state}")}
    assert server.charges.counts.total() == 2


async def test_batches_are_listed_in_pages_newest_first_and_files_can_be_deleted(client: openai.AsyncOpenAI) -> None:
    given = await client.files.create(file=("in.jsonl", b"{}\n"), purpose="batch")
    made = [
        await client.batches.create(
            input_file_id=given.id, endpoint="/v1/embeddings", completion_window="24h", metadata={"n": str(number)}
        )
        for number in range(5)
    ]
    found = [batch async for batch in client.batches.list(limit=2)]
    assert [batch.id for batch in found] == [batch.id for batch in reversed(made)]
    assert [(batch.metadata or {})["n"] for batch in found] == ["4", "3", "2", "1", "0"]
    assert (await client.files.delete(given.id)).deleted
    with pytest.raises(openai.NotFoundError):
        await client.files.content(given.id)


def _line(name: str, body: dict[str, Any]) -> str:
    return json.dumps({"custom_id": name, "method": "POST", "url": "/v1/embeddings", "body": body})
