from __future__ import annotations

import asyncio

import psycopg
import pymongo
import pytest

from adology.aws import open_client
from adology.settings import AdologySettings


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_a_migrated_database_of_its_own(store_settings: AdologySettings, turn: int) -> None:
    with psycopg.connect(store_settings.postgres.url) as link:
        assert link.execute("select count(*) from brands").fetchone() == (0,)
        link.execute("insert into brands (id, name) values ('nike', %s)", [str(turn)])


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_a_mongo_database_of_its_own(store_settings: AdologySettings, turn: int) -> None:
    with pymongo.MongoClient[dict[str, object]](store_settings.mongo.url) as client:
        notes = client[store_settings.mongo.database]["notes"]
        assert notes.count_documents({}) == 0
        notes.insert_one({"turn": turn})


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_a_bucket_and_queues_of_its_own(settings: AdologySettings, turn: int) -> None:
    async def look() -> tuple[int, list[str]]:
        async with open_client(settings.aws, "s3") as s3, open_client(settings.aws, "sqs") as sqs:
            before = await s3.list_objects_v2(Bucket=settings.s3.bucket)
            await s3.put_object(Bucket=settings.s3.bucket, Key="turn", Body=str(turn).encode())
            queues = await sqs.list_queues(QueueNamePrefix=settings.queues.prefix)
            return before["KeyCount"], sorted(url.rpartition("/")[2] for url in queues["QueueUrls"])

    keys, queues = asyncio.run(look())
    assert keys == 0
    prefix = settings.queues.prefix
    assert [name.removeprefix(prefix) for name in queues] == [
        "brand-ai-phase-queue",
        "brand-ai-phase-queue-dlq",
        "brand-gather-queue",
        "brand-gather-queue-dlq",
        "creative-analyze-queue",
        "creative-analyze-queue-dlq",
        "server-task-queue",
        "server-task-queue-dlq",
        "url-process-queue",
        "url-process-queue-dlq",
    ]
