"""Exports: the ads of a brandspace as a file in S3, seen as their organisation sees them."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec

from adology.errors import LeaseLostError
from adology.storage import S3Store
from adology_server.ads.model import FIELDS
from adology_server.tasks.model import Work
from adology_server.tasks.store import TaskStore
from adology_server.tenancy import Tenants

PAGE = 1000
COLUMNS: Final = tuple(name for name in FIELDS if name not in ("status", "near_duplicates", "thumbnail_url"))
"""Those of lists that depend on nothing but the ad and the brandspace: they are still true when the file is read."""
TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets would take for a formula, which an ad's text could then be."""

ROWS: Final = """
select f.brand, f.ad_id, p.role, f.item from brandspace_brands p join feed f on f.brand = p.brand
where p.brandspace_id = %(space)s and (%(brand)s::text is null or (f.brand, f.ad_id) > (%(brand)s, %(ad)s))
order by f.brand, f.ad_id limit %(limit)s"""


class Exporter:
    """Writes a file, puts it into S3 and names it in the result. A second runner makes a file of its own."""

    def __init__(self, tenants: Tenants, store: TaskStore, objects: S3Store) -> None:
        self._tenants = tenants
        self._store = store
        self._objects = objects

    async def export(self, work: Work) -> None:
        """Do the task.

        Raises:
            UnavailableError: a store is away; it is tried again.
            LeaseLostError: it was cancelled, or another runner has it.
        """
        form, count = work.request["format"], 0
        key = f"{folder(work.org_id, work.id)}{work.epoch}.{form}"
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "export"
            with path.open("wb") as file:
                if form == "csv":
                    file.write(_csv([COLUMNS]))
                async for rows in self._pages(work.org_id, UUID(work.request["brandspace_id"])):
                    file.write(_csv([_cells(row) for row in rows]) if form == "csv" else _lines(rows))
                    count += len(rows)
                    await self._store.note_progress(work, {"rows": count})
            size = path.stat().st_size
            await self._objects.put_file(key, path, content_type=TYPES[form])
        result = {"format": form, "rows": count, "bytes": size, "object": self._objects.uri(key)}
        try:
            await self._store.complete(work, result)
        except LeaseLostError:
            await self._objects.delete(key)
            raise

    async def forget(self) -> list[UUID]:
        """Remove the files of exports that are past their time; those tasks."""
        past = await self._store.list_past("export")
        for org_id, task in past:
            async for key in self._objects.list_keys(folder(org_id, task)):
                await self._objects.delete(key)
        return [task for _, task in past]

    async def _pages(self, org_id: str, space: UUID) -> AsyncIterator[list[dict[str, Any]]]:
        place: dict[str, Any] = {"brand": None, "ad": None}
        while True:
            values = {"space": space, "limit": PAGE, **place}
            # As the organisation: row-level security decides what is in the file.
            found = await self._tenants.rows(org_id, ROWS, values)
            if found:
                yield [_row(row) for row in found]
                place = {"brand": found[-1]["brand"], "ad": found[-1]["ad_id"]}
            if len(found) < PAGE:
                return


def folder(org_id: str, task: UUID) -> str:
    """Where the files of a task are."""
    return f"exports/{org_id}/{task}/"


def _row(row: dict[str, Any]) -> dict[str, Any]:
    known = {**msgspec.json.decode(row["item"]), "role": row["role"]}
    return {name: known[name] for name in COLUMNS}


def _lines(rows: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def _cells(row: dict[str, Any]) -> list[Any]:
    return [escape(", ".join(map(str, value)) if isinstance(value, list) else value) for value in row.values()]


def escape(value: Any) -> Any:
    """The cell, which no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
