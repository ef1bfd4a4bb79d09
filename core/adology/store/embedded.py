"""Committed embeddings with what similarity filters by, for whoever keeps an index of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date
from typing import Any

import msgspec

from adology.store.database import Database
from adology.store.similar import Vector, unpack
from adology.store.subjects import SubjectKind
from adology.types import Struct

PAGE = 500
LONGEST_LABEL = 200


class Appearance(Struct, frozen=True, kw_only=True):
    """Where a subject is seen: in public ads (`owner` None), or in those of one organisation.

    Days are UTC, both included.
    """

    subject: str
    owner: str | None
    brands: frozenset[str]
    sources: frozenset[str]
    first_seen: date
    last_seen: date


class Embedding(Struct, frozen=True, kw_only=True):
    """What one analyzer's current result says of a subject."""

    subject: str
    analyzer: str
    space: str
    vector: Any


class Embedded(Struct, frozen=True, kw_only=True):
    """Some subjects of one kind: their embeddings, labels (``taxonomy:id``) and appearances."""

    kind: SubjectKind
    embeddings: tuple[Embedding, ...]
    labels: dict[str, frozenset[str]]
    appearances: tuple[Appearance, ...]


class _Label(msgspec.Struct):
    taxonomy: str
    id: str


class EmbeddedSubjects:
    """Reads only. A result with `space` and `vector` is an embedding, whoever made it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, kind: SubjectKind, subjects: Sequence[str]) -> Embedded:
        """What is committed of these subjects now."""
        values = {"subjects": list(subjects)}
        async with self._database.connection("embedded.load", kind=kind, count=len(subjects)) as connection:
            results = await (await connection.execute(_RESULTS[kind].encode(), values)).fetchall()
            seen = await (await connection.execute(_SEEN[kind].encode(), values)).fetchall()
        labels: dict[str, frozenset[str]] = {}
        embeddings: list[Embedding] = []
        for subject, analyzer, space, text, said in results:
            vector: Vector | None = unpack(text) if space else None
            if vector is not None:
                embeddings.append(Embedding(subject=subject, analyzer=analyzer, space=space, vector=vector))
            if said:
                labels[subject] = labels.get(subject, frozenset()) | _labels(said)
        names = Appearance.__struct_fields__
        rows = [(subject, owner, frozenset(b), frozenset(s), first, last) for subject, owner, b, s, first, last in seen]
        return Embedded(
            kind=kind,
            embeddings=tuple(embeddings),
            labels=labels,
            appearances=tuple(Appearance(**dict(zip(names, row, strict=True))) for row in rows),
        )


class CommittedSubjects:
    """Which assets and copies there are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_batch(self, batch_id: str, kind: SubjectKind) -> list[str]:
        """The assets or copies of a committed batch's ads that no later batch has brought again."""
        async with self._database.connection("embedded.batch", batch=batch_id) as connection:
            found = await connection.execute(_OF_BATCH[kind].encode(), [batch_id])
            return [row[0] for row in await found.fetchall()]

    async def everything(self, kind: SubjectKind) -> AsyncIterator[list[str]]:
        """Every committed asset or copy, in pages."""
        after = ""
        while True:
            async with self._database.connection("embedded.all", kind=kind) as connection:
                found = await connection.execute(_ALL[kind].encode(), {"after": after, "limit": PAGE})
                page = [row[0] for row in await found.fetchall()]
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = page[-1]


def _labels(said: Iterable[Any]) -> frozenset[str]:
    """``taxonomy:id`` of what looks like labels; others' results may have a field of that name."""
    try:
        names = [f"{label.taxonomy}:{label.id}" for label in msgspec.convert(said, list[_Label])]
    except msgspec.ValidationError:
        return frozenset()
    return frozenset(name for name in names if len(name) <= LONGEST_LABEL)


_SAID = "l.analyzer, n.result->>'space', n.result->>'vector', n.result->'labels'"

_RESULTS: dict[SubjectKind, str] = {
    "asset": f"""select l.sha256, {_SAID} from asset_analyses l join analyses n on n.key = l.key and n.state = 'done'
        where l.sha256 = any(%(subjects)s) and (n.result ? 'vector' or n.result ? 'labels') order by 1, 2""",
    "ad": f"""select distinct on (a.copy_hash, l.analyzer) a.copy_hash, {_SAID}
        from ads a join ad_analyses l on l.ad_id = a.id join analyses n on n.key = l.key and n.state = 'done'
        where a.copy_hash = any(%(subjects)s) and (n.result ? 'vector' or n.result ? 'labels')
        order by a.copy_hash, l.analyzer, n.done_at desc, n.key""",
}

_DAYS = """d.owner_org_id, array_remove(array_agg(distinct b.brand), null), array_agg(distinct d.source),
    (min(d.first_seen_at) at time zone 'UTC')::date, (max(d.last_seen_at) at time zone 'UTC')::date"""

_SEEN: dict[SubjectKind, str] = {
    "asset": f"""select m.sha256, {_DAYS} from ad_assets m join ads d on d.id = m.ad_id
        left join brand_ads b on b.ad_id = d.id
        where m.sha256 = any(%(subjects)s) group by m.sha256, d.owner_org_id""",
    "ad": f"""select d.copy_hash, {_DAYS} from ads d left join brand_ads b on b.ad_id = d.id
        where d.copy_hash = any(%(subjects)s) group by d.copy_hash, d.owner_org_id""",
}

_OF_BATCH: dict[SubjectKind, str] = {
    "asset": """select distinct m.sha256 from batches t join brand_ads b on b.brand = t.brand and b.last_batch = t.id
        join ad_assets m on m.ad_id = b.ad_id where t.id = %s""",
    "ad": """select distinct d.copy_hash from batches t join brand_ads b on b.brand = t.brand and b.last_batch = t.id
        join ads d on d.id = b.ad_id where t.id = %s""",
}
"""By brand: an index on the batch would have to be written with every commit."""

_ALL: dict[SubjectKind, str] = {
    "asset": "select sha256 from assets where sha256 > %(after)s order by sha256 limit %(limit)s",
    "ad": "select distinct copy_hash from ads where copy_hash > %(after)s order by copy_hash limit %(limit)s",
}
