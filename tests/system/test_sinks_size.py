"""A large batch: bounded time, and memory that does not follow its size."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from adology import CommittedAd, ItemResult
from adology.settings import AdologySettings
from adology_mongo import MongoSink
from adology_postgres import PostgresSink
from tests.system.batches import ListBatch, make_ad, make_result, open_batch, opened, scalar, shown

pytestmark = pytest.mark.anyio
ADS = 5000
MEDIA_EACH = 3
LONGEST_S = 30.0
MOST_BYTES = 48 * 1024 * 1024
"""Of Python memory; the batch itself would take more than twice as much."""


def make_large(batch_id: str, analyses: dict[str, dict[str, Any]]) -> ListBatch:
    def ads() -> Iterator[CommittedAd]:
        for n in range(ADS):
            urls = [f"http://cdn/{n}-{m}.jpg" for m in range(MEDIA_EACH)]
            yield shown(make_ad(f"ad-{n}", *urls, raw={"text": f"{n}" * 4000, "nested": [{"a.b": n}] * 20}))

    def results() -> Iterator[ItemResult]:
        for n in range(ADS):
            for m in range(MEDIA_EACH):
                yield make_result(
                    f"http://cdn/{n}-{m}.jpg",
                    embedding=b"\1" * 512 if n % 5 == m else None,
                    analyses={"media": f"k{n}"},
                )

    return ListBatch(batch_id, ads=ads, results=results, analyses=analyses)


async def test_five_thousand_ads_commit_in_bounded_time(store_settings: AdologySettings) -> None:
    batch = make_large(await open_batch(store_settings), {f"k{n}": {"result": {"n": n}} for n in range(ADS)})
    started = time.monotonic()
    async with opened(MongoSink(), store_settings) as (documents, context):
        await documents.write(context, batch)
    async with opened(PostgresSink(), store_settings) as (sink, context):
        await sink.write(context, batch)
    took = time.monotonic() - started
    assert scalar(store_settings, "select count(*) from ads") == ADS
    assert scalar(store_settings, "select count(*) from ad_assets") == ADS * MEDIA_EACH
    assert took < LONGEST_S


async def test_memory_does_not_follow_the_size_of_the_batch(store_settings: AdologySettings) -> None:
    batch = make_large(await open_batch(store_settings), {})
    async with (
        opened(MongoSink(), store_settings) as (documents, first),
        opened(PostgresSink(), store_settings) as (sink, second),
    ):
        await asyncio.sleep(0)
        tracemalloc.start()
        try:
            await documents.write(first, batch)
            await sink.write(second, batch)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < MOST_BYTES
