"""One item's work: fetch under guard, archive by content hash, analyse from cache or under lease."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from adology.abc.analyzer import AdItem, Derived, MediaItem
from adology.abc.sink import ItemResult
from adology.engine.analyze import Analysed, AnalysisRunner, Subject
from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer
from adology.engine.derive import keep_derived, keep_none
from adology.engine.manifest import AD_URN, TOO_LONG_URN, Manifest
from adology.engine.metadata import ItemMetadata
from adology.engine.model import Batch, Claimed
from adology.engine.ports import ArchivePort, CataloguePort, ObjectsPort, SourceInstance
from adology.errors import MediaExpiredError, MediaUnusableError, Terminal
from adology.fetch import Fetched
from adology.log import bound, logger
from adology.money.calls import Payer
from adology.queues.messages import MAX_URL
from adology.types import Ad

ROOTS_FRESH_S = 5.0
ROOTS_KEPT = 100


class FetchPort(Protocol):
    """Downloads one file under guard; see `adology.fetch.Fetcher`."""

    async def fetch(self, url: str, *, folder: Path, file_roots: Sequence[str] = ()) -> Fetched:
        """The file, hashed and typed by its content."""
        ...


class ItemProcessor:
    """Implements `adology.engine.acquire.ProcessItem`."""

    def __init__(
        self,
        *,
        fetcher: FetchPort,
        archive: ArchivePort,
        objects: ObjectsPort,
        analyzers: AnalyzerSet,
        runner: AnalysisRunner,
        catalogue: CataloguePort,
        sources: Mapping[str, SourceInstance],
        scratch: Path | None,
    ) -> None:
        self._fetcher = fetcher
        self._archive = archive
        self._objects = objects
        self._analyzers = analyzers
        self._runner = runner
        self._catalogue = catalogue
        self._sources = sources
        self._scratch = scratch
        self._roots: dict[str, tuple[tuple[str, ...], float]] = {}

    async def copy(self, batch: Batch, metadata: ItemMetadata) -> Analysed | None:
        """Analyse the copy of the ad that the item carries; None when it carries none."""
        analyzers = self._analyzers.accepting("ad")
        if not metadata.carries or not analyzers:
            return None
        ad = await self._ad(metadata)
        if ad is None:
            return None
        subject = Subject(kind="ad", hash=ad.copy_hash(), item=AdItem(ad=ad))
        with _scratch_folder(self._scratch) as folder:
            return await self._runner.run(
                subject,
                analyzers,
                scratch=Path(folder),
                before_first=_nothing,
                keep=keep_none,
                payer=_payer(batch, metadata),
            )

    async def media(self, batch: Batch, url: str, metadata: ItemMetadata) -> ItemResult:
        """Fetch, archive and analyse the creative behind `url`; an ad without media has nothing to fetch.

        Raises:
            Terminal: it can never be had, with the reason.
            Retry: a passing fault of the network or of a store.
        """
        if url.startswith(AD_URN):
            return ItemResult(url=url)
        if url.startswith(TOO_LONG_URN):
            length = url.removeprefix(TOO_LONG_URN).partition(":")[0]
            raise Terminal(f"the media's URL has {length} characters; allowed: {MAX_URL}", code="ADO-5516")
        # Not in a thread: who is cancelled while it works would never learn of the folder.
        folder = Path(tempfile.mkdtemp(prefix="adology-", dir=self._scratch))
        try:
            fetched = await self._fetch(batch, url, metadata, folder)
            with bound(asset=fetched.sha256[:12]):
                return await self._keep(url, fetched, folder, _payer(batch, metadata))
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))

    async def _fetch(self, batch: Batch, url: str, metadata: ItemMetadata, folder: Path) -> Fetched:
        roots: tuple[str, ...] = ()
        if url[:5].lower() == "file:":
            roots = await self._file_roots(batch.brand)
        try:
            return await self._fetcher.fetch(url, folder=folder, file_roots=roots)
        except MediaExpiredError as expired:
            fresh = await self._resolve(metadata)
            if fresh is None or fresh == url:
                raise
            logger.info("media address had expired, found anew")
            try:
                return await self._fetcher.fetch(fresh, folder=folder)
            except MediaExpiredError as error:
                raise MediaExpiredError(f"{error.message} (a fresh address was refused like the first)") from expired

    async def _file_roots(self, brand: str) -> tuple[str, ...]:
        """Folders that the brand's files may lie in; asked for once in a while, not for each file."""
        now = time.monotonic()
        known = self._roots.get(brand)
        if known is None or now - known[1] > ROOTS_FRESH_S:
            row = await self._catalogue.find_brand(brand)
            known = self._roots[brand] = (row.file_roots if row else (), now)
            while len(self._roots) > ROOTS_KEPT:
                del self._roots[next(iter(self._roots))]
        return known[0]

    async def _resolve(self, metadata: ItemMetadata) -> str | None:
        """A fresh address from the source, asked once."""
        instance = self._sources.get(metadata.source)
        ad = await self._ad(metadata)
        if instance is None or ad is None or metadata.media is None:
            return None
        media = await instance.source.resolve(instance.context(), ad, metadata.media)
        return media.url if media is not None and media.url.startswith(("http://", "https://")) else None

    async def _ad(self, metadata: ItemMetadata) -> Ad | None:
        """The ad of the message, or the manifest's where it was too large for one."""
        if metadata.ad is not None or metadata.part is None:
            return metadata.ad
        return await Manifest(self._objects, "").load_ad(metadata.part, metadata.line)

    async def _keep(self, url: str, fetched: Fetched, folder: Path, payer: Payer) -> ItemResult:
        key = f"assets/{fetched.sha256[:2]}/{fetched.sha256}.{fetched.extension}"
        stored: list[bool] = []

        async def archive() -> None:
            stored.append(await self._archive.archive(key, fetched.path, fetched.content_type))

        async def keep(analyzer: str, derived: Sequence[Derived]) -> tuple[str, ...]:
            return await keep_derived(self._archive, fetched.sha256, analyzer, derived)

        analyzers = self._analyzers.accepting(fetched.kind)
        item = MediaItem(
            sha256=fetched.sha256,
            path=fetched.path,
            kind=fetched.kind,
            content_type=fetched.content_type,
            size_bytes=fetched.size_bytes,
        )
        subject = Subject(kind="asset", hash=fetched.sha256, item=item)
        outcome = await self._runner.run(
            subject, analyzers, scratch=folder, before_first=archive, keep=keep, payer=payer
        )
        if not analyzers:
            await archive()
        # A stored analysis implies an archived asset: nothing ran, so nothing was new.
        return self._result(url, fetched, self._objects.uri(key), not any(stored), analyzers, outcome)

    def _result(
        self,
        url: str,
        fetched: Fetched,
        s3_path: str,
        duplicate: bool,
        analyzers: Sequence[ReadyAnalyzer],
        outcome: Analysed,
    ) -> ItemResult:
        result = ItemResult(
            url=url,
            s3_path=s3_path,
            sha256=fetched.sha256,
            kind=fetched.kind,
            content_type=fetched.content_type,
            size_bytes=fetched.size_bytes,
            fetched_bytes=fetched.size_bytes,
            duplicate=duplicate,
            analyses=outcome.keys,
            analyses_run=outcome.run,
        )
        for analyzer in analyzers:
            record = outcome.records[analyzer.name]
            if record.state == "failed" and analyzer.analyzer.essential:
                code = record.error_code or MediaUnusableError.code
                return msgspec.structs.replace(result, status="failed", error_code=code, error=record.error)
        return msgspec.structs.replace(result, **self._measures(outcome.records))

    def _measures(self, records: Mapping[str, Claimed]) -> dict[str, Any]:
        """Size, duration and thumbnail, from whichever analyzer measured them first."""
        found: dict[str, Any] = {}
        for record in records.values():
            plain = record.result if isinstance(record.result, dict) else {}
            for name in ("width", "height", "duration_s"):
                if plain.get(name) is not None:
                    found.setdefault(name, plain[name])
            for key in record.derived:
                if key.rpartition("/")[2].startswith("thumbnail."):
                    found.setdefault("thumbnail", self._objects.uri(key))
        return found


def _payer(batch: Batch, metadata: ItemMetadata) -> Payer:
    owner = metadata.ad.owner_org_id if metadata.ad is not None else None
    return Payer(brand=batch.brand, owner_org_id=owner, batch_id=batch.id)


def _scratch_folder(root: Path | None) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="adology-", dir=root)


async def _nothing() -> None:
    """An ad's copy needs no archiving: the manifest has it."""
