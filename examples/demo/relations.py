"""What follows from comparing committed ads: near-duplicates, prices that contradict, look-alikes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from adology.settings import AdologySettings
from adology.store import Database
from adology.store.changes import Changes
from adology.store.flags import Flagged, Flags
from adology.store.likenesses import Likenesses, Member
from adology.store.similar import Query, Similar
from adology.store.subjects import SubjectKind

FOLLOWERS = ("duplicates", "mismatches")
"""Followers that leave something in the database, by the names of their places."""
FLAG = "price_mismatch"
_POLL_S = 0.25
_MOST = 200
_NEAREST = 3


class Group(msgspec.Struct, kw_only=True):
    """Creatives that are one, changed; `kinds` counts how its pairs differ, the surest pair has `confidence`."""

    members: Sequence[Member]
    kinds: Counter[str]
    confidence: float


class Near(msgspec.Struct, kw_only=True):
    """A neighbour of the example; `how` is "looks" or "says"."""

    how: str
    similarity: float
    ad: str
    brand: str
    says: str


class Related(msgspec.Struct, kw_only=True):
    """`late`: followers that had not caught up in time. `example` names the ad that `near` is about."""

    groups: list[Group] = msgspec.field(default_factory=list)
    mismatches: list[Flagged] = msgspec.field(default_factory=list)
    example: str = ""
    example_brand: str = ""
    near: list[Near] = msgspec.field(default_factory=list)
    late: list[str] = msgspec.field(default_factory=list)


async def relate(settings: AdologySettings, *, patience_s: float) -> Related:
    """Wait until the followers have seen all commits, at most `patience_s`, and read what they left."""
    async with Database(settings.postgres) as database:
        late = await _wait(Changes(database), patience_s)
        told = Related(groups=await _groups(database), late=late)
        flagged = await Flags(database).list_flagged(FLAG, limit=_MOST)
        told.mismatches = sorted(flagged, key=lambda one: (one.brand, one.ad))
        await _add_example(database, told)
    return told


async def _wait(changes: Changes, patience_s: float) -> list[str]:
    """The followers that do not get there in time."""
    committed = await changes.now()
    deadline = time.monotonic() + patience_s
    late = list(FOLLOWERS)
    while late and time.monotonic() < deadline:
        places = {name: await changes.place(name) for name in late}
        late = [name for name, place in places.items() if place is None or place.at <= committed.at]
        if late:
            await asyncio.sleep(_POLL_S)
    return late


async def _groups(database: Database) -> list[Group]:
    store = Likenesses(database)
    found = []
    for members in await store.groups(limit=_MOST):
        within = {member.sha256 for member in members}
        pairs = {
            tuple(sorted((member.sha256, pair.other))): pair
            for member in members
            for pair in await store.pairs_of(member.sha256)
            if pair.other in within
        }
        kinds = Counter(pair.kind for pair in pairs.values())
        confidence = max((pair.confidence for pair in pairs.values()), default=0.0)
        found.append(Group(members=members, kinds=kinds, confidence=confidence))
    return sorted(found, key=lambda group: -group.confidence)


async def _add_example(database: Database, told: Related) -> None:
    """The neighbours of an ad that is in a group, or of the first one: as `adology search --ad` finds them."""
    async with database.connection("demo.example") as connection:
        found = await connection.execute(_EXAMPLE, [[one.ad for group in told.groups[:1] for one in group.members]])
        row = await found.fetchone()
    if row is None:
        return
    told.example, told.example_brand, asset, copy = row
    wanted: tuple[tuple[SubjectKind, str, str, str], ...] = (
        ("asset", "visual_embedding", asset, "looks"),
        ("ad", "text_embedding", copy, "says"),
    )
    similar = Similar(database)
    for kind, analyzer, subject, how in wanted:
        for _, space, vector in await similar.vectors_of(kind, analyzer, [subject]):
            query = Query(kind=kind, analyzer=analyzer, space=space, vector=vector, without=subject)
            told.near += await _nearest(similar, query, how)


async def _nearest(similar: Similar, query: Query, how: str) -> list[Near]:
    near = await similar.search(query, limit=_NEAREST)
    shown: dict[str, list[Any]] = dict(await similar.shown(query.kind, [one.subject for one in near]))
    return [
        Near(how=how, similarity=one.similarity, ad=ads[0].ad, brand=ads[0].brand, says=" ".join(ads[0].copy.split()))
        for one in near
        if (ads := shown.get(one.subject))
    ]


_EXAMPLE = """
select d.source_ad_id, min(b.brand), min(m.sha256), d.copy_hash from ads d join ad_assets m on m.ad_id = d.id
    join asset_analyses l on l.sha256 = m.sha256 and l.analyzer = 'visual_embedding'
    join brand_ads b on b.ad_id = d.id
where d.owner_org_id is null group by d.id having count(*) = 1
order by d.source_ad_id = any(%s) desc, d.source_ad_id limit 1"""
