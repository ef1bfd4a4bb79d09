"""Thousands of URLs in one batch, ten thousand in `make proof`: all of them accounted for, in bounded memory."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from loguru import logger

from adology.settings.model import WorkerSettings
from tests.system import rig
from tests.system.conftest import Stack
from tests.system.running import Running, running

URLS = int(os.environ.get("ADOLOGY_TEST_URLS", "2500"))
DISTINCT = 5
MOST_GROWTH_BYTES = 150 * 1024 * 1024
"""Of this process, in which registry, worker and steward run; the whole batch's media would be no less than that."""
MOST_S = 150.0
"""On a busy machine; a free one takes a fraction of it."""


@pytest.fixture
def world(stack: Stack) -> Iterator[Running]:
    worker = WorkerSettings(concurrency=32, prefetch=64, gather_lease_s=20.0, analysis_lease_s=20.0, drain_s=5.0)
    # A hundred thousand lines of successful calls would be most of the test.
    logger.disable("adology")
    try:
        with running(stack, worker=worker, queues={"visibility_s": 30}) as found:
            yield found
    finally:
        logger.enable("adology")


def many_urls(folder: Path, count: int) -> Path:
    """A table of ads, ten files each; the files are names of a few."""
    pictures = rig.draw_ads(folder / "pictures", DISTINCT)[:DISTINCT]
    urls = []
    for number in range(count):
        path = folder / "pictures" / f"{number}.jpg"
        os.link(pictures[number % DISTINCT], path)
        urls.append(path.as_uri())
    lines = [{"id": f"ad-{n}", "body": "The same offer", "images": urls[n : n + 10]} for n in range(0, count, 10)]
    table = folder / "ads.jsonl"
    table.write_text("\n".join(map(json.dumps, lines)))
    return table


@pytest.mark.timeout(MOST_S + 30)
def test_thousands_of_urls_are_one_commit_in_bounded_memory(
    world: Running, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async def scenario() -> None:
        table = many_urls(tmp_path, URLS)
        await world.add_brand("many", roots=(str(tmp_path),), files=str(table))
        process = psutil.Process()
        before, peak, began = process.memory_info().rss, 0, time.monotonic()
        await rig.ask(world.engine, "first", "many")

        async def ended() -> bool:
            nonlocal peak
            peak = max(peak, process.memory_info().rss)
            batch = await world.engine.ledger.find_request("many", "first")
            return batch is not None and not batch.is_open

        await rig.wait_until(ended, "the batch has ended", timeout_s=MOST_S)
        took_s = time.monotonic() - began
        batch = await world.engine.ledger.find_request("many", "first")
        record_property("seconds", round(took_s, 1))
        record_property("memory_growth_bytes", peak - before)

        assert batch is not None
        assert batch.state == "committed", batch.error
        assert (batch.counts["urls"], batch.counts["failures"]) == (URLS, 0)
        assert (batch.counts["ads"], batch.counts["assets"]) == (URLS // 10, DISTINCT)
        assert batch.counts["analyses_run"] <= DISTINCT + 1
        assert world.rows("select status, count(*) from batch_items group by 1") == [("ok", URLS)]
        assert peak - before < MOST_GROWTH_BYTES

    world.run(scenario(), longest_s=MOST_S + 20)
