"""Counts over the ads that a filter leaves."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, LiteralString

from adology_server.ads.filters import FIRST, Filter, status_of, where, with_scope
from adology_server.ads.model import Facet
from adology_server.ads.parameters import LEVELS

MOST_VALUES: Final = 200
_LEVEL: Final = f"(array[{', '.join(repr(level) for level in LEVELS)}])[f.safety_level + 1]"
_FIRST_OF_ROLE: Final = """(not f.shared or f.brand = (select min(s.brand) from scope s
        where s.brand = any(f.brands) and s.role = (select role from scope where brand = f.brand)))"""
"""An ad of several brands of one role is one ad of that role."""

_FACETS: Final[dict[Facet, tuple[str, str]]] = {
    "brand": ("", "brand from matched"),
    "role": (
        f"case when {_FIRST_OF_ROLE} then (select role from scope where brand = f.brand) end",
        "role from matched",
    ),
    "source": ("f.source", "source from matched where first"),
    "platform": ("f.platforms", "unnest(platform) from matched where first"),
    "format": ("f.format", "format from matched where first"),
    "status": ("", "status from matched where first"),
    "language": ("f.languages", "unnest(language) from matched where first"),
    "label": ("f.labels", "unnest(label) from matched where first"),
    "domain": ("f.landing_domain", "domain from matched where first"),
    "safety": (_LEVEL, "safety from matched where first"),
    "passed": ("f.rules_passed", "unnest(passed) from matched where first"),
    "failed": ("f.rules_failed", "unnest(failed) from matched where first"),
}
"""What of a row of the feed is kept for the facet, under its name, and the values that are counted."""


def facets_statement(which: Filter, facets: Collection[Facet]) -> LiteralString:
    """Rows of facet, value and count, most first; the facet `total` has one row."""
    counted = " union all ".join([_counts(name, f"select {_FACETS[name][1]}") for name in facets])
    kept: dict[str, str] = {name: _FACETS[name][0] for name in facets if _FACETS[name][0]}
    return f"""{with_scope(which)}, {_matched(which, kept)}
select 'total' as facet, '' as value, count(*) as ads from matched where first
union all select * from ({counted}) counted order by facet, ads desc, value"""


_OF_STATISTICS: Final = {
    "format": "f.format",
    "labels": "f.labels",
    "first_seen_at": "f.first_seen_at",
    "stopped_on": "f.stopped_on",
}


def statistics_statement() -> LiteralString:
    """One row: `told` is a JSON object with the fields of `Statistics`."""
    states = ", ".join(
        f"'{name}', coalesce(sum(ads) filter (where status = '{name}'), 0)"
        for name in ("running", "stopped", "not_looked", "unknown")
    )
    sums = f"'ads', coalesce(sum(ads), 0), 'new', coalesce(sum(new), 0), {states}"
    return f"""{with_scope(Filter())}, {_matched(Filter(), _OF_STATISTICS)}, counted as materialized (
    select brand, status, first, count(*) as ads,
        count(*) filter (where first_seen_at >= now() - %(new)s::interval) as new
    from matched group by brand, status, first
), weeks as (
    select week, count(*) filter (where what = 'new') as new, count(*) filter (where what = 'stopped') as stopped
    from (
        select date_trunc('week', first_seen_at at time zone 'UTC')::date as week, 'new' as what
        from matched where first
        union all
        select date_trunc('week', stopped_on::timestamp)::date, 'stopped' from matched
        where first and stopped_on < (now() at time zone 'UTC')::date
    ) happened group by week order by week desc limit 26
)
select (select jsonb_build_object({sums}) from counted where first)
    || jsonb_build_object(
        'brands', (select coalesce(jsonb_agg(one order by
                array_position('{{primary,competitor,followed}}', one->>'role'), one->>'brand'), '[]') from (
            select jsonb_build_object('brand', p.brand, 'role', p.role, {sums}) as one
            from scope p left join counted m on m.brand = p.brand group by p.brand, p.role) brands),
        'formats', (select coalesce(jsonb_agg(jsonb_build_object('value', value, 'ads', ads)), '[]')
            from ({_counts("format", "select format from matched where first")}) f),
        'labels', (select coalesce(jsonb_agg(jsonb_build_object('value', value, 'ads', ads)), '[]')
            from ({_counts("label", "select unnest(labels) from matched where first")}) l),
        'weeks', (select coalesce(jsonb_agg(jsonb_build_object('week', week, 'new', new, 'stopped', stopped)
            order by week desc), '[]') from weeks)) as told,
    exists (select from brandspaces where id = %(space)s) as known"""


def _matched(which: Filter, kept: dict[str, str]) -> str:
    """Brand, status and what is `kept` of each row; `first` marks the one that an ad of several brands goes by.

    Materialised: what is not counted is not carried along.
    """
    columns = "".join(f", {column} as {name}" for name, column in kept.items())
    return f"""matched as materialized (
    select f.brand, {status_of("f", "c")} as status, {FIRST} as first{columns}
    from feed f left join feed_coverage c on c.brand = f.brand and c.source = f.source
    where f.brand = any(array(select brand from scope)){where(which, "f", "c")})"""


def _counts(name: str, values: str) -> str:
    return (
        f"(select '{name}' as facet, value, count(*) as ads from ({values}) v (value) where value <> '' group by value"
        f" order by 3 desc, 2 limit {MOST_VALUES})"
    )
