"""Which committed subjects lack a current result of an analyzer, and why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Literal

from adology.errors import Skip
from adology.store.database import Database
from adology.store.subjects import SubjectKind
from adology.types import Struct

Reason = Literal["version", "settings", "missing", "deferred", "failed", "pending"]
REASONS: dict[str, str] = {
    "version": "made by another version of the analyzer",
    "settings": "made with other settings, or by other versions of what the analyzer uses",
    "missing": "never analysed by it",
    "deferred": "put off: a vendor is away or a budget is used up",
    "failed": "it failed on them",
    "pending": "in work now",
}
PAGE = 500


class Wanted(Struct, frozen=True, kw_only=True):
    """An analyzer as it is configured now, and one kind of what it accepts."""

    analyzer: str
    version: int
    fingerprint: str
    kind: SubjectKind
    media: tuple[str, ...] = ()
    """Of assets: image, video."""


class Rate(Struct, frozen=True, kw_only=True):
    """What one analysis took on average so far; None: it never ran.

    `paid_usd` is the average of those that cost anything, whatever the settings that they were made with.
    """

    cost_usd: float | None = None
    paid_usd: float | None = None
    seconds: float | None = None


class Staleness:
    """Looks only; nothing is queued here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, wanted: Wanted, *, brand: str | None = None) -> dict[str, int]:
        """Number of subjects by reason; ``current`` for those that are up to date."""
        statement = count_statement(wanted.kind).encode()
        async with self._database.connection("staleness.count", analyzer=wanted.analyzer) as connection:
            found = await connection.execute(statement, _of_brand(wanted, brand))
            return dict(await found.fetchall())

    async def subjects(
        self, wanted: Wanted, reasons: Sequence[str], *, brand: str | None = None
    ) -> AsyncIterator[list[str]]:
        """Pages of subjects with one of these reasons, in the order of their hashes."""
        statement, after = page_statement(wanted.kind).encode(), ""
        while True:
            values = {**_of_brand(wanted, brand), "reasons": list(reasons), "after": after, "limit": PAGE}
            async with self._database.connection("staleness.page", analyzer=wanted.analyzer) as connection:
                rows = await (await connection.execute(statement, values)).fetchall()
            if rows:
                yield [row[0] for row in rows]
                after = rows[-1][0]
            if len(rows) < PAGE:
                return

    async def rate(self, analyzer: str, fingerprint: str) -> Rate:
        """Averages over what the analyzer did so far; its costs with `fingerprint` alone.

        Those with other settings say little of the price: another model, or one that cost nothing.
        """
        async with self._database.connection("staleness.rate", analyzer=analyzer) as connection:
            found = await connection.execute(RATE, {"fingerprint": fingerprint, "analyzer": analyzer})
            row = await found.fetchone()
        return Rate(cost_usd=row[0], paid_usd=row[1], seconds=row[2]) if row else Rate()

    async def reopen_failed(self, keys: Sequence[str]) -> None:
        """Let failed analyses be tried again: they are due at once."""
        async with self._database.connection("staleness.reopen", count=len(keys)) as connection:
            await connection.execute(
                "update analyses set state = 'deferred', retry_at = now(), deferrals = 0, asked_at = now()"
                " where key = any(%s) and state = 'failed'",
                [list(keys)],
            )


def count_statement(kind: SubjectKind) -> str:
    """Rows of reason and number, ``current`` among them; takes `values_of`."""
    return f"select reason, count(*) as subjects from ({_OF_KIND[kind]}) found group by reason"


def page_statement(kind: SubjectKind) -> str:
    """Rows of subject and payer, the first of its brands by name, by subject.

    Takes `values_of`, and `reasons`, `after` (a subject, or nothing) and `limit`.
    """
    return (
        f"select subject, (select min(b.brand) {_BRANDS[kind]}) as payer from ({_OF_KIND[kind]}) found"
        " where reason = any(%(reasons)s) and subject > %(after)s order by subject limit %(limit)s"
    )


def values_of(
    wanted: Wanted, *, brands: Sequence[str] | None = None, ads: Sequence[int] | None = None
) -> dict[str, object]:
    """What the statements take: subjects of ads of these brands and of these ads; None: of any."""
    return {
        "analyzer": wanted.analyzer,
        "version": wanted.version,
        "fingerprint": wanted.fingerprint,
        "media": list(wanted.media),
        "brands": None if brands is None else list(brands),
        "ads": None if ads is None else list(ads),
        "skip": Skip.code,
    }


def _of_brand(wanted: Wanted, brand: str | None) -> dict[str, object]:
    return values_of(wanted, brands=None if brand is None else [brand])


RATE = """
select avg(cost_usd) filter (where fingerprint = %(fingerprint)s)::float as cost_usd,
    avg(cost_usd) filter (where cost_usd > 0)::float as paid_usd,
    -- An answer of a vendor's batch took no time of ours.
    coalesce(avg(nullif(duration_ms, 0)) filter (where fingerprint = %(fingerprint)s),
        avg(nullif(duration_ms, 0)))::float / 1000 as seconds
from analyses where analyzer = %(analyzer)s and state = 'done'"""
"""One row with the fields of `Rate`; takes `analyzer` and `fingerprint`."""

# The key of a current result is that of `ReadyAnalyzer.claim`. An analyzer that had nothing to say
# is up to date.
_REASON = """
case
    when c.state = 'done' and l.key = c.key then 'current'
    when c.state = 'failed' and l.key = c.key then
        case when c.error_code = %(skip)s then 'current' else 'failed' end
    when c.state in ('deferred', 'pending') then c.state
    when l.key is null then 'missing'
    when n.version <> %(version)s then 'version'
    else 'settings'
end"""

_CHOSEN = """(%(brands)s::text[] is null or b.brand = any(%(brands)s))
    and (%(ads)s::bigint[] is null or b.ad_id = any(%(ads)s))"""
_BRANDS: dict[SubjectKind, str] = {
    "asset": f"""from ad_assets m join brand_ads b on b.ad_id = m.ad_id
    where m.sha256 = found.subject and {_CHOSEN}""",
    "ad": f"""from ads a join brand_ads b on b.ad_id = a.id
    where a.copy_hash = found.subject and {_CHOSEN}""",
}

_OF_KIND: dict[SubjectKind, str] = {
    "asset": f"""
select a.sha256 as subject, {_REASON} as reason
from assets a
    left join asset_analyses l on l.sha256 = a.sha256 and l.analyzer = %(analyzer)s
    left join analyses n on n.key = l.key
    left join analyses c on c.key = encode(sha256(convert_to(%(fingerprint)s || ':asset:' || a.sha256, 'UTF8')), 'hex')
where a.kind = any(%(media)s) and (%(brands)s::text[] is null and %(ads)s::bigint[] is null or exists (
    select 1 from ad_assets m join brand_ads b on b.ad_id = m.ad_id where m.sha256 = a.sha256 and {_CHOSEN}))""",
    "ad": f"""
select distinct on (a.copy_hash) a.copy_hash as subject, {_REASON} as reason
from ads a
    left join ad_analyses l on l.ad_id = a.id and l.analyzer = %(analyzer)s
    left join analyses n on n.key = l.key
    left join analyses c on c.key = encode(sha256(convert_to(%(fingerprint)s || ':ad:' || a.copy_hash, 'UTF8')), 'hex')
where (%(brands)s::text[] is null and %(ads)s::bigint[] is null or exists (
    select 1 from brand_ads b where b.ad_id = a.id and {_CHOSEN}))
order by a.copy_hash, (l.key is not distinct from c.key)""",
}
