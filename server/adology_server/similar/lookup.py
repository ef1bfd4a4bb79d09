"""From ads to places in spaces, and from neighbours back to ads: under row-level security."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, LiteralString
from uuid import UUID

from psycopg.rows import DictRow

from adology.store.similar import unpack
from adology_server.problems import not_found
from adology_server.similar.index import Asked, Near, SimilarityIndexes
from adology_server.similar.model import How, Neighbour, SimilarAd
from adology_server.tenancy import Tenants, convert

MOST_PLACES = 20
"""Embeddings of one ad that are looked around."""
ADS_SHOWN = 5

_BRANDS: Final = """
select s.id, b.brand from brandspaces s left join brandspace_brands b on b.brandspace_id = s.id where s.id = %s"""
_PLACES: Final = """
select 'looks' as how, l.analyzer, l.sha256 as subject, n.result->>'space' as space, n.result->>'vector' as vector
from ad_assets m join asset_analyses l on l.sha256 = m.sha256 join analyses n on n.key = l.key and n.state = 'done'
where m.ad_id = %(ad)s and n.result ? 'space' and n.result ? 'vector'
union all
select 'says', l.analyzer, a.copy_hash, n.result->>'space', n.result->>'vector'
from ads a join ad_analyses l on l.ad_id = a.id join analyses n on n.key = l.key and n.state = 'done'
where a.id = %(ad)s and n.result ? 'space' and n.result ? 'vector'
limit %(most)s"""

_KINDS: Final = "select distinct analyzer, subject, subject_kind from analyses where subject = any(%s)"
_OF_ASSETS: Final = "select m.sha256 as subject, m.ad_id from ad_assets m where m.sha256 = any(%(subjects)s)"
_OF_COPIES: Final = "select a.copy_hash as subject, a.id as ad_id from ads a where a.copy_hash = any(%(subjects)s)"
_FIRST: Final = """
select * from (
    select s.subject, a.id as ad_id, b.brand, a.source, a.source_ad_id, a.advertiser,
        coalesce(a.titles[1], left(a.bodies[1], 200), '') as title, a.last_seen_at,
        count(*) over (partition by s.subject) as in_all,
        row_number() over (partition by s.subject order by a.last_seen_at desc, a.id) as rank
    from ("""
_REST: Final = """) s join ads a on a.id = s.ad_id
    join lateral (select min(x.brand) as brand from brand_ads x where x.ad_id = a.id
        and (%(brands)s::text[] is null or x.brand = any(%(brands)s))) b on b.brand is not null
) x where rank <= %(most)s order by subject, rank"""
_ADS: Final[dict[How, LiteralString]] = {
    "looks": _FIRST + _OF_ASSETS + _REST,
    "says": _FIRST + _OF_COPIES + _REST,
}


async def brands_of(tenants: Tenants, org: str, brandspace_id: UUID) -> list[str]:
    """The brands of a brandspace.

    Raises:
        Refusal: 404, it is not one of the organisation.
    """
    return _brands_in(await tenants.rows(org, _BRANDS, [brandspace_id]), brandspace_id)


def _brands_in(rows: list[DictRow], brandspace_id: UUID) -> list[str]:
    if not rows:
        raise not_found("brandspace", brandspace_id)
    return sorted(row["brand"] for row in rows if row["brand"] is not None)


async def places_of(
    tenants: Tenants, org: str, ad_id: int, how: How | None, brandspace_id: UUID | None
) -> tuple[list[Asked], list[str] | None]:
    """Where an ad's creatives and copy stand, and the brands of a brandspace if one is given; in one round trip.

    Raises:
        Refusal: 404, there is no such ad or brandspace, or it is somebody else's.
    """
    # To no brandspace belongs no brand.
    seen, rows, found = await tenants.several(
        org,
        ("select id from ads where id = %s", [ad_id]),
        (_PLACES, {"ad": ad_id, "most": MOST_PLACES}),
        (_BRANDS, [brandspace_id]),
    )
    brands = None if brandspace_id is None else _brands_in(found, brandspace_id)
    if not seen:
        raise not_found("ad", ad_id)
    # One space may hold pictures and words: no part of an ad is a neighbour of another.
    own = frozenset(row["subject"] for row in rows)
    places = [
        Asked(row["space"], vector, own)
        for row in rows
        if how in (None, row["how"]) and (vector := unpack(row["vector"])) is not None
    ]
    return places, brands


async def find(
    tenants: Tenants,
    indexes: SimilarityIndexes,
    org: str,
    asked: Sequence[Asked],
    brands: list[str] | None,
    limit: int,
    how: How | None = None,
) -> tuple[Neighbour, ...]:
    """The nearest `limit` that the organisation may see, of these brands if given, the nearest first."""
    # A space that holds pictures and words alike gives both.
    near = await indexes.search(asked, org, brands, limit if how is None else 2 * limit)
    items = await _with_ads(tenants, org, near, brands) if near else ()
    return tuple(item for item in items if how in (None, item.how))[:limit]


async def _with_ads(
    tenants: Tenants, org: str, near: Sequence[Near], brands: Sequence[str] | None
) -> tuple[Neighbour, ...]:
    # Hashes of creatives and of copies: each statement finds its own kind among them.
    subjects = [one.subject for one in near]
    values = {"subjects": subjects, "brands": None if brands is None else list(brands), "most": ADS_SHOWN}
    said, *shown = await tenants.several(
        org, (_KINDS, [subjects]), *((statement, values) for statement in _ADS.values())
    )
    kinds: dict[tuple[str, str], How] = {
        (row["analyzer"], row["subject"]): "says" if row["subject_kind"] == "ad" else "looks" for row in said
    }
    ads: dict[tuple[How, str], list[SimilarAd]] = defaultdict(list)
    counts: dict[tuple[How, str], int] = {}
    for how, rows in zip(_ADS, shown, strict=True):
        for row in rows:
            counts[how, row["subject"]] = row["in_all"]
            ads[how, row["subject"]].append(convert(row, SimilarAd))
    found = [(kinds[one.analyzer, one.subject], one) for one in near if (one.analyzer, one.subject) in kinds]
    return tuple(
        Neighbour(
            how=how,
            similarity=round(one.similarity, 4),
            space=one.space,
            subject=one.subject,
            ads=tuple(ads[how, one.subject]),
            ads_in_all=counts[how, one.subject],
        )
        for how, one in found
        if (how, one.subject) in counts
    )
