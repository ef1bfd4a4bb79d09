"""Bulk searches: many texts and ads at once over the vector indexes, with a file of all neighbours."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Self
from uuid import UUID

import msgspec
from msgspec import Meta

from adology.settings.model import AdologySettings
from adology.types import Struct
from adology_server.analyzers import Analyzers
from adology_server.people.model import Body
from adology_server.problems import Refusal
from adology_server.similar.embedding import Embedding
from adology_server.similar.index import Asked, SimilarityIndexes
from adology_server.similar.lookup import brands_of, find, places_of
from adology_server.similar.model import MOST, How, Neighbour
from adology_server.tasks.files import TaskFiles
from adology_server.tasks.formats import Format, Row, columns_of
from adology_server.tasks.model import Work
from adology_server.tenancy import Tenants

MOST_QUERIES: Final = 500
AT_ONCE = 4
"""Queries in work."""
_LARGEST_ID: Final = 2**63 - 1


class BulkQuery(Body, frozen=True, kw_only=True):
    """One of a text and an ad's id. `name` comes back with what is found."""

    text: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None
    ad_id: Annotated[int, Meta(ge=1, le=_LARGEST_ID)] | None = None
    name: Annotated[str, Meta(max_length=200)] = ""


class NewBulkSearch(Body, frozen=True, kw_only=True):
    """Up to 500 queries, each with up to `limit` neighbours, as a file with a row for each neighbour."""

    queries: Annotated[
        tuple[BulkQuery, ...],
        Meta(min_length=1, max_length=MOST_QUERIES, examples=[[{"text": "running shoes", "name": "shoes"}]]),
    ]
    how: How | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 10
    everywhere: bool = False
    format: Format = "jsonl"


class BulkSearch(Struct, frozen=True, kw_only=True):
    """What is asked for, as the task keeps it; without a brandspace everywhere."""

    brandspace_id: UUID | None
    asked: NewBulkSearch


class BulkRow(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A neighbour of a query, the nearest first (`rank` 1), or why there is none (`error`).

    `query` is its number in the request, from 0. The ad is the newest of `ads_in_all` that show the
    creative or have the copy; `ad_ids` are the newest ones.
    """

    query: int
    name: str
    text: str | None
    of_ad: int | None
    rank: int | None = None
    how: How | None = None
    similarity: float | None = None
    space: str | None = None
    subject: str | None = None
    ad_id: int | None = None
    brand: str | None = None
    source: str | None = None
    source_ad_id: str | None = None
    advertiser: str | None = None
    title: str | None = None
    last_seen_at: datetime | None = None
    ad_ids: tuple[int, ...] = ()
    ads_in_all: int = 0
    error: str | None = None


class BulkSearcher:
    """Keeps an index and models of its own from the first task on: most runners are never asked."""

    def __init__(self, settings: AdologySettings, tenants: Tenants, files: TaskFiles, analyzers: Analyzers) -> None:
        self._settings = settings
        self._tenants = tenants
        self._files = files
        self._embedding = Embedding(settings, analyzers)
        self._indexes: SimilarityIndexes | None = None
        self._opening = asyncio.Lock()
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._embedding)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def search(self, work: Work) -> None:
        """Do the task. Raises as `TaskFiles.deliver` does."""
        asked = msgspec.convert(work.request, BulkSearch)
        indexes = await self._open()
        await indexes.wait_in_step()
        columns = columns_of(BulkRow, BulkRow.__struct_fields__)
        await self._files.deliver(work, asked.asked.format, columns, self._pages(work.org_id, asked, indexes))

    async def _open(self) -> SimilarityIndexes:
        async with self._opening:
            if self._indexes is None:
                self._indexes = await self._stack.enter_async_context(SimilarityIndexes(self._settings))
            return self._indexes

    async def _pages(
        self, org_id: str, search: BulkSearch, indexes: SimilarityIndexes
    ) -> AsyncIterator[tuple[list[Row], dict[str, Any]]]:
        asked, failed = search.asked, 0
        brands: list[str] | None = None
        if search.brandspace_id is not None:
            # A brandspace that went meanwhile has no brands, and nothing is found.
            with contextlib.suppress(Refusal):
                brands = await brands_of(self._tenants, org_id, search.brandspace_id)
            brands = brands or []
        for start in range(0, len(asked.queries), AT_ONCE):
            some = range(start, min(start + AT_ONCE, len(asked.queries)))
            answers = await asyncio.gather(*(self._answer(org_id, asked, n, brands, indexes) for n in some))
            failed += sum(rows[0].error is not None for rows in answers if rows)
            rows = msgspec.json.decode(msgspec.json.encode([row for found in answers for row in found]))
            yield rows, {"queries": some.stop, "of": len(asked.queries), "failed": failed}

    async def _answer(
        self, org_id: str, asked: NewBulkSearch, number: int, brands: list[str] | None, indexes: SimilarityIndexes
    ) -> list[BulkRow]:
        query = asked.queries[number]
        of = BulkRow(query=number, name=query.name, text=query.text, of_ad=query.ad_id)
        try:
            places = await self._places(org_id, query, asked.how)
            found = await find(self._tenants, indexes, org_id, places, brands, asked.limit, asked.how)
        except Refusal as refusal:
            return [msgspec.structs.replace(of, error=refusal.message)]
        return [_row(of, rank, neighbour) for rank, neighbour in enumerate(found, 1)]

    async def _places(self, org_id: str, query: BulkQuery, how: How | None) -> Sequence[Asked]:
        if query.ad_id is not None:
            places, _ = await places_of(self._tenants, org_id, query.ad_id, how, None)
            return places
        return await self._embedding.of_text(query.text or "")


def check_queries(asked: NewBulkSearch) -> None:
    """Refuse a query that is not one of a text and an ad.

    Raises:
        Refusal: 422, naming the first.
    """
    for number, query in enumerate(asked.queries):
        if (query.text is None) is (query.ad_id is None):
            detail = f"Query {number} has {'both' if query.text is not None else 'neither'}: give `text` or `ad_id`."
            raise Refusal("invalid", detail, field=f"queries[{number}]")


def _row(of: BulkRow, rank: int, found: Neighbour) -> BulkRow:
    newest = found.ads[0]
    return msgspec.structs.replace(
        of,
        rank=rank,
        how=found.how,
        similarity=found.similarity,
        space=found.space,
        subject=found.subject,
        ad_id=newest.ad_id,
        brand=newest.brand,
        source=newest.source,
        source_ad_id=newest.source_ad_id,
        advertiser=newest.advertiser,
        title=newest.title,
        last_seen_at=newest.last_seen_at,
        ad_ids=tuple(ad.ad_id for ad in found.ads),
        ads_in_all=found.ads_in_all,
    )
