"""Near-duplicates among committed creatives: what proposes them, the pairs, the groups."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from psycopg.types.json import Jsonb

from adology.store.database import Connection, Database
from adology.types import Struct

COMMON = 200
"""A token of more creatives than that tells nothing: a plain background, a network's frame."""


class Known(Struct, frozen=True, kw_only=True):
    """A creative with the results that likeness is told from; `keys` name the analyses that said so."""

    sha256: str
    keys: tuple[str, ...]
    results: dict[str, Any]


class Pair(Struct, frozen=True, kw_only=True):
    """Two creatives that are one, changed; `other` is the one that is not asked about."""

    other: str
    kind: str
    confidence: float
    result: Any


class Member(Struct, frozen=True, kw_only=True):
    """A creative of a group, with one ad that shows it and that may be seen."""

    group: str
    sha256: str
    kind: Literal["image", "video"]
    s3_path: str
    thumbnail: str
    ad: str
    source: str
    brand: str
    ads: int


class Likenesses:
    """Written by one process at a time; read by any."""

    def __init__(self, database: Database, analyzers: Sequence[str] = ("likeness", "visual_embedding")) -> None:
        self._database = database
        self._analyzers = tuple(analyzers)

    async def load(self, assets: Collection[str]) -> dict[str, Known]:
        """Those of the assets that have the first of the analyzers' results, with all of them that are there."""
        values = {"assets": list(assets), "analyzers": list(self._analyzers)}
        async with self._database.connection("likenesses.load", count=len(assets)) as connection:
            rows = await (await connection.execute(_LOAD, values)).fetchall()
        found = [Known(sha256=sha256, keys=tuple(keys), results=dict(results)) for sha256, keys, results in rows]
        return {one.sha256: one for one in found if self._analyzers[0] in one.results}

    async def compared(self, assets: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Those of the assets that were compared already, by which analyses."""
        async with self._database.connection("likenesses.compared", count=len(assets)) as connection:
            found = await connection.execute(
                "select sha256, keys from likeness_subjects where sha256 = any(%s)", [list(assets)]
            )
            return {sha256: tuple(keys) for sha256, keys in await found.fetchall()}

    async def propose(self, sha256: str, tokens: Sequence[str], *, limit: int) -> list[str]:
        """Creatives that share tokens, those that share most first. Tokens that many share are left out."""
        async with self._database.connection("likenesses.propose") as connection:
            found = await connection.execute(
                _PROPOSE, {"sha256": sha256, "tokens": list(tokens), "common": COMMON, "limit": limit}
            )
            return [row[0] for row in await found.fetchall()]

    async def put(self, known: Known, tokens: Iterable[str], pairs: Sequence[Pair]) -> None:
        """Make these the tokens and pairs of a creative, and its groups what follows from them."""
        async with self._database.connection("likenesses.put") as connection, connection.transaction():
            await connection.execute(
                "insert into likeness_subjects (sha256, keys, group_id) values (%(sha256)s, %(keys)s, %(sha256)s)"
                " on conflict (sha256) do update set keys = excluded.keys",
                {"sha256": known.sha256, "keys": list(known.keys)},
            )
            await self._replace(connection, known.sha256, sorted(set(tokens)), pairs)
            await _regroup(connection, known.sha256, [pair.other for pair in pairs])

    async def _replace(self, connection: Connection, sha256: str, tokens: list[str], pairs: Sequence[Pair]) -> None:
        await connection.execute("delete from likeness_tokens where sha256 = %s", [sha256])
        await connection.execute(
            "insert into likeness_tokens (token, sha256) select unnest(%s::text[]), %s", [tokens, sha256]
        )
        await connection.execute("delete from likenesses where %(sha256)s in (a, b)", {"sha256": sha256})
        async with connection.cursor() as cursor:
            await cursor.executemany(
                "insert into likenesses (a, b, kind, confidence, result) values (%s, %s, %s, %s, %s)",
                [
                    (*sorted((sha256, pair.other)), pair.kind, pair.confidence, Jsonb(pair.result))
                    for pair in sorted(pairs, key=lambda pair: pair.other)
                ],
            )

    async def forget(self) -> None:
        """Forget everything: all is compared anew."""
        async with self._database.connection("likenesses.forget") as connection:
            await connection.execute("truncate likeness_subjects, likeness_tokens, likenesses")

    async def pairs_of(self, sha256: str) -> list[Pair]:
        """The near-duplicates of a creative, the surest first."""
        async with self._database.connection("likenesses.pairs") as connection:
            found = await connection.execute(
                "select case a when %(sha256)s then b else a end, kind, confidence, result from likenesses"
                " where a = %(sha256)s or b = %(sha256)s order by confidence desc, 1",
                {"sha256": sha256},
            )
            rows = await found.fetchall()
        return [
            Pair(other=other, kind=kind, confidence=round(float(confidence), 4), result=result)
            for other, kind, confidence, result in rows
        ]

    async def groups(
        self, *, brand: str | None = None, organisation: str | None = None, after: str = "", limit: int = 100
    ) -> list[list[Member]]:
        """Groups of at least two creatives that may be seen, in order of id; `after` is the last one's id.

        With a brand: groups with a creative of it, whole.
        """
        values = {"brand": brand, "organisation": organisation, "after": after, "limit": limit}
        async with self._database.connection("likenesses.groups") as connection:
            rows = await (await connection.execute(_GROUPS, values)).fetchall()
        groups: dict[str, list[Member]] = {}
        for row in rows:
            member = Member(**dict(zip(Member.__struct_fields__, row, strict=True)))
            groups.setdefault(member.group, []).append(member)
        return list(groups.values())


async def _regroup(connection: Connection, sha256: str, others: Sequence[str]) -> None:
    """Groups are what pairs connect: of everything that was or is in one with this creative."""
    found = await connection.execute(
        "select sha256 from likeness_subjects where group_id in"
        " (select group_id from likeness_subjects where sha256 = any(%s)) order by sha256 for update",
        [[sha256, *others]],
    )
    members = [row[0] for row in await found.fetchall()]
    found = await connection.execute("select a, b from likenesses where a = any(%s) and b = any(%s)", [members] * 2)
    group_of = connect(members, await found.fetchall())
    await connection.execute(
        "update likeness_subjects s set group_id = t.group_id"
        " from unnest(%s::text[], %s::text[]) as t(sha256, group_id)"
        " where s.sha256 = t.sha256 and s.group_id <> t.group_id",
        [list(group_of), list(group_of.values())],
    )


def connect(members: Iterable[str], pairs: Iterable[Sequence[str]]) -> Mapping[str, str]:
    """For each member the least member that it is connected with."""
    parent = {member: member for member in sorted(members)}

    def root(member: str) -> str:
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return {member: root(member) for member in parent}


_LOAD = """
select l.sha256, array_agg(l.key order by l.analyzer), jsonb_object_agg(l.analyzer, n.result)
from asset_analyses l join analyses n on n.key = l.key and n.state = 'done'
where l.sha256 = any(%(assets)s) and l.analyzer = any(%(analyzers)s) group by l.sha256"""

_PROPOSE = """
select o.sha256 from unnest(%(tokens)s::text[]) as t(token)
    cross join lateral (
        select sha256, count(*) over () as holders
        from (select sha256 from likeness_tokens where token = t.token limit %(common)s + 1) few) o
where o.sha256 <> %(sha256)s and o.holders <= %(common)s
group by o.sha256 order by count(*) desc, o.sha256 limit %(limit)s"""

_GROUPS = """
with seen as (
    select m.sha256, count(*) as ads, min(d.id) as ad_id, bool_or(%(brand)s::text is null or exists (
            select 1 from brand_ads b where b.ad_id = d.id and b.brand = %(brand)s)) as wanted
    from likeness_subjects s join ad_assets m on m.sha256 = s.sha256 join ads d on d.id = m.ad_id
    where d.owner_org_id is null or d.owner_org_id = %(organisation)s
    group by m.sha256
), chosen as (
    select s.group_id from likeness_subjects s join seen on seen.sha256 = s.sha256 where s.group_id > %(after)s
    group by s.group_id having count(*) > 1 and bool_or(seen.wanted) order by s.group_id limit %(limit)s
)
select s.group_id, s.sha256, t.kind, t.s3_path, coalesce(t.thumbnail, ''), d.source_ad_id, d.source,
    coalesce((select min(b.brand) from brand_ads b where b.ad_id = d.id), ''), seen.ads
from chosen c join likeness_subjects s on s.group_id = c.group_id join seen on seen.sha256 = s.sha256
    join assets t on t.sha256 = s.sha256 join ads d on d.id = seen.ad_id
order by s.group_id, s.sha256"""
