"""A batch as sinks get it: streamed from the manifest and the durable results."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from adology.abc.sink import BatchCounts, CommittedAd, ItemResult
from adology.engine.manifest import Manifest, Seal
from adology.engine.metadata import read_metadata
from adology.engine.model import Batch, hash_url
from adology.engine.ports import AnalysesPort, ItemsPort, ObjectsPort
from adology.types import Ad, Media


class StoredBatch:
    """Implements `adology.abc.sink.CommitBatch`. `missing` counts URLs without a result."""

    def __init__(
        self, batch: Batch, seal: Seal | None, items: ItemsPort, analyses: AnalysesPort, manifest: Manifest
    ) -> None:
        self.id = batch.id
        self.brand = batch.brand
        self.created_at = batch.created_at
        self.counts = BatchCounts()
        self.sources: dict[str, Any] = batch.sources
        self.cursors: dict[str, bytes] = {}
        self.missing = 0
        self._batch = batch
        self._seal = seal
        self._items = items
        self._analyses = analyses
        self._manifest = manifest
        if seal is not None:
            self.cursors = {name: done.cursor for name, done in seal.sources.items() if done.cursor is not None}

    @classmethod
    async def open(cls, batch: Batch, items: ItemsPort, analyses: AnalysesPort, objects: ObjectsPort) -> StoredBatch:
        """The batch with its counts; one pass over the results."""
        manifest = Manifest(objects, batch.id)
        seal = await manifest.read_seal() if batch.manifest_key else None
        stored = cls(batch, seal, items, analyses, manifest)
        await stored._count()
        return stored

    async def ads(self) -> AsyncIterator[CommittedAd]:
        """The batch's ads, each once; may be called again."""
        if self._seal is None:
            async for found in self._foreign_ads():
                yield found
            return
        seen: set[tuple[str, str, str | None]] = set()
        async for found, _, _ in self._manifest.ads(self._seal.parts):
            key = (found.source, found.ad.id, found.ad.owner_org_id)
            if key not in seen:
                seen.add(key)
                yield found

    async def results(self) -> AsyncIterator[ItemResult]:
        """What became of each discovered URL, each once; may be called again."""
        async for page in self._items.pages(self.id):
            for saved in page:
                if saved.result is not None:
                    yield saved.result

    async def analyses(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Stored analysis documents by key."""
        return await self._analyses.load(keys)

    async def _count(self) -> None:
        have: set[bytes] = set()
        assets: set[str] = set()
        media = duplicates = failures = run = total = fetched = 0
        async for result in self.results():
            have.add(hash_url(result.url))
            failures += result.status == "failed"
            run += result.analyses_run
            total += len(result.analyses) + len(result.ad_analyses)
            fetched += result.fetched_bytes
            if result.sha256 and result.status == "ok":
                media += 1
                duplicates += result.duplicate
                assets.add(result.sha256)
        urls, self.missing = await self._find_missing(have)
        ads = self._seal.ads if self._seal is not None else sum([1 async for _ in self.ads()])
        self.counts = BatchCounts(
            ads=ads,
            urls=urls,
            media=media,
            assets=len(assets),
            duplicates=duplicates,
            failures=failures,
            analyses_run=run,
            analyses_reused=max(0, total - run),
            bytes=fetched,
        )

    async def _find_missing(self, have: set[bytes]) -> tuple[int, int]:
        """Number of URLs, and how many of them have no result."""
        if self._seal is None:
            expected = self._batch.expected_count or 0
            return max(expected, len(have)), max(0, expected - len(have))
        urls = missing = 0
        async for item in self._manifest.items(self._seal.parts):
            urls += 1
            missing += hash_url(item.url) not in have
        return urls, missing

    async def _foreign_ads(self) -> AsyncIterator[CommittedAd]:
        """Ads as the metadata of other people's messages describes them, with all their URLs."""
        found: dict[tuple[str, str], tuple[Ad, list[Media]]] = {}
        async for result in self.results():
            try:
                metadata = read_metadata(result.metadata, result.url)
            except ValueError:
                continue
            if metadata.ad is None:
                continue
            _, media = found.setdefault((metadata.source, metadata.ad.id), (metadata.ad, []))
            media.append(Media(url=result.url, position=len(media)))
        for (source, _), (ad, media) in found.items():
            whole = msgspec.structs.replace(ad, media=tuple(media))
            yield CommittedAd(source=source, ad=whole, gathered_at=self.created_at)
