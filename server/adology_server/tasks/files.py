"""Files that tasks make: put into S3, named in the result, and removed when nobody may read them any more."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from adology.errors import LeaseLostError
from adology.storage import S3Store
from adology_server.tasks.formats import TYPES, Column, Row, open_writer
from adology_server.tasks.model import Work
from adology_server.tasks.store import TaskStore


class TaskFiles:
    """Each attempt at a task makes a file of its own: two runners never write to the same one."""

    def __init__(self, store: TaskStore, objects: S3Store) -> None:
        self._store = store
        self._objects = objects

    async def deliver(
        self,
        work: Work,
        form: str,
        columns: Sequence[Column],
        pages: AsyncIterator[tuple[list[Row], dict[str, Any]]],
    ) -> None:
        """Write the pages to a file, put it into S3 and complete the task with it.

        Args:
            work: the task.
            form: the format.
            columns: of the file.
            pages: rows, and how far the task is with them, which `rows` is added to; the last one goes into the result.

        Raises:
            UnavailableError: a store is away; it is tried again.
            LeaseLostError: it was ended, or another runner has it.
        """
        key = f"{folder(work.org_id, work.id)}{work.epoch}.{form}"
        with tempfile.TemporaryDirectory(prefix="adology-") as scratch:
            path, count, far = Path(scratch) / "file", 0, dict[str, Any]()
            writer = await asyncio.to_thread(open_writer, form, path, columns)
            with contextlib.closing(writer):
                async for rows, far in pages:
                    await asyncio.to_thread(writer.write, rows)
                    count += len(rows)
                    await self._store.note_progress(work, {"rows": count, **far})
            size = path.stat().st_size
            # Before the first byte goes up: whatever becomes of us, the file is looked for.
            await self._store.note_files(work)
            await self._objects.put_file(key, path, content_type=TYPES[form])
        told = {"format": form, "rows": count, **far, "bytes": size, "object": self._objects.uri(key)}
        try:
            await self._store.complete(work, told)
        except LeaseLostError:
            await self._objects.delete(key)
            raise
        await self._clean(folder(work.org_id, work.id), but=key)

    async def forget(self) -> int:
        """Remove the files of tasks that have none to show: failed, cancelled, past their time; of how many tasks."""
        past = await self._store.list_past_files()
        for org_id, task in past:
            await self._clean(folder(org_id, task))
        await self._store.forget_files([task for _, task in past])
        return len(past)

    async def _clean(self, prefix: str, but: str = "") -> None:
        # What died in the middle of an upload left parts, which no listing of objects shows.
        await self._objects.abort_uploads(prefix)
        async for key in self._objects.list_keys(prefix):
            if key != but:
                await self._objects.delete(key)


def folder(org_id: str, task: UUID) -> str:
    """Where the files of a task are."""
    return f"exports/{org_id}/{task}/"
