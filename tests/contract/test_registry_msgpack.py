"""MessagePack for workers: float32 bytes in, the same bytes out; JSON sees the same results."""

from __future__ import annotations

import base64
import struct

import msgspec
import pytest

from tests.unit.registry.serving import foreign

pytestmark = pytest.mark.anyio

encode = msgspec.msgpack.encode
NUMBERS = [0.1, -2.5, 3e-7, 16777216.0]
FLOAT32 = struct.pack("<4f", *NUMBERS)


@pytest.mark.parametrize("kind", ["application/msgpack", "application/x-msgpack", "application/vnd.msgpack"])
async def test_float32_bytes_come_back_as_they_went_in(kind: str) -> None:
    async with foreign() as other:
        header = {"Content-Type": kind}
        started = await other.post("/start", encode({"brand": "nike", "expected_count": 1}), **header)
        assert started.headers["content-type"] == "application/msgpack"
        result = {"url": "u", "embedding": FLOAT32, "s3_path": "s3://b/k", "analyses": {"colours": "k1"}}
        answer = await other.post("/submit", encode({"brand": "nike", "result": result}), **header)
        assert answer.body["should_commit"] is True
        assert (await other.get("/results/nike", Accept=kind)).body == [result]
        assert (await other.get("/results/nike")).body == [{**result, "embedding": NUMBERS}]


async def test_json_embeddings_are_float32_bytes_for_workers() -> None:
    async with foreign() as other:
        await other.post("/start", '{"brand":"nike","expected_count":1}')
        await other.post("/submit", '{"brand":"nike","result":{"url":"u","embedding":[0.1,-2.5,3e-7,16777216]}}')
        held = (await other.get("/results/nike", Accept="application/msgpack")).body
        assert held == [{"url": "u", "embedding": FLOAT32, "s3_path": None}]


async def test_msgpack_lists_of_numbers_are_understood_too() -> None:
    async with foreign() as other:
        await other.post("/start", '{"brand":"nike","expected_count":1}')
        body = encode({"brand": "nike", "result": {"url": "u", "embedding": [1, 0.5]}})
        await other.post("/submit", body, **{"Content-Type": "application/msgpack"})
        assert (await other.get("/results/nike")).body[0]["embedding"] == [1.0, 0.5]


async def test_json_takes_the_bytes_as_base64_too() -> None:
    async with foreign() as other:
        await other.post("/start", '{"brand":"nike","expected_count":1}')
        text = base64.b64encode(FLOAT32).decode()
        await other.post("/submit", f'{{"brand":"nike","result":{{"url":"u","embedding":"{text}"}}}}')
        assert (await other.get("/results/nike")).body[0]["embedding"] == NUMBERS


async def test_accept_decides_over_the_request_type() -> None:
    async with foreign() as other:
        packed = encode({"brand": "nike", "expected_count": 1})
        as_json = await other.post(
            "/start", packed, **{"Content-Type": "application/msgpack", "Accept": "application/json"}
        )
        assert as_json.headers["content-type"] == "application/json"
        plain = '{"brand":"nike","expected_count":1}'
        as_msgpack = await other.post("/start", plain, Accept="application/msgpack")
        assert as_msgpack.headers["content-type"] == "application/msgpack"
        assert as_json.body == as_msgpack.body
        for path in ("/brands", "/brands/nike", "/healthz"):
            assert (await other.get(path, Accept="application/msgpack")).headers["content-type"].endswith("msgpack")


@pytest.mark.parametrize(
    ("embedding", "words"),
    [
        (b"\x00" * 7, "7 bytes"),
        (struct.pack("<2f", 1.0, float("nan")), "not finite"),
        (struct.pack("<f", float("inf")), "not finite"),
        ([1.0, float("inf")], "not finite"),
        ([1e300], "too large for float32"),
    ],
)
async def test_embeddings_that_are_no_numbers_are_400(embedding: object, words: str) -> None:
    async with foreign() as other:
        body = encode({"brand": "nike", "result": {"url": "u", "embedding": embedding}})
        answer = await other.post("/submit", body, **{"Content-Type": "application/msgpack"})
        assert (answer.status, answer.body["field"]) == (400, "result.embedding")
        assert answer.headers["content-type"] == "application/problem+json"
        assert words in answer.body["detail"]


async def test_what_is_not_msgpack_is_400() -> None:
    async with foreign() as other:
        answer = await other.post("/start", b"\xc1{", **{"Content-Type": "application/msgpack"})
        assert (answer.status, answer.body["code"]) == (400, "ADO-5707")
        assert "is not MessagePack" in answer.body["detail"]
