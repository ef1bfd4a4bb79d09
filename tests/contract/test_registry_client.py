"""`HttpRegistry` against the real service: the protocol's calls, their answers and their errors."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import msgspec
import pytest

from adology.abc.sink import ItemResult
from adology.errors import Retry
from adology.log import logger
from adology.registry_client import (
    BrandActiveError,
    CommitLeaseLostError,
    HttpRegistry,
    Registry,
    RegistryRefusedError,
    StaleBatchError,
    UnknownBrandError,
)
from adology.registry_client import http as client_module
from tests.unit.registry.serving import running

pytestmark = pytest.mark.anyio

FULL = ItemResult(
    url="https://cdn/1.mp4",
    embedding=struct.pack("<3f", 0.1, -1.0, 3e-7),
    s3_path="s3://b/assets/aa/1.mp4",
    sha256="a" * 64,
    kind="video",
    content_type="video/mp4",
    size_bytes=2**40,
    width=1,
    height=2,
    duration_s=1.5,
    thumbnail="derived/1.jpg",
    duplicate=True,
    fetched_bytes=3,
    analyses={"colours": "k1"},
    analyses_run=1,
    source="facebook",
    ad_id="42",
    ad_analyses={"copy": "k2"},
    error_code="ADO-1",
    error="why",
    metadata={"a": [1, {"b": None}]},
)


async def test_it_is_the_protocol() -> None:
    registry: Registry = HttpRegistry("http://127.0.0.1:1")
    assert registry is not None


async def test_a_batch_from_start_to_complete() -> None:
    async with running() as origin, HttpRegistry(origin) as registry:
        assert await registry.progress("nike") is None
        started = await registry.start("nike", 2, "b1")
        assert (started.should_commit, started.batch_id, started.expected_count) == (False, "b1", 2)
        assert (await registry.submit("nike", "b1", FULL)).received == 1
        failed = ItemResult(url="https://cdn/2.jpg", status="failed", error="gone")
        last = await registry.submit("nike", "b1", failed)
        assert last.should_commit
        assert last.lease_s == 60.0
        assert last.epoch == started.epoch
        await registry.renew("nike", "b1", last.lease_token)
        progress = await registry.progress("nike")
        assert progress is not None
        assert (progress.state, progress.received, progress.failed) == ("committing", 2, 1)
        assert await registry.results("nike", "b1") == [FULL, failed]
        assert [brand.brand for brand in await registry.brands()] == ["nike"]
        await registry.complete("nike", "b1", last.lease_token)
        await registry.complete("nike", "b1", last.lease_token)
        assert await registry.brands() == []


async def test_errors_arrive_as_what_they_were() -> None:
    async with running() as origin, HttpRegistry(origin) as registry:
        with pytest.raises(UnknownBrandError, match="'nike' has no active batch"):
            await registry.submit("nike", "b1", FULL)
        await registry.start("nike", 1, "b1")
        with pytest.raises(BrandActiveError, match="b1") as active:
            await registry.start("nike", 1, "b2")
        assert active.value.batch_id == "b1"
        with pytest.raises(StaleBatchError, match="not with batch b0"):
            await registry.submit("nike", "b0", FULL)
        with pytest.raises(CommitLeaseLostError, match="not held"):
            await registry.renew("nike", "b1", "made-up")
        with pytest.raises(CommitLeaseLostError):
            await registry.complete("nike", "b1", "made-up")
        with pytest.raises(StaleBatchError):
            await registry.complete("nike", "b0")
        with pytest.raises(RegistryRefusedError, match=r"submit with status 400: .*url"):
            await registry.submit("nike", "b1", ItemResult(url=""))


async def test_results_of_a_batch_that_is_not_active_are_none() -> None:
    async with running() as origin, HttpRegistry(origin) as registry:
        assert await registry.results("nike", "b1") == []
        await registry.start("nike", 2, "b1")
        await registry.submit("nike", "b1", FULL)
        assert await registry.results("nike", "b0") == []
        assert await registry.results("nike") == [FULL]


async def test_a_released_lease_is_won_by_the_next_submit_and_may_be_released_twice() -> None:
    async with running() as origin, HttpRegistry(origin) as registry:
        token = (await registry.start("nike", 0, "b1")).lease_token
        await registry.release("nike", "b1", token)
        await registry.release("nike", "b1", token)
        assert (await registry.submit("nike", "b1", FULL)).should_commit


async def test_brand_names_of_any_printable_kind_find_their_way() -> None:
    async with running() as origin, HttpRegistry(origin) as registry:
        for name in ("AC/DC", "50% off?", "Söhne & Co.+#", "日本", "a//b", "a/../b", "x y", "%2F"):
            await registry.start(name, 1, "b")
            progress = await registry.progress(name)
            assert progress is not None
            assert progress.brand == name
            await registry.submit(name, "b", ItemResult(url=name))
            assert [one.url for one in await registry.results(name, "b")] == [name]


async def test_all_brands_come_whatever_the_page_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PAGE", 2)
    names = ["a&b", "c", "d+e", "f", "g"]
    async with running() as origin, HttpRegistry(origin) as registry:
        for name in names:
            await registry.start(name, 1, "b")
        assert [brand.brand for brand in await registry.brands()] == names


async def test_many_results_go_in_chunks_and_the_commit_won_by_any_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "CHUNK_BYTES", 400)
    results = [ItemResult(url=f"u{n}", metadata={"x": "y" * 100}) for n in range(20)]
    async with running(max_body_bytes=1024) as origin, HttpRegistry(origin) as registry:
        await registry.start("nike", 10, "b")
        answer = await registry.submit_many("nike", "b", results)
        assert answer.should_commit
        assert answer.received == 20
        # The lease is real, though it was not the last chunk that won it.
        await registry.renew("nike", "b", answer.lease_token)
        assert await registry.results("nike", "b") == results
        assert not (await registry.submit_many("nike", "b", [])).should_commit
        await registry.release("nike", "b", answer.lease_token)
        assert (await registry.submit_many("nike", "b", [])).should_commit


async def test_a_lease_won_by_a_chunk_is_given_back_when_a_later_chunk_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "CHUNK_BYTES", 10)
    async with running() as origin, HttpRegistry(origin) as registry:
        await registry.start("nike", 1, "b")
        with pytest.raises(RegistryRefusedError):
            await registry.submit_many("nike", "b", [ItemResult(url="good"), ItemResult(url="")])
        assert (await registry.submit("nike", "b", ItemResult(url="good"))).should_commit


async def test_a_restarted_registry_is_reached_again_and_seen_to_be_another() -> None:
    async with running() as origin:
        registry = HttpRegistry(origin)
        before = (await registry.start("nike", 1, "b")).epoch
    port = int(origin.rpartition(":")[2])
    async with running(port=port), registry:
        # The pool still has the connection to the first life.
        with pytest.raises(UnknownBrandError):
            await registry.submit("nike", "b", FULL)
        assert (await registry.start("nike", 1, "b")).epoch != before


async def test_a_registry_that_is_down_is_a_retry_that_names_its_address() -> None:
    async with running() as origin:
        pass
    async with HttpRegistry(origin) as registry:
        with pytest.raises(Retry, match=rf"{origin} could not start after 3 tries.*registry\.url") as nobody:
            await registry.start("nike", 1, "b")
    assert nobody.value.code == "ADO-5705"


async def test_a_full_registry_is_a_retry_that_tells_why() -> None:
    async with running(max_held_bytes=2000) as origin, HttpRegistry(origin) as registry:
        await registry.start("nike", 1, "b")
        with pytest.raises(Retry, match=r"status 507: .*max_held_bytes"):
            await registry.submit("nike", "b", ItemResult(url="u", metadata={"x": "y" * 2000}))


async def test_every_try_leaves_a_log_line_with_operation_duration_and_status() -> None:
    lines: list[dict[str, Any]] = []
    sink = logger.add(lambda message: lines.append(dict(message.record["extra"])), level="DEBUG")
    try:
        async with running() as origin, HttpRegistry(origin) as registry:
            await registry.start("nike", 1, "b")
            await registry.progress("adidas")
    finally:
        logger.remove(sink)
    calls = [line for line in lines if line.get("service") == "registry"]
    assert [(line["operation"], line["status"], line["outcome"]) for line in calls] == [
        ("start", 200, "ok"),
        ("brand", 404, "ok"),
    ]
    assert all(line["duration_ms"] > 0 for line in calls)


async def test_many_calls_at_once_share_the_pool() -> None:
    async with running() as origin, HttpRegistry(origin) as registry:
        await registry.start("nike", 200, "b")
        answers = await asyncio.gather(
            *(registry.submit("nike", "b", msgspec.structs.replace(FULL, url=f"u{n}")) for n in range(200))
        )
        assert sorted(answer.received for answer in answers) == list(range(1, 201))
        assert [answer.received for answer in answers if answer.should_commit] == [200]
