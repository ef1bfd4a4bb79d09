"""Exports: the ads of a brandspace as a file in S3, filtered as lists are and seen as their organisation sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from adology.types import Struct
from adology_server.ads.filters import Filter, values_of
from adology_server.ads.listing import place_of, statement_of
from adology_server.ads.model import FIELDS, AdRow, Sort
from adology_server.problems import Refusal
from adology_server.tasks.files import TaskFiles
from adology_server.tasks.formats import Format, Row, columns_of
from adology_server.tasks.model import Work
from adology_server.tenancy import Tenants

PAGE = 1000
FILE_FIELDS: Final = tuple(name for name in FIELDS if name != "thumbnail_url")
"""An address would end before the file does."""
COLUMNS: Final = tuple(name for name in FILE_FIELDS if name not in ("status", "near_duplicates"))
"""Those of a file where none are named: what depends on nothing but ad and brandspace is true for longer."""


class Export(Struct, frozen=True, kw_only=True):
    """What is asked for, as the task keeps it."""

    brandspace_id: UUID
    format: Format
    which: Filter = Filter()
    sort: Sort = "newest"
    collapse: bool = False
    fields: tuple[str, ...] = COLUMNS


class Exporter:
    """Writes files of ads. All of a file is of one moment."""

    def __init__(self, tenants: Tenants, files: TaskFiles, stale_s: float) -> None:
        self._tenants = tenants
        self._files = files
        self._stale = timedelta(seconds=stale_s)

    async def export(self, work: Work) -> None:
        """Do the task. Raises as `TaskFiles.deliver` does."""
        asked = msgspec.convert(work.request, Export)
        await self._files.deliver(work, asked.format, columns_of(AdRow, asked.fields), self._pages(work.org_id, asked))

    async def _pages(self, org_id: str, asked: Export) -> AsyncIterator[tuple[list[Row], dict[str, Any]]]:
        values = {**values_of(asked.which), "space": asked.brandspace_id, "stale": self._stale}
        begun = False
        # As the organisation: row-level security decides what is in the file. As one moment saw it:
        # an ad that is seen again while pages are read is in the file once.
        async with self._tenants.transaction(org_id, snapshot=True) as connection:
            while True:
                statement = statement_of(asked.which, asked.sort, limit=PAGE, begun=begun, collapse=asked.collapse)
                found = await (await connection.execute(statement, values)).fetchall()
                if found:
                    yield [_row(row, asked.fields) for row in found], {}
                    (values["key"], values["ad"]), begun = place_of(found[-1]), True
                if len(found) < PAGE:
                    return


def read_file_fields(names: Sequence[str] | None) -> tuple[str, ...]:
    """The columns that are wanted, in the order of a row.

    Raises:
        Refusal: 422, there is no such field, or it cannot be kept in a file.
    """
    if not names:
        return COLUMNS
    unknown = next((name for name in names if name not in FIELDS), None)
    if unknown is not None:
        raise Refusal("invalid", f"An ad has no field {unknown[:80]!r}.", field="fields")
    if "thumbnail_url" in names:
        detail = "thumbnail_url is an address for minutes, which a file outlives: read it from `GET /v1/ads`."
        raise Refusal("invalid", detail, field="fields")
    return tuple(name for name in FILE_FIELDS if name in names)


def _row(row: dict[str, Any], names: Sequence[str]) -> Row:
    known = msgspec.json.decode(row["shown"])
    return {name: known[name] for name in names}
