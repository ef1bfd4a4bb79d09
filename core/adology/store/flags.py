"""What does not fit together in an ad: found by comparing results, kept per ad."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from adology.store.database import Database
from adology.store.subjects import SubjectKind
from adology.types import Struct

PAGE = 500


class AdResults(Struct, frozen=True, kw_only=True):
    """An ad with the results of one analyzer of copy and one of creatives (asset → result); what is absent is None."""

    ad_id: int
    copy: Any
    creatives: dict[str, Any]


class Flagged(Struct, frozen=True, kw_only=True):
    """An ad that may be seen, and what was found."""

    ad: str
    source: str
    brand: str
    details: Any


class Flags:
    """Written by one process at a time; read by any."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ads_with(self, kind: SubjectKind, subjects: Sequence[str]) -> AsyncIterator[list[int]]:
        """The ads that show these assets or have these copies, in pages."""
        after = 0
        while True:
            async with self._database.connection("flags.ads", kind=kind) as connection:
                found = await connection.execute(
                    _ADS_WITH[kind].encode(), {"subjects": list(subjects), "after": after, "limit": PAGE}
                )
                page = [row[0] for row in await found.fetchall()]
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = page[-1]

    async def load(self, ads: Sequence[int], *, copy: str, creative: str) -> list[AdResults]:
        """The current results of the analyzers `copy` and `creative` for these ads."""
        values = {"ads": list(ads), "copy": copy, "creative": creative}
        async with self._database.connection("flags.load", count=len(ads)) as connection:
            rows = await (await connection.execute(_RESULTS, values)).fetchall()
        return [AdResults(ad_id=ad, copy=said, creatives=dict(seen or {})) for ad, said, seen in rows]

    async def put(self, flag: str, found: Mapping[int, Any], ads: Sequence[int]) -> None:
        """Of these ads exactly those in `found` (ad → details) have the flag."""
        async with self._database.connection("flags.put", flag=flag) as connection, connection.transaction():
            await connection.execute(
                "delete from ad_flags where flag = %s and ad_id = any(%s) and ad_id <> all(%s)",
                [flag, list(ads), list(found)],
            )
            async with connection.cursor() as cursor:
                await cursor.executemany(
                    "insert into ad_flags (ad_id, flag, details) values (%s, %s, %s) on conflict (ad_id, flag)"
                    " do update set details = excluded.details where ad_flags.details <> excluded.details",
                    [(ad, flag, Jsonb(details)) for ad, details in sorted(found.items())],
                )

    async def list_flagged(
        self, flag: str, *, brand: str | None = None, organisation: str | None = None, limit: int = 100
    ) -> list[Flagged]:
        """Ads with the flag that may be seen, the newest flags first."""
        values = {"flag": flag, "brand": brand, "organisation": organisation, "limit": limit}
        async with self._database.connection("flags.list", flag=flag) as connection:
            rows = await (await connection.execute(_FLAGGED, values)).fetchall()
        return [Flagged(**dict(zip(Flagged.__struct_fields__, row, strict=True))) for row in rows]


_ADS_WITH: dict[SubjectKind, str] = {
    "asset": "select distinct ad_id from ad_assets where sha256 = any(%(subjects)s) and ad_id > %(after)s"
    " order by 1 limit %(limit)s",
    "ad": "select id from ads where copy_hash = any(%(subjects)s) and id > %(after)s order by 1 limit %(limit)s",
}

_RESULTS = """
select a.id,
    (select n.result from ad_analyses l join analyses n on n.key = l.key and n.state = 'done'
        where l.ad_id = a.id and l.analyzer = %(copy)s),
    (select jsonb_object_agg(m.sha256, n.result) from ad_assets m
        join asset_analyses l on l.sha256 = m.sha256 and l.analyzer = %(creative)s
        join analyses n on n.key = l.key and n.state = 'done' where m.ad_id = a.id)
from ads a where a.id = any(%(ads)s)"""

_FLAGGED = """
select d.source_ad_id, d.source, coalesce((select min(b.brand) from brand_ads b where b.ad_id = d.id
        and (%(brand)s::text is null or b.brand = %(brand)s)), ''), f.details
from ad_flags f join ads d on d.id = f.ad_id
where f.flag = %(flag)s and (d.owner_org_id is null or d.owner_org_id = %(organisation)s)
    and (%(brand)s::text is null or exists (select 1 from brand_ads b where b.ad_id = d.id and b.brand = %(brand)s))
order by f.since desc, f.ad_id limit %(limit)s"""
