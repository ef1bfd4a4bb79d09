"""What is kept outside of PostgreSQL: documents in MongoDB, manifests and exports in the bucket."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from adology.engine.manifest import MANIFESTS, ad_url, item_url
from adology.engine.model import hash_url
from adology.errors import UnavailableError
from adology.log import logger
from adology.settings import resolve_secret
from adology.settings.model import MongoSettings
from adology.storage import S3Store
from adology.store import Database
from adology.types import Ad

PAYLOADS, ANALYSES, RESULTS = "payloads", "analyses", "results"
_WAIT_MS = 10_000


class Documents:
    """The database that the documents sink writes. Nothing is there where `mongo.url` is not set."""

    def __init__(self, settings: MongoSettings) -> None:
        self._settings = settings
        self._client: AsyncMongoClient[dict[str, Any]] | None = None

    async def close(self) -> None:
        """End the connections."""
        if self._client is not None:
            await self._client.close()

    async def remove_payloads(self, org: str) -> int:
        """Sources' records of the organisation's ads, of all batches. Looks at every record: there is no index."""
        return await self._delete(PAYLOADS, {"owner_org_id": org})

    async def remove_analyses(self, keys: Sequence[str]) -> None:
        """Documents of these analyses."""
        if keys:
            await self._delete(ANALYSES, {"_id": {"$in": list(keys)}})

    async def remove_results(self, batch: str, hashes: Sequence[bytes]) -> None:
        """What a batch kept of these URLs."""
        if hashes:
            await self._delete(RESULTS, {"_id": {"$in": [f"{batch}/{one.hex()}" for one in hashes]}})

    async def _delete(self, collection: str, which: dict[str, Any]) -> int:
        if not self._settings.url:
            return 0
        if self._client is None:
            url = resolve_secret(self._settings.url, setting="mongo.url")
            self._client = AsyncMongoClient(url, appname="adology-tasks", serverSelectionTimeoutMS=_WAIT_MS)
        try:
            done = await self._client[self._settings.database][collection].delete_many(which)
        except PyMongoError as error:
            raise UnavailableError(f"mongo: removing from {collection}: {error}", code="ADO-5921") from error
        return done.deleted_count


@contextlib.asynccontextmanager
async def open_documents(settings: MongoSettings) -> AsyncIterator[Documents]:
    """For the length of the block."""
    made = Documents(settings)
    try:
        yield made
    finally:
        await made.close()


class Manifests:
    """What private sources brought, page by page, as batches keep it: pages, results by URL, failures."""

    def __init__(self, database: Database, objects: S3Store, documents: Documents) -> None:
        self._database = database
        self._objects = objects
        self._documents = documents

    async def remove(self, batch: str, source: str) -> int:
        """Remove what a batch, which has ended, has of the source; how many objects."""
        folder, count = f"{MANIFESTS}{batch}/manifest/{source}/", 0
        async for key in self._objects.list_keys(folder):
            if not key.endswith("done.json"):
                await self._forget_items(batch, source, await self._objects.get_bytes(key) or b"")
            await self._objects.delete(key)
            count += 1
        return count

    async def _forget_items(self, batch: str, source: str, page: bytes) -> None:
        hashes: list[bytes] = []
        for line in page.splitlines()[1:]:
            try:
                ad = msgspec.json.decode(line, type=Ad)
            except msgspec.MsgspecError:
                logger.bind(batch=batch, source=source).warning("leaving: a line of a manifest cannot be read")
                continue
            hashes += [hash_url(item_url(media)) for media in ad.media]
            hashes.append(hash_url(ad_url(source, ad.id)))
        async with self._database.connection("leaving.items", batch=batch) as connection:
            for table in ("batch_items", "failures"):
                statement = f"delete from {table} where batch_id = %s and url_hash = any(%s)"
                await connection.execute(statement.encode(), [batch, hashes])
        await self._documents.remove_results(batch, hashes)
