"""The kit that plugin authors run, on our own sinks and real servers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

import pymongo
import pytest

from adology import Context
from adology.aws import open_client
from adology.queues.admin import ensure_bucket
from adology.settings import AdologySettings
from adology.testing import SinkConformance
from adology_mongo import MongoSink
from adology_postgres import PostgresSink
from adology_s3 import S3Sink
from tests.system.batches import query
from tests.system.conftest import Stack


class OnStack(SinkConformance):
    """An own database for each target that the kit asks for."""

    __test__ = False
    stack: Stack
    fresh: AdologySettings | None = None

    @pytest.fixture(autouse=True)
    def _given_stack(self, stack: Stack) -> None:
        self.stack = stack

    @contextlib.asynccontextmanager
    async def vendor(self) -> AsyncIterator[Mapping[str, Any]]:
        with self.stack.fresh() as self.fresh:
            await self.furnish(self.fresh)
            yield {}

    async def furnish(self, settings: AdologySettings) -> None:
        """What the sink relies on."""

    def engine(self) -> AdologySettings | None:
        return self.fresh


class TestPostgresSink(OnStack):
    __test__ = True
    plugin = PostgresSink
    TABLES: ClassVar[Mapping[str, str]] = {
        "ads": "source, source_ad_id, advertiser, bodies, first_batch, last_batch",
        "brand_ads": "brand, first_batch, last_batch",
        "assets": "sha256, kind, s3_path, size_bytes",
        "ad_assets": "position, sha256, role",
        "failures": "url, error_code, error",
        "observations": "observed_on, status, batch_id",
        "source_cursors": "brand, source, cursor, batch_id",
        "outbox": "queue, body, batch_id",
        "batches": "id, state, counts",
    }

    async def furnish(self, settings: AdologySettings) -> None:
        query(settings, "insert into brands (id, name) values ('acme', 'Acme') returning 1")
        query(settings, "insert into batches (id, brand, state) values ('batch-1', 'acme', 'acquiring') returning 1")

    async def stored(self, ctx: Context[Any]) -> Any:
        return [
            (table, str(sorted(map(str, query(ctx.engine, f"select {columns} from {table}")))))  # noqa: S608 - our own
            for table, columns in self.TABLES.items()
        ]


class TestMongoSink(OnStack):
    __test__ = True
    plugin = MongoSink

    async def stored(self, ctx: Context[Any]) -> Any:
        with pymongo.MongoClient[dict[str, Any]](ctx.engine.mongo.url) as client:
            database = client[ctx.engine.mongo.database]
            return [
                str(found)
                for name in ("payloads", "results", "analyses")
                for found in database[name].find().sort("_id")
            ]


class TestS3Sink(OnStack):
    __test__ = True
    plugin = S3Sink

    async def furnish(self, settings: AdologySettings) -> None:
        await ensure_bucket(settings)

    async def stored(self, ctx: Context[Any]) -> Any:
        async with open_client(ctx.engine.aws, "s3") as client:
            answer = await client.list_objects_v2(Bucket=ctx.engine.s3.bucket)
            return [found["Key"] for found in answer.get("Contents", [])]
