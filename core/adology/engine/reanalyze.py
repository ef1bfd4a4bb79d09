"""Analyses of what is committed already: put-off ones that are due, and those that went stale."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from adology.abc.analyzer import AdItem, Derived, MediaItem
from adology.engine.analyze import AnalysisRunner, Subject
from adology.engine.analyzers import AnalyzerSet
from adology.engine.derive import keep_derived, keep_none
from adology.engine.ports import ArchivedPort, ArchivePort, SubjectsPort
from adology.errors import Terminal
from adology.log import bound, logger
from adology.money.calls import Payer
from adology.queues.messages import AnalyzeMessage, decode
from adology.queues.verdict import Dead, Delivery, Done, Verdict


class Reanalyzer:
    """Handles messages of the analyze queue: every analyzer that has no current result runs."""

    def __init__(
        self,
        *,
        subjects: SubjectsPort,
        objects: ArchivedPort,
        archive: ArchivePort,
        analyzers: AnalyzerSet,
        runner: AnalysisRunner,
        scratch: Path | None,
    ) -> None:
        self._subjects = subjects
        self._objects = objects
        self._archive = archive
        self._analyzers = analyzers
        self._runner = runner
        self._scratch = scratch

    async def handle(self, delivery: Delivery) -> Verdict:
        """Bring one subject up to date; any number of deliveries pays once."""
        message = decode(delivery.body, AnalyzeMessage)
        with bound(brand=message.brand, subject=message.subject[:12]):
            folder = Path(tempfile.mkdtemp(prefix="adology-", dir=self._scratch))
            try:
                if message.kind == "asset":
                    done = await self._asset(message, folder)
                else:
                    done = await self._copy(message, folder)
            finally:
                await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
        if done:
            return Done()
        what = "asset" if message.kind == "asset" else "ad copy"
        return Dead(reason=f"no committed {what} has the hash {message.subject}", code="ADO-5530")

    async def _asset(self, message: AnalyzeMessage, folder: Path) -> bool:
        sha256 = message.subject
        asset = await self._subjects.find_asset(sha256)
        if asset is None:
            return False
        path = folder / f"asset{Path(asset.s3_path).suffix}"
        item = MediaItem(
            sha256=sha256,
            path=path,
            kind=asset.kind,
            content_type=asset.content_type,
            size_bytes=asset.size_bytes,
        )

        async def fetch() -> None:
            # Only once an analyzer runs: a subject that is up to date costs no download.
            if not await self._objects.get_file(self._objects.key_of(asset.s3_path), path):
                raise Terminal(f"{asset.s3_path} is not in the archive any more", code="ADO-5531")

        async def keep(analyzer: str, derived: Sequence[Derived]) -> tuple[str, ...]:
            return await keep_derived(self._archive, sha256, analyzer, derived)

        outcome = await self._runner.run(
            Subject(kind="asset", hash=sha256, item=item),
            self._analyzers.only(message.analyzers).accepting(asset.kind),
            scratch=folder,
            before_first=fetch,
            keep=keep,
            payer=Payer(brand=message.brand, owner_org_id=message.organisation),
        )
        await self._subjects.link("asset", sha256, outcome.keys)
        logger.bind(run=outcome.run, deferred=outcome.deferred).info("asset analysed again")
        return True

    async def _copy(self, message: AnalyzeMessage, folder: Path) -> bool:
        copy_hash = message.subject
        ad = await self._subjects.find_copy(copy_hash)
        if ad is None:
            return False
        outcome = await self._runner.run(
            Subject(kind="ad", hash=copy_hash, item=AdItem(ad=ad)),
            self._analyzers.only(message.analyzers).accepting("ad"),
            scratch=folder,
            before_first=_nothing,
            keep=keep_none,
            payer=Payer(brand=message.brand, owner_org_id=message.organisation),
        )
        await self._subjects.link("ad", copy_hash, outcome.keys)
        logger.bind(run=outcome.run, deferred=outcome.deferred).info("copy analysed again")
        return True


async def _nothing() -> None:
    """A copy comes with the subject."""
