"""Batches made of lists, and sinks opened on a test's own settings."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row

from adology import Ad, Brand, CommittedAd, Context, ItemResult, Media, Sink
from adology.abc.sink import BatchCounts
from adology.engine.model import AnalysisRecord, Claim
from adology.settings import AdologySettings
from adology.store import Analyses, Catalogue, Database, Ledger

K = TypeVar("K", bound=Sink[None])
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class ListBatch:
    """A `CommitBatch` from lists; `ads` and `results` may be callables that make an iterable."""

    def __init__(
        self,
        batch_id: str,
        brand: str = "nike",
        *,
        ads: Iterable[CommittedAd] | Callable[[], Iterable[CommittedAd]] = (),
        results: Iterable[ItemResult] | Callable[[], Iterable[ItemResult]] = (),
        analyses: dict[str, dict[str, Any]] | None = None,
        counts: BatchCounts | None = None,
        cursors: dict[str, bytes] | None = None,
    ) -> None:
        self.id = batch_id
        self.brand = brand
        self.created_at = NOON
        self.counts = counts or BatchCounts()
        self.sources: dict[str, Any] = {}
        self.cursors = cursors or {}
        self._ads = ads
        self._results = results
        self._analyses = analyses or {}
        self.asked: list[str] = []

    async def ads(self) -> AsyncIterator[CommittedAd]:
        for ad in self._ads() if callable(self._ads) else self._ads:
            yield ad

    async def results(self) -> AsyncIterator[ItemResult]:
        for result in self._results() if callable(self._results) else self._results:
            yield result

    async def analyses(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        self.asked.extend(keys)
        return {key: self._analyses[key] for key in keys if key in self._analyses}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def shown(ad: Ad, *, source: str = "facebook", at: datetime = NOON) -> CommittedAd:
    return CommittedAd(source=source, ad=ad, gathered_at=at)


def make_ad(name: str, *urls: str, **fields: Any) -> Ad:
    media = tuple(Media(url=url, position=n) for n, url in enumerate(urls))
    return Ad(id=name, media=media, **{"bodies": (f"copy of {name}",), **fields})


def make_result(url: str, content: str = "", **fields: Any) -> ItemResult:
    digest = sha(content or url)
    given = {
        "sha256": digest,
        "s3_path": f"s3://bucket/assets/{digest[:2]}/{digest}.jpg",
        "kind": "image",
        "content_type": "image/jpeg",
        "size_bytes": 1234,
    }
    return ItemResult(url=url, **{**given, **fields})


@contextlib.asynccontextmanager
async def opened(sink: K, settings: AdologySettings) -> AsyncIterator[tuple[K, Context[None]]]:
    context: Context[None] = Context(type(sink).name, None, engine=settings)
    try:
        await sink.open(context)
        yield sink, context
    finally:
        await sink.close()


async def open_batch(settings: AdologySettings, brand: str = "nike", request: str = "r1") -> str:
    """A new open batch of the brand in the ledger."""
    async with Database(settings.postgres) as database:
        await Catalogue(database).put_brand(Brand(id=brand))
        return (await Ledger(database).open_batch(brand, f"{brand}:{request}", lease_s=60)).batch.id


async def store_analysis(
    settings: AdologySettings,
    key: str,
    subject: str,
    *,
    analyzer: str = "media",
    kind: Any = "asset",
    done: bool = True,
) -> None:
    """An analysis in the cache, finished or still pending."""
    claim = Claim(key=key, analyzer=analyzer, version=1, fingerprint="f", subject_kind=kind, subject=subject)
    async with Database(settings.postgres) as database:
        analyses = Analyses(database)
        await analyses.claim([claim], owner="test", lease_s=60)
        if done:
            await analyses.store([AnalysisRecord(key=key, result={"labels": ["shoe"]})])


def query(settings: AdologySettings, statement: str, *values: Any) -> list[dict[str, Any]]:
    with psycopg.connect(settings.postgres.url, row_factory=dict_row, autocommit=True) as link:
        return link.execute(statement.encode(), values).fetchall()


def scalar(settings: AdologySettings, statement: str, *values: Any) -> Any:
    (row,) = query(settings, statement, *values)
    (value,) = row.values()
    return value
