"""S3, SQS, Mongo, Postgres and the registry failing at each call, and every message delivered twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from adology.queues import Sqs, consumer
from adology.settings import AdologySettings
from tests.system import rig
from tests.system.faults import Faulty, When

EXPECTED_CALLS = {
    "postgres ledger.open",
    "postgres ledger.seal",
    "postgres ledger.queued",
    "postgres items.save",
    "postgres analyses.claim",
    "postgres analyses.store",
    "postgres outbox.flush",
    "s3 put_object",
    "s3 list_objects_v2",
    "sqs send_message_batch",
    "sqs delete_message_batch",
    "registry start",
    "registry submit",
    "registry commit-complete",
    "postgres commit",
    "sink mongo",
    "mongo bulk_write",
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("when", [pytest.param("before", marks=pytest.mark.slow), "after"])
def test_each_call_failing_once_loses_nothing(
    settings: AdologySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: When
) -> None:
    async def scenario() -> None:
        files = rig.draw_ads(tmp_path / "ads", 5)
        monkeypatch.setattr(consumer, "defer_pause", lambda _count: 1.0)
        faulty = Faulty(monkeypatch, when=when)
        async with rig.living(settings, workers=2) as engine:
            await rig.add_brand(engine, tmp_path / "ads")
            await rig.ask(engine, "first")
            faulty.arm()
            batch = await rig.wait_ended(engine, "first", timeout_s=90)
            faulty.armed = False
            await rig.wait_queues_empty(engine)

            await rig.check_promises(engine, batch, {path.as_uri() for path in files})
            assert set(faulty.failed) >= EXPECTED_CALLS, f"never failed: {EXPECTED_CALLS - set(faulty.failed)}"
            assert batch.counts["ads"] == 6

    asyncio.run(scenario())


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "call",
    [
        "postgres items.save",
        "sink mongo",
        "registry submit",
        *(
            pytest.param(call, marks=pytest.mark.slow)
            for call in ("postgres analyses.claim", "sink postgres", "s3 put_object")
        ),
    ],
)
def test_a_store_that_is_long_away_turns_no_creative_into_a_failure(
    settings: AdologySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """GIVEN many more failures in a row than a message may be received THEN they count against no item."""

    async def scenario() -> None:
        files = rig.draw_ads(tmp_path / "ads", 3)
        monkeypatch.setattr(consumer, "defer_pause", lambda _count: 1.0)
        faulty = Faulty(monkeypatch, when="before", times=12, only={call})
        async with rig.living(settings) as engine:
            await rig.add_brand(engine, tmp_path / "ads")
            await rig.ask(engine, "first")
            faulty.arm()
            batch = await rig.wait_ended(engine, "first", timeout_s=110)
            faulty.armed = False
            await rig.wait_queues_empty(engine)

            await rig.check_promises(engine, batch, {path.as_uri() for path in files})
            assert faulty.failed[call] == 12

    asyncio.run(scenario())


def test_every_message_delivered_twice_is_one_batch(
    settings: AdologySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        files = rig.draw_ads(tmp_path / "ads", 6)
        sent: Counter[str] = Counter()
        send = Sqs.send

        async def send_twice(self: Sqs, queue: str, bodies: Sequence[str], **options: Any) -> None:
            sent[queue] += len(bodies)
            await send(self, queue, [body for body in bodies for _ in range(2)], **options)

        monkeypatch.setattr(Sqs, "send", send_twice)
        async with rig.living(settings, workers=2) as engine:
            await rig.add_brand(engine, tmp_path / "ads")
            await rig.ask(engine, "first")
            batch = await rig.wait_ended(engine, "first")
            await rig.wait_queues_empty(engine)

            await rig.check_promises(engine, batch, {path.as_uri() for path in files})
            assert rig.rows(engine.settings, "select count(*) from batches") == [(1,)]
            assert rig.rows(engine.settings, "select count(*) from insights") == [(1,)]
            assert rig.rows(engine.settings, "select max(attempts) from analyses") == [(1,)]
            assert len(sent) == 3

    asyncio.run(scenario())


@pytest.mark.timeout(90)
def test_lost_queues_and_a_lost_registry_are_repaired_from_manifest_and_ledger(
    settings: AdologySettings, tmp_path: Path
) -> None:
    """GIVEN a gathered batch WHEN all its messages and the registry's memory are gone THEN it ends all the same."""

    async def scenario() -> None:
        files = rig.draw_ads(tmp_path / "ads", 5)
        async with rig.living(settings, steward=False, queues=("gather",)) as engine:
            await rig.add_brand(engine, tmp_path / "ads")
            await rig.ask(engine, "first")

            async def queued() -> bool:
                batch = await engine.ledger.find_request(rig.BRAND, "first")
                return batch is not None and batch.queued_at is not None

            await rig.wait_until(queued, "the batch is queued")
            for name in await rig.queue_depths(engine.sqs, engine.settings.queues):
                await _purge(engine.sqs, engine.settings.queues.prefix + getattr(engine.settings.queues, name))
        async with rig.living(settings, workers=2) as engine:
            batch = await rig.wait_ended(engine, "first", timeout_s=60)
            await rig.wait_queues_empty(engine)

            await rig.check_promises(engine, batch, {path.as_uri() for path in files})
            assert batch.repairs >= 1

    asyncio.run(scenario())


async def _purge(sqs: Sqs, queue: str) -> None:
    while True:
        found = await sqs.receive(queue, most=10, wait_s=0, visibility_s=30)
        if not found:
            return
        await sqs.delete(queue, [delivery.receipt for delivery in found])
