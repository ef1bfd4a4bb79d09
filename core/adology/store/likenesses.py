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
    """A creative of a group, with one ad that shows it and that may be seen; `group` is its least member."""

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
        """Groups of at least two creatives that may be seen, in one order; `after` is the last one's id.

        With a brand: groups with a creative of it, whole. What may not be seen connects nothing and
        names nothing: a stored group may be several here, or none.
        """
        values = {"brand": brand, "organisation": organisation, "limit": limit}
        groups: list[list[Member]] = []
        async with self._database.connection("likenesses.groups") as connection:
            found = await connection.execute(_STORED_GROUP, {**values, "after": after})
            stored = [row[0] for row in await found.fetchall()]
            past = stored[0] if stored else after
            while len(groups) < limit:
                chosen = _CHOSEN.format(of_brand="" if brand is None else _OF_BRAND)
                found = await connection.execute(chosen.encode(), {**values, "past": past})
                page = [row[0] for row in await found.fetchall()]
                groups += [
                    members
                    for group, members in await _visible(connection, [*stored, *page], values)
                    if [group] != stored or members[0].sha256 > after
                ]
                if len(page) < limit:
                    break
                stored, past = [], page[-1]
        return groups[:limit]


async def _visible(
    connection: Connection, stored: Sequence[str], values: Mapping[str, Any]
) -> list[tuple[str, list[Member]]]:
    """What of stored groups may be seen, each with the stored one's id."""
    found = await connection.execute(_MEMBERS.encode(), {**values, "groups": list(stored)})
    rows = {row[1]: row for row in await found.fetchall()}
    found = await connection.execute(_CONNECTED, [list(rows), list(rows)])
    members: dict[tuple[str, str], list[str]] = {}
    for sha256, least in connect(rows, await found.fetchall()).items():
        members.setdefault((rows[sha256][0], least), []).append(sha256)
    return [
        (group, [Member(**dict(zip(Member.__struct_fields__, (least, *rows[one][1:-1]), strict=True))) for one in each])
        for (group, least), each in sorted(members.items())
        if len(each) > 1 and any(rows[one][-1] for one in each)
    ]


async def _regroup(connection: Connection, sha256: str, others: Sequence[str]) -> None:
    """Groups are what pairs connect: of everything that was or is in one with this creative."""
    await _set_groups(connection, await _lock_groups(connection, [sha256, *others]))


async def forget_likenesses(connection: Connection, assets: Sequence[str]) -> None:
    """Forget these creatives, in the transaction that removes them; what they alone connected falls apart."""
    members = await _lock_groups(connection, assets)
    await _set_groups(connection, [one for one in members if one not in set(assets)], alone=assets)
    await connection.execute("delete from likeness_subjects where sha256 = any(%s)", [list(assets)])


async def _lock_groups(connection: Connection, assets: Sequence[str]) -> list[str]:
    """The members of all groups that these are in."""
    found = await connection.execute(
        "select sha256 from likeness_subjects where group_id in"
        " (select group_id from likeness_subjects where sha256 = any(%s)) order by sha256 for update",
        [list(assets)],
    )
    return [row[0] for row in await found.fetchall()]


async def _set_groups(connection: Connection, members: Sequence[str], *, alone: Sequence[str] = ()) -> None:
    found = await connection.execute(_CONNECTED, [list(members)] * 2)
    group_of = {**connect(members, await found.fetchall()), **{sha256: sha256 for sha256 in alone}}
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

_CONNECTED = "select a, b from likenesses where a = any(%s) and b = any(%s)"

_SEEN = """exists (select 1 from ad_assets m join ads d on d.id = m.ad_id
    where m.sha256 = {} and (d.owner_org_id is null or d.owner_org_id = %(organisation)s))"""

_STORED_GROUP = f"select group_id from likeness_subjects s where sha256 = %(after)s and {_SEEN.format('s.sha256')}"

_CHOSEN = f"""
select s.group_id from likeness_subjects s join likenesses p on p.a = s.sha256
where s.group_id > %(past)s and {_SEEN.format("p.a")} and {_SEEN.format("p.b")} {{of_brand}}
group by s.group_id order by s.group_id limit %(limit)s"""
"""Along the index of groups, until enough are found: not all of the catalogue is looked at for a page."""

_OF_BRAND = """and s.group_id in (
    select o.group_id from brand_ads b join ads d on d.id = b.ad_id join ad_assets m on m.ad_id = d.id
        join likeness_subjects o on o.sha256 = m.sha256
    where b.brand = %(brand)s and (d.owner_org_id is null or d.owner_org_id = %(organisation)s))"""

_MEMBERS = """
select s.group_id, s.sha256, t.kind, t.s3_path, coalesce(t.thumbnail, ''), d.source_ad_id, d.source,
    coalesce((select min(b.brand) from brand_ads b where b.ad_id = d.id), ''), seen.ads, seen.wanted
from likeness_subjects s join assets t on t.sha256 = s.sha256 cross join lateral (
        select count(distinct d.id) as ads, min(d.id) as ad_id, bool_or(%(brand)s::text is null or exists (
            select 1 from brand_ads b where b.ad_id = d.id and b.brand = %(brand)s)) as wanted
        from ad_assets m join ads d on d.id = m.ad_id
        where m.sha256 = s.sha256 and (d.owner_org_id is null or d.owner_org_id = %(organisation)s)) seen
    join ads d on d.id = seen.ad_id
where s.group_id = any(%(groups)s)"""
