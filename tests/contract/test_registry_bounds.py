"""The registry stays within its bounds, and says so, without losing what it has counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.unit.registry.serving import foreign, running

pytestmark = pytest.mark.anyio


async def test_a_body_announced_as_too_large_is_413_before_a_byte_of_it_is_read() -> None:
    async with running(max_body_bytes=1024) as origin:
        host, _, port = origin.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /submit HTTP/1.1\r\nHost: x\r\nContent-Length: 1025\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert head.startswith(b"HTTP/1.1 413 ")
        writer.close()
        await writer.wait_closed()


async def test_a_body_of_unknown_length_is_413_as_soon_as_it_passes_the_limit() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 512

    async with (
        foreign(max_body_bytes=1024) as other,
        other.session.post(f"{other.origin}/submit", data=endless()) as response,
    ):
        problem = await response.json(content_type="application/problem+json")
    assert response.status == 413
    assert problem["code"] == "ADO-5708"
    assert "1024" in problem["detail"]
    assert "max_body_bytes" in problem["detail"]


async def test_a_body_of_just_the_limit_is_read() -> None:
    async with foreign(max_body_bytes=1024) as other:
        body = '{"brand":"nike","expected_count":1}'
        assert (await other.post("/start", body.ljust(1024))).status == 200
        assert (await other.post("/start", body.ljust(1025))).status == 413


async def test_a_full_memory_refuses_with_507_and_keeps_what_was_counted() -> None:
    async with foreign(max_held_bytes=20_000) as other:
        await other.post("/start", '{"brand":"nike","expected_count":100}')
        statuses = []
        for n in range(30):
            result = f'{{"url":"u{n}","metadata":{{"text":"{"x" * 1000}"}}}}'
            statuses.append((await other.post("/submit", f'{{"brand":"nike","result":{result}}}')).status)
        counted = statuses.count(200)
        assert statuses == [200] * counted + [507] * (30 - counted)
        assert 10 < counted < 20

        big = ",".join(f'{{"url":"v{n}","metadata":{{"text":"{"x" * 1000}"}}}}' for n in range(20))
        refused = await other.post("/submit-many", f'{{"brand":"nike","results":[{big}]}}')
        assert (refused.status, refused.body["code"]) == (507, "ADO-5706")
        assert "max_held_bytes" in refused.body["detail"]
        # A replacement that would not fit leaves the older result where it is.
        huge = f'{{"url":"u0","metadata":{{"text":"{"y" * 19_000}"}}}}'
        assert (await other.post("/submit", f'{{"brand":"nike","result":{huge}}}')).status == 507
        held = (await other.get("/results/nike")).body
        assert [one["url"] for one in held] == [f"u{n}" for n in range(counted)]
        assert held[0]["metadata"]["text"] == "x" * 1000

        # What is committed makes room again.
        await other.post("/commit-complete", '{"brand":"nike"}')
        assert (await other.get("/healthz")).body["held_bytes"] == 0
        assert (await other.post("/start", '{"brand":"nike","expected_count":1}')).status == 200


async def test_starts_alone_cannot_fill_the_memory_either() -> None:
    async with foreign(max_held_bytes=10_000) as other:
        statuses = [(await other.post("/start", f'{{"brand":"b{n}","expected_count":9}}')).status for n in range(20)]
        assert statuses == [200] * 9 + [507] * 11


async def test_long_result_lists_come_in_pieces_and_whole() -> None:
    async with foreign() as other:
        await other.post("/start", '{"brand":"nike","expected_count":3000}')
        numbers = ",".join(["0.25"] * 64)
        for first in range(0, 3000, 500):
            results = ",".join(f'{{"url":"u{n}","embedding":[{numbers}]}}' for n in range(first, first + 500))
            assert (await other.post("/submit-many", f'{{"brand":"nike","results":[{results}]}}')).status == 200
        for accept in ("application/json", "application/msgpack"):
            answer = await other.get("/results/nike", Accept=accept)
            assert answer.headers["transfer-encoding"] == "chunked"
            assert [one["url"] for one in answer.body] == [f"u{n}" for n in range(3000)]
