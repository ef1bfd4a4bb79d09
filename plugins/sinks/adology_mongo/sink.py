"""Writes documents before the commit, idempotently.

An unfinished batch leaves documents behind, and nobody finds them: readers come from committed
rows of Postgres only (`ads.last_batch` makes the ``_id`` of an ad's payload, `asset_analyses.key`
and `ad_analyses.key` name analyses). So nothing here needs a transaction. A document never changes
once it is written: manifest, results and analyses do not either. What is there already stays.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import msgspec
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient, InsertOne, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, ConfigurationError

from adology import CommitBatch, CommittedAd, ConfigError, Context, ItemResult, Media, Sink
from adology.abc.sink import Role
from adology.engine.manifest import item_url
from adology.engine.model import hash_url
from adology.settings import resolve_secret
from adology.settings.model import MongoSettings
from adology.store.naming import clean_id, payload_id
from adology_mongo.documents import clean, encode_document
from adology_mongo.faults import is_all_there, mongo_call, wrong_address

PAYLOADS, ANALYSES, RESULTS = "payloads", "analyses", "results"
CHUNK = 500
CHUNK_BYTES = 8 * 1024 * 1024

Document = dict[str, Any]


class MongoSink(Sink[None]):
    """Raw payloads by (batch, ad), analyses by key, and of results what no column holds."""

    name: ClassVar[str] = "mongo"
    version: ClassVar[int] = 1
    role: ClassVar[Role] = "documents"

    def __init__(self) -> None:
        self._client: AsyncMongoClient[Document] | None = None
        self._database: AsyncDatabase[Document] | None = None

    async def open(self, ctx: Context[None]) -> None:
        """Make the client and see that the server lets us in.

        Raises:
            ConfigError: the address is missing or wrong, or the user is refused.
            UnavailableError: the server is not reachable.
        """
        settings = ctx.engine.mongo
        self._client = _make_client(settings)
        self._database = self._client.get_database(settings.database, write_concern=WriteConcern(w="majority", j=True))
        async with mongo_call("connect"):
            await self._database.command("ping")

    async def close(self) -> None:
        """Close the connections."""
        client, self._client, self._database = self._client, None, None
        if client is not None:
            await client.close()

    async def write(self, ctx: Context[None], batch: CommitBatch) -> None:
        """Store the documents of the batch; repeated after any failure.

        Raises:
            UnavailableError: the server went away or was too slow.
            ConfigError: the user may not write.
            EngineError: the server refuses a document.
        """
        payloads = await self._write_all(PAYLOADS, _payloads(batch))
        results = await self._write_all(RESULTS, _results(batch))
        analyses = await self._write_analyses(batch)
        ctx.log.bind(batch=batch.id, payloads=payloads, results=results, analyses=analyses).info("documents written")

    async def _write_analyses(self, batch: CommitBatch) -> int:
        """Only those that are not there: what is stored under a key never changes."""
        written = 0
        async for keys in _chunked_keys(batch):
            async with mongo_call("find", collection=ANALYSES, count=len(keys)):
                found = self._collection(ANALYSES).find({"_id": {"$in": keys}}, {"_id": 1})
                there = {document["_id"] async for document in found}
            missing = [key for key in keys if key not in there]
            if missing:
                written += await self._write_all(ANALYSES, _analyses(await batch.analyses(missing)))
        return written

    async def _write_all(self, collection: str, documents: AsyncIterator[bytes]) -> int:
        """Insert in unordered chunks, bounded by count and by bytes. How many were not there yet."""
        chunk: list[bytes] = []
        size = written = 0
        async for data in documents:
            if chunk and (len(chunk) == CHUNK or size + len(data) > CHUNK_BYTES):
                written += await self._write_chunk(collection, chunk, size)
                chunk, size = [], 0
            chunk.append(data)
            size += len(data)
        if chunk:
            written += await self._write_chunk(collection, chunk, size)
        return written

    async def _write_chunk(self, collection: str, chunk: list[bytes], size: int) -> int:
        # Inserts, not upserts: one that meets its own earlier self costs nothing but an answer.
        # Any: pymongo's versions disagree about whether an encoded document is one.
        writes: list[Any] = [InsertOne(RawBSONDocument(data)) for data in chunk]
        async with mongo_call("bulk_write", collection=collection, count=len(chunk), bytes=size) as call:
            try:
                await self._collection(collection).bulk_write(writes, ordered=False)
            except BulkWriteError as error:
                if not is_all_there(error):
                    raise
                call.fields["there"] = len(error.details["writeErrors"])
                return int(error.details["nInserted"])
        return len(chunk)

    def _collection(self, name: str) -> AsyncCollection[Document]:
        if self._database is None:
            raise RuntimeError("the mongo sink is not open")
        return self._database[name]


def _make_client(settings: MongoSettings) -> AsyncMongoClient[Document]:
    if not settings.url:
        raise ConfigError(
            "mongo.url", "is not set", "Run `adology up` for embedded servers, or set ADOLOGY_MONGO__URL."
        )
    limit_ms = int(settings.timeout_s * 1000)
    url = resolve_secret(settings.url, setting="mongo.url")
    try:
        return AsyncMongoClient(
            url,
            appname="adology",
            tz_aware=True,
            serverSelectionTimeoutMS=limit_ms,
            connectTimeoutMS=min(limit_ms, 10_000),
            socketTimeoutMS=limit_ms,
        )
    except (ValueError, TypeError, ConfigurationError) as error:
        raise wrong_address(str(error)) from None


async def _payloads(batch: CommitBatch) -> AsyncIterator[bytes]:
    async for found in batch.ads():
        yield _payload(batch, found)


def _payload(batch: CommitBatch, found: CommittedAd) -> bytes:
    source, ad_id = clean_id(found.source), clean_id(found.ad.id)
    owner = None if found.ad.owner_org_id is None else clean_id(found.ad.owner_org_id)
    document = {
        "_id": payload_id(batch.id, source, ad_id, owner),
        "batch": batch.id,
        "brand": batch.brand,
        "source": source,
        "source_ad_id": ad_id,
        "owner_org_id": owner,
        "gathered_at": clean(found.gathered_at),
        "media": [_media(media) for media in found.ad.media[:1000]],
        "raw": clean(found.ad.raw),
    }
    return encode_document(document, "raw")


def _media(media: Media) -> Any:
    """By the URL of its item and result: where that is a hash, a few such files would not fit a document."""
    return clean(msgspec.structs.replace(media, url=item_url(media)))


async def _results(batch: CommitBatch) -> AsyncIterator[bytes]:
    """Results with something that no column holds: an embedding, a file without its hash."""
    async for result in batch.results():
        unnamed = result.s3_path is not None and result.sha256 is None
        if result.embedding is not None or unnamed:
            yield _result(batch, result)


def _result(batch: CommitBatch, result: ItemResult) -> bytes:
    key = f"{batch.id}/{hash_url(result.url).hex()}"
    document = {"_id": key, "batch": batch.id, "brand": batch.brand, "result": clean(_fields(result))}
    return encode_document(document, "result")


def _fields(result: ItemResult) -> Document:
    """The given fields, embedding as bytes."""
    given = {name: getattr(result, name) for name in result.__struct_fields__}
    return {name: value for name, value in given.items() if value not in (None, {}, False, 0)}


async def _analyses(documents: dict[str, dict[str, Any]]) -> AsyncIterator[bytes]:
    for key, document in documents.items():
        yield encode_document({**clean(document), "_id": key}, "result")


async def _chunked_keys(batch: CommitBatch) -> AsyncIterator[list[str]]:
    """Analysis keys of the batch; a key may come again in another chunk."""
    keys: dict[str, None] = {}
    async for result in batch.results():
        keys.update(dict.fromkeys((*result.analyses.values(), *result.ad_analyses.values())))
        if len(keys) >= CHUNK:
            yield list(keys)
            keys = {}
    if keys:
        yield list(keys)
