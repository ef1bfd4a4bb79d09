"""Committed assets and ad copies as subjects of analyses: found again, and linked to what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from adology.store.database import Connection, Database
from adology.types import Ad, Struct

SubjectKind = Literal["asset", "ad"]

ASKED_AGAIN_S = 900.0
"""A deferred analysis that was asked for is not asked for again before."""


class StoredAsset(Struct, frozen=True, kw_only=True):
    """A committed creative: what is known of its bytes, and where they are."""

    sha256: str
    kind: Literal["image", "video"]
    content_type: str
    size_bytes: int
    s3_path: str


class Due(Struct, frozen=True, kw_only=True):
    """A subject with deferred analyses whose time has come, and a brand that it belongs to."""

    kind: SubjectKind
    subject: str
    brand: str


class Subjects:
    """Reads the catalogue's side of analyses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_asset(self, sha256: str) -> StoredAsset | None:
        """The asset; None when no commit brought it."""
        async with self._database.connection("subjects.asset") as connection:
            found = await connection.execute(
                "select sha256, kind, content_type, size_bytes, s3_path from assets where sha256 = %s", [sha256]
            )
            row = await found.fetchone()
        names = StoredAsset.__struct_fields__
        return StoredAsset(**dict(zip(names, row, strict=True))) if row else None

    async def find_copy(self, copy_hash: str) -> Ad | None:
        """An ad with that copy; of its fields only those that the hash covers are filled."""
        async with self._database.connection("subjects.copy") as connection:
            found = await connection.execute(
                "select source_ad_id, bodies, titles, captions, descriptions, cta, landing_url from ads"
                " where copy_hash = %s limit 1",
                [copy_hash],
            )
            row = await found.fetchone()
        if row is None:
            return None
        ad_id, bodies, titles, captions, descriptions, cta, landing_url = row
        return Ad(
            id=ad_id,
            bodies=tuple(bodies),
            titles=tuple(titles),
            captions=tuple(captions),
            descriptions=tuple(descriptions),
            cta=cta,
            landing_url=landing_url,
        )

    async def link(self, kind: SubjectKind, subject: str, keys: Mapping[str, str]) -> None:
        """Make these analyses (analyzer → key) the subject's own, as far as they are finished."""
        statement = _LINK_ASSET if kind == "asset" else _LINK_ADS
        async with self._database.connection("subjects.link", kind=kind) as connection:
            await connection.execute(
                (statement + _NOTE).encode(),
                {"kind": kind, "subject": subject, "analyzers": list(keys), "keys": list(keys.values())},
            )

    async def brands_of(self, kind: SubjectKind, subjects: Sequence[str]) -> dict[str, str]:
        """A brand of each subject: the first by name of those whose ads have it."""
        async with self._database.connection("subjects.brands", kind=kind) as connection:
            found = await connection.execute(_BRANDS_OF[kind].encode(), [list(subjects)])
            return dict(await found.fetchall())

    async def take_due(self, *, limit: int) -> Sequence[Due]:
        """Committed subjects with deferred analyses that are due; they are not given out again for a while."""
        async with self._database.connection("subjects.due") as connection:
            found = await connection.execute(_TAKE_DUE, {"limit": limit, "again_s": ASKED_AGAIN_S})
            return [Due(kind=kind, subject=subject, brand=brand) for kind, subject, brand in await found.fetchall()]


async def link_many(connection: Connection, keys: Sequence[str]) -> None:
    """Make these analyses their subjects' own, as far as they are finished, within somebody's transaction."""
    for statement in (_LINK_ASSETS, _LINK_COPIES):
        await connection.execute(statement, [list(keys)])


_NOTE = """, noted as (
    insert into changes (kind, subject) select %(kind)s, %(subject)s where exists (select 1 from linked))
select 1"""
"""A batch is one change by itself; this is the other way in which a subject gets analyses."""

_LINK_ASSET = """with linked as (
insert into asset_analyses (sha256, analyzer, key)
select a.sha256, n.analyzer, n.key
from assets a, unnest(%(analyzers)s::text[], %(keys)s::text[]) as t(analyzer, key)
    join analyses n on n.key = t.key and n.analyzer = t.analyzer and n.state in ('done', 'failed')
where a.sha256 = %(subject)s and n.subject = a.sha256 order by n.analyzer
on conflict (sha256, analyzer) do update set key = excluded.key where asset_analyses.key <> excluded.key
returning 1)"""

_LINK_ADS = """with linked as (
insert into ad_analyses (ad_id, analyzer, key)
select a.id, n.analyzer, n.key
from ads a, unnest(%(analyzers)s::text[], %(keys)s::text[]) as t(analyzer, key)
    join analyses n on n.key = t.key and n.analyzer = t.analyzer and n.state in ('done', 'failed')
where a.copy_hash = %(subject)s and n.subject = a.copy_hash order by a.id, n.analyzer
on conflict (ad_id, analyzer) do update set key = excluded.key where ad_analyses.key <> excluded.key
returning 1)"""

_LINK_ASSETS = """with linked as (
insert into asset_analyses (sha256, analyzer, key)
select n.subject, n.analyzer, n.key from analyses n join assets a on a.sha256 = n.subject
where n.key = any(%s) and n.subject_kind = 'asset' and n.state in ('done', 'failed') order by n.subject, n.analyzer
on conflict (sha256, analyzer) do update set key = excluded.key where asset_analyses.key <> excluded.key
returning sha256)
insert into changes (kind, subject) select distinct 'asset', sha256 from linked"""

_LINK_COPIES = """with linked as (
insert into ad_analyses (ad_id, analyzer, key)
select a.id, n.analyzer, n.key from analyses n join ads a on a.copy_hash = n.subject
where n.key = any(%s) and n.subject_kind = 'ad' and n.state in ('done', 'failed') order by a.id, n.analyzer
on conflict (ad_id, analyzer) do update set key = excluded.key where ad_analyses.key <> excluded.key
returning ad_id)
insert into changes (kind, subject) select distinct 'ad', a.copy_hash from linked l join ads a on a.id = l.ad_id"""

_BRANDS_OF: dict[SubjectKind, str] = {
    "asset": "select l.sha256, min(b.brand) from ad_assets l join brand_ads b on b.ad_id = l.ad_id"
    " where l.sha256 = any(%s) group by l.sha256",
    "ad": "select a.copy_hash, min(b.brand) from ads a join brand_ads b on b.ad_id = a.id"
    " where a.copy_hash = any(%s) group by a.copy_hash",
}

_TAKE_DUE = """
with due as (
    select n.key, n.subject_kind, n.subject,
        case n.subject_kind
            when 'asset' then (select b.brand from ad_assets l join brand_ads b on b.ad_id = l.ad_id
                where l.sha256 = n.subject limit 1)
            else (select b.brand from ads a join brand_ads b on b.ad_id = a.id
                where a.copy_hash = n.subject limit 1)
        end as brand
    from analyses n
    where n.state = 'deferred' and n.retry_at <= now()
        and (n.asked_at is null or n.asked_at < now() - make_interval(secs => %(again_s)s))
    order by n.retry_at limit %(limit)s
    for update of n skip locked
), asked as (
    update analyses n set asked_at = now() from due where n.key = due.key
)
select distinct subject_kind, subject, brand from due where brand is not null"""
"""What no commit brought yet is marked as well: it is looked at again later, and cannot crowd out the rest."""
