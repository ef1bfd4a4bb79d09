"""What was derived from a brand's committed ads, and those ads as brand-wide analyzers read them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from adology.abc.analyzer import BrandAd
from adology.engine.model import Batch
from adology.store.database import Database
from adology.types import Struct

PAGE = 1000


class Insight(Struct, frozen=True, kw_only=True):
    """One stored insight; `result` is the analyzer's result as plain data."""

    brand: str
    batch: str
    analyzer: str
    version: int
    result: Any
    created_at: datetime


class Insights:
    """One row per (brand, batch, analyzer)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, brand: str, batch_id: str, analyzer: str, version: int, result: Any) -> None:
        """Store an insight; once more replaces it (a message may come twice)."""
        async with self._database.connection("insights.save", brand=brand, batch=batch_id) as connection:
            await connection.execute(
                """insert into insights (brand, batch_id, analyzer, version, result) values (%s, %s, %s, %s, %s)
                   on conflict (brand, batch_id, analyzer) do update
                     set version = excluded.version, result = excluded.result""",
                [brand, batch_id, analyzer, version, Jsonb(result)],
            )

    async def list(self, brand: str, limit: int = 50) -> list[Insight]:
        """Insights of a brand, those of the newest batch first."""
        async with self._database.connection("insights.list", brand=brand) as connection:
            found = await connection.execute(
                """select i.brand, i.batch_id, i.analyzer, i.version, i.result, i.created_at
                   from insights i join batches b on b.id = i.batch_id where i.brand = %s
                   order by b.committed_at desc, i.analyzer limit %s""",
                [brand, limit],
            )
            return [
                Insight(brand=brand, batch=batch, analyzer=analyzer, version=version, result=result, created_at=at)
                for brand, batch, analyzer, version, result, at in await found.fetchall()
            ]


class BrandState:
    """A brand after a commit; implements `adology.abc.analyzer.BrandItem`.

    `batch` must be committed; `previous` is the brand's commit before it.
    """

    def __init__(self, database: Database, batch: Batch, previous: Batch | None = None, *, page: int = PAGE) -> None:
        self._database = database
        self._page = page
        self.brand = batch.brand
        self.batch = batch.id
        self.previous_batch = previous.id if previous else None
        self.committed_at = batch.committed_at or batch.progress_at
        self.previous_committed_at = previous.committed_at if previous else None
        self.sources = {name: _outcome(said) for name, said in batch.sources.items()}

    async def ads(self) -> AsyncIterator[BrandAd]:
        """Every public ad of the brand, by id; no connection is held between pages.

        `first_batch` and `last_batch` are the brand's own: another brand may have met the ad before.
        """
        after = 0
        while True:
            rows = await self._read_page(after)
            for row in rows:
                yield _brand_ad(row)
            if len(rows) < self._page:
                return
            after = rows[-1][0]

    async def _read_page(self, after: int) -> Sequence[tuple[Any, ...]]:
        async with self._database.connection("brand.ads", brand=self.brand) as connection:
            found = await connection.execute(
                """select a.id, a.source, a.format, a.status, a.first_seen_at, a.last_seen_at, a.started_on,
                       a.stopped_on, b.first_batch, b.last_batch,
                       array(select sha256 from ad_assets l where l.ad_id = a.id order by l.position, l.sha256)
                   from brand_ads b join ads a on a.id = b.ad_id
                   where b.brand = %s and b.ad_id > %s and a.owner_org_id is null order by b.ad_id limit %s""",
                [self.brand, after, self._page],
            )
            return await found.fetchall()


def _outcome(said: Any) -> str:
    """How a source's gathering ended, from what the ledger keeps of it."""
    return str(said.get("outcome", "")) if isinstance(said, dict) else str(said)


def _brand_ad(row: Sequence[Any]) -> BrandAd:
    return BrandAd(
        id=str(row[0]),
        source=row[1],
        format=row[2],
        status=row[3],
        first_seen_at=row[4],
        last_seen_at=row[5],
        started_on=row[6],
        stopped_on=row[7],
        first_batch=row[8],
        last_batch=row[9],
        assets=tuple(row[10]),
    )
