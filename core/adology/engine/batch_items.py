"""Committed subjects as items, for analyzers that ask about them later."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from adology.abc.analyzer import AdItem, MediaItem
from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer
from adology.engine.ports import AnalysesPort, ArchivedPort, SubjectsPort
from adology.errors import AdologyError
from adology.store.subjects import SubjectKind


class NotReadyError(AdologyError):
    """The item cannot be asked about now: what the analyzer uses has no current result of it, its file is gone."""

    code = "ADO-3213"


class BatchItems:
    """Makes items from what is stored."""

    def __init__(self, *, subjects: SubjectsPort, objects: ArchivedPort, analyses: AnalysesPort) -> None:
        self._subjects = subjects
        self._objects = objects
        self._analyses = analyses

    @contextlib.asynccontextmanager
    async def item(
        self, analyzer: ReadyAnalyzer, analyzers: AnalyzerSet, kind: SubjectKind, subject: str, folder: Path
    ) -> AsyncIterator[AdItem | MediaItem]:
        """The item with the results that the analyzer uses; a creative's file lies in `folder` for so long.

        Raises:
            NotReadyError: see there.
        """
        if kind == "ad":
            ad = await self._subjects.find_copy(subject)
            if ad is None:
                raise NotReadyError("no committed ad has it any more")
            yield AdItem(ad=ad, results=await self._used(analyzer, analyzers.accepting("ad"), kind, subject))
            return
        asset = await self._subjects.find_asset(subject)
        if asset is None:
            raise NotReadyError("no committed ad has it any more")
        results = await self._used(analyzer, analyzers.accepting(asset.kind), kind, subject)
        path = folder / f"asset{Path(asset.s3_path).suffix}"
        if not await self._objects.get_file(self._objects.key_of(asset.s3_path), path):
            raise NotReadyError("its file is not in the archive any more")
        try:
            yield MediaItem(
                sha256=subject,
                path=path,
                kind=asset.kind,
                content_type=asset.content_type,
                size_bytes=asset.size_bytes,
                results=results,
            )
        finally:
            path.unlink(missing_ok=True)

    async def _used(
        self, analyzer: ReadyAnalyzer, accepting: Sequence[ReadyAnalyzer], kind: SubjectKind, subject: str
    ) -> dict[str, Any]:
        """Current results of the analyzers that it uses; of one that failed, None."""
        used = {one.claim(kind, subject).key: one.name for one in accepting if one.name in analyzer.reads}
        if not used:
            return {}
        found = await self._analyses.load(list(used))
        lacking = sorted(name for key, name in used.items() if key not in found)
        if lacking:
            raise NotReadyError(f"waits for {', '.join(lacking)}: renew that first")
        return {name: found[key]["result"] for key, name in used.items()}
