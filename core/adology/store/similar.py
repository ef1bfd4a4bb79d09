"""Committed embeddings compared exactly, page by page: memory stays flat for any number of them."""

from __future__ import annotations

import base64
import binascii
import heapq
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

import numpy as np

from adology.store.database import Database
from adology.store.subjects import SubjectKind
from adology.types import Struct

PAGE = 2000
Vector = np.ndarray[tuple[int], np.dtype[np.float32]]


class Query(Struct, frozen=True, kw_only=True):
    """A vector of one embedding space, and among whose embeddings its neighbours are sought.

    `organisation` sees public ads and its own; None sees public ones only.
    """

    kind: SubjectKind
    analyzer: str
    space: str
    vector: Any
    brand: str | None = None
    organisation: str | None = None
    without: str = ""
    """A subject that is not its own neighbour."""


class Neighbour(Struct, frozen=True, kw_only=True):
    """A subject and its cosine similarity, in [-1, 1]."""

    subject: str
    similarity: float


class Shown(Struct, frozen=True, kw_only=True):
    """An ad that a subject belongs to."""

    subject: str
    ad: str
    source: str
    brand: str
    status: Literal["active", "stopped", "unknown"]
    copy: str = ""
    s3_path: str = ""
    thumbnail: str = ""


class Similar:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(self, query: Query, *, limit: int) -> list[Neighbour]:
        """The nearest subjects, nearest first; of equals the one with the lower hash."""
        best: list[tuple[float, str]] = []
        async for subjects, vectors in self._pages(query):
            scores = vectors @ query.vector
            best += [(float(scores[at]), subjects[at]) for at in np.argsort(-scores)[:limit]]
            best = heapq.nsmallest(limit, best, key=lambda one: (-one[0], one[1]))
        return [Neighbour(subject=subject, similarity=round(score, 4)) for score, subject in best]

    async def vectors_of(
        self, kind: SubjectKind, analyzer: str, subjects: Sequence[str]
    ) -> list[tuple[str, str, Vector]]:
        """(subject, space, vector) of those that have a current embedding."""
        columns = "l.subject, n.result->>'space', n.result->>'vector'"
        statement = f"select {columns} {_LINKED[kind]} and l.subject = any(%(subjects)s)"
        values = {"analyzer": analyzer, "subjects": list(subjects)}
        async with self._database.connection("similar.vectors", kind=kind) as connection:
            rows = await (await connection.execute(statement.encode(), values)).fetchall()
        return [(subject, space, vector) for subject, space, text in rows if (vector := unpack(text)) is not None]

    async def find_ad(self, name: str, *, organisation: str | None = None) -> tuple[list[str], str] | None:
        """The assets and the copy of an ad by its source's id; None when nobody may see such an ad."""
        async with self._database.connection("similar.ad") as connection:
            found = await connection.execute(
                "select a.copy_hash, array(select sha256 from ad_assets l where l.ad_id = a.id order by position)"
                " from ads a where a.source_ad_id = %s and (a.owner_org_id is null or a.owner_org_id = %s)"
                " order by a.owner_org_id nulls last, a.last_seen_at desc limit 1",
                [name, organisation],
            )
            row = await found.fetchone()
        return (list(row[1]), row[0]) if row else None

    async def shown(
        self, kind: SubjectKind, subjects: Sequence[str], *, brand: str | None = None, organisation: str | None = None
    ) -> dict[str, list[Shown]]:
        """Ads with these subjects that may be seen, newest first."""
        values = {"subjects": list(subjects), "brand": brand, "organisation": organisation}
        async with self._database.connection("similar.shown", kind=kind) as connection:
            rows = await (await connection.execute(_SHOWN[kind].encode(), values)).fetchall()
        ads: dict[str, list[Shown]] = {}
        for row in rows:
            one = Shown(**dict(zip(Shown.__struct_fields__, row, strict=True)))
            ads.setdefault(one.subject, []).append(one)
        return ads

    async def _pages(self, query: Query) -> AsyncIterator[tuple[list[str], np.ndarray[Any, Any]]]:
        statement = (
            f"select l.subject, n.result->>'vector' {_LINKED[query.kind]} and n.result->>'space' = %(space)s"
            f" and l.subject > %(after)s and l.subject <> %(without)s and {_VISIBLE[query.kind]}"
            " order by l.subject limit %(limit)s"
        )
        after = ""
        while True:
            values = {
                "analyzer": query.analyzer,
                "space": query.space,
                "after": after,
                "without": query.without,
                "brand": query.brand,
                "organisation": query.organisation,
                "limit": PAGE,
            }
            async with self._database.connection("similar.page", kind=query.kind) as connection:
                rows = await (await connection.execute(statement.encode(), values)).fetchall()
            known = [(subject, vector) for subject, text in rows if (vector := unpack(text)) is not None]
            known = [(subject, vector) for subject, vector in known if vector.shape == query.vector.shape]
            if known:
                yield [subject for subject, _ in known], np.stack([vector for _, vector in known])
            if len(rows) < PAGE:
                return
            after = rows[-1][0]


def unpack(text: str | None) -> Vector | None:
    """The vector behind base64 of little-endian float32; None for anything else."""
    try:
        return np.frombuffer(base64.b64decode(text or "", validate=True), dtype="<f4") if text else None
    except (ValueError, binascii.Error):
        return None


_LINKED: dict[SubjectKind, str] = {
    "asset": """from (select sha256 as subject, key from asset_analyses where analyzer = %(analyzer)s) l
        join analyses n on n.key = l.key where n.state = 'done'""",
    "ad": """from (select distinct a.copy_hash as subject, l.key from ad_analyses l join ads a on a.id = l.ad_id
            where l.analyzer = %(analyzer)s) l
        join analyses n on n.key = l.key where n.state = 'done'""",
}

_MAY_BE_SEEN = """(d.owner_org_id is null or d.owner_org_id = %(organisation)s)
    and (%(brand)s::text is null or exists (select 1 from brand_ads b where b.ad_id = d.id and b.brand = %(brand)s))"""

_VISIBLE: dict[SubjectKind, str] = {
    "asset": "exists (select 1 from ad_assets m join ads d on d.id = m.ad_id where m.sha256 = l.subject"
    f" and {_MAY_BE_SEEN})",
    "ad": f"exists (select 1 from ads d where d.copy_hash = l.subject and {_MAY_BE_SEEN})",
}

_AD_COLUMNS = """d.source_ad_id, d.source, coalesce((select min(b.brand) from brand_ads b where b.ad_id = d.id
        and (%(brand)s::text is null or b.brand = %(brand)s)), ''), d.status,
    concat_ws(' · ', nullif(d.titles[1], ''), nullif(d.bodies[1], ''))"""

_SHOWN: dict[SubjectKind, str] = {
    "asset": f"""select m.sha256, {_AD_COLUMNS}, s.s3_path, coalesce(s.thumbnail, '')
        from ad_assets m join ads d on d.id = m.ad_id join assets s on s.sha256 = m.sha256
        where m.sha256 = any(%(subjects)s) and {_MAY_BE_SEEN} order by d.last_seen_at desc, d.id""",
    "ad": f"""select d.copy_hash, {_AD_COLUMNS}, coalesce(s.s3_path, ''), coalesce(s.thumbnail, '')
        from ads d left join lateral (select s.* from ad_assets m join assets s on s.sha256 = m.sha256
            where m.ad_id = d.id order by m.position limit 1) s on true
        where d.copy_hash = any(%(subjects)s) and {_MAY_BE_SEEN} order by d.last_seen_at desc, d.id""",
}
