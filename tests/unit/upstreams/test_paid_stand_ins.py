"""What the stand-ins of paid vendors promise to tests: determinism, charges by content, real limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
import pytest

from tests.unit.upstreams.meta_world import Clock
from upstreams.bedrock import BedrockServer
from upstreams.charges import Charges, content_key
from upstreams.faults import Fault
from upstreams.openai import API_KEY, OpenAiRules, OpenAiServer
from upstreams.openai.limits import go_duration
from upstreams.vectors import vector_of

pytestmark = pytest.mark.anyio

HEADERS = {"Authorization": f"Bearer {API_KEY}"}
HELLO = {"model": "gpt-5-mini", "input": "hello"}


class Got(NamedTuple):
    status: int
    headers: Mapping[str, str]
    text: str


async def _post(server: OpenAiServer, body: Mapping[str, object], path: str = "/v1/responses") -> Got:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.origin}{path}", json=body, headers=HEADERS) as answer,
    ):
        return Got(answer.status, answer.headers, await answer.text())


async def test_what_was_charged_for_can_be_asked_from_another_process() -> None:
    async with OpenAiServer() as server, aiohttp.ClientSession() as session:
        await _post(server, HELLO)
        await _post(server, HELLO)
        await _post(server, {**HELLO, "input": "other"})
        async with session.get(f"{server.origin}/_paid") as answer:
            shown = await answer.json()
        assert (shown["calls"], shown["contents"], list(shown["twice"].values())) == (3, 2, [2])
        assert len(server.requests) == 3, "looking is no request"
        async with session.post(f"{server.origin}/_reset") as answer:
            assert answer.status == 204
        assert not server.charges.counts


async def test_a_fault_takes_no_control_request() -> None:
    async with BedrockServer() as server, aiohttp.ClientSession() as session:
        server.faults.add(Fault(kind="http_500"))
        async with session.get(f"{server.origin}/_paid") as answer:
            assert answer.status == 200
        assert server.faults.active()


async def test_faults_about_answers_leave_other_paths_alone() -> None:
    async with OpenAiServer() as server:
        server.faults.add(Fault(kind="refusal"))
        server.faults.add(Fault(kind="wrong_dimensions"))
        answer = await _post(server, {"input": "hello"}, "/v1/moderations")
        assert answer.status == 200
        assert len(server.faults.active()) == 2


async def test_a_minutes_requests_run_out_and_come_back() -> None:
    clock = Clock()
    async with OpenAiServer(OpenAiRules(requests_per_minute=2), clock=clock) as server:
        first, second, third = [await _post(server, HELLO) for _ in range(3)]
        assert [first.status, second.status, third.status] == [200, 200, 429]
        assert second.headers["x-ratelimit-remaining-requests"] == "0"
        assert second.headers["x-ratelimit-reset-requests"] == "1m0s"
        assert third.headers["Retry-After"] == "30"
        clock.move(30)
        assert (await _post(server, HELLO)).status == 200


async def test_tokens_run_out_as_well_and_one_request_may_be_too_large() -> None:
    async with OpenAiServer(OpenAiRules(tokens_per_minute=100), clock=Clock()) as server:
        assert (await _post(server, {**HELLO, "max_output_tokens": 90})).status == 200
        refused = await _post(server, {**HELLO, "max_output_tokens": 90})
        assert refused.status == 429
        assert "tokens per min" in refused.text
        assert refused.headers["Retry-After"] != "0"
        large = await _post(server, {**HELLO, "max_output_tokens": 200})
        assert "Request too large" in large.text


def test_a_content_is_the_same_in_any_order_of_its_fields() -> None:
    charges = Charges()
    assert charges.charge({"a": 1, "b": [2]}) == charges.charge({"b": [2], "a": 1}) == content_key({"a": 1, "b": [2]})
    charges.charge({"a": 2})
    assert charges.show().calls == 3
    assert charges.show().contents == 2


def test_vectors_differ_by_content_and_by_space() -> None:
    one = vector_of("m", b"x", 64)
    assert (one == vector_of("m", b"x", 64)).all()
    assert abs(float(one @ vector_of("m", b"y", 64))) < 0.6
    assert abs(float(one @ vector_of("n", b"x", 64))) < 0.6


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.012, "12ms"), (1, "1s"), (1.5, "1.5s"), (60, "1m0s"), (360, "6m0s"), (3661.25, "1h1m1.25s")],
)
def test_durations_are_written_as_go_does(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text
