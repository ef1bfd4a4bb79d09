"""Counts over the ads that a filter leaves."""

from __future__ import annotations

from typing import Final, LiteralString

from adology_server.ads.filters import FIRST, Filter, status_of, where, with_scope

MOST_VALUES: Final = 200
_ARRAYS: Final = {"platform": "platforms", "language": "languages", "label": "labels"}


def facets_statement(which: Filter) -> LiteralString:
    """Rows of facet, value and count, most first; the facet `total` has one row."""
    own = [_counts(name, f"select {name} as value from matched where first") for name in ("source", "format", "status")]
    several = [
        _counts(name, f"select unnest({column}) as value from matched where first") for name, column in _ARRAYS.items()
    ]
    counted = " union all ".join([_counts("brand", "select brand as value from matched"), *own, *several])
    return f"""{with_scope(which)}, {_matched(which)}
select 'total' as facet, '' as value, count(*) as ads from matched where first
union all select * from ({counted}) counted order by facet, ads desc, value"""


def statistics_statement() -> LiteralString:
    """One row: `told` is a JSON object with the fields of `Statistics`."""
    states = ", ".join(
        f"'{name}', count(*) filter (where status = '{name}')"
        for name in ("running", "stopped", "not_looked", "unknown")
    )
    new = "first_seen_at >= now() - %(new)s::interval"
    return f"""{with_scope(Filter())}, {_matched(Filter())}, weeks as (
    select week, count(*) filter (where what = 'new') as new, count(*) filter (where what = 'stopped') as stopped
    from (
        select date_trunc('week', first_seen_at at time zone 'UTC')::date as week, 'new' as what
        from matched where first
        union all
        select date_trunc('week', stopped_on::timestamp)::date, 'stopped' from matched
        where first and stopped_on < (now() at time zone 'UTC')::date
    ) happened group by week order by week desc limit 26
)
select (select jsonb_build_object('ads', count(*), 'new', count(*) filter (where {new}), {states})
        from matched where first)
    || jsonb_build_object(
        'brands', (select coalesce(jsonb_agg(one order by
                array_position('{{primary,competitor,followed}}', one->>'role'), one->>'brand'), '[]') from (
            select jsonb_build_object('brand', p.brand, 'role', p.role, 'ads', count(m.brand),
                'new', count(*) filter (where {new}), {states}) as one
            from scope p left join matched m on m.brand = p.brand group by p.brand, p.role) brands),
        'formats', (select coalesce(jsonb_agg(jsonb_build_object('value', value, 'ads', ads)), '[]')
            from ({_counts("format", "select format as value from matched where first")}) f),
        'labels', (select coalesce(jsonb_agg(jsonb_build_object('value', value, 'ads', ads)), '[]')
            from ({_counts("label", "select unnest(labels) as value from matched where first")}) l),
        'weeks', (select coalesce(jsonb_agg(jsonb_build_object('week', week, 'new', new, 'stopped', stopped)
            order by week desc), '[]') from weeks)) as told,
    exists (select from brandspaces where id = %(space)s) as known"""


def _matched(which: Filter) -> str:
    """`first` marks the row that an ad of several brands goes by."""
    return f"""matched as materialized (
    select f.brand, f.source, f.platforms, f.format, f.languages, f.labels, f.first_seen_at, f.stopped_on,
        {status_of("f", "c")} as status, {FIRST} as first
    from feed f left join feed_coverage c on c.brand = f.brand and c.source = f.source
    where f.brand = any(array(select brand from scope)){where(which, "f", "c")})"""


def _counts(name: str, values: str) -> str:
    return (
        f"(select '{name}' as facet, value, count(*) as ads from ({values}) v where value <> '' group by value"
        f" order by 3 desc, 2 limit {MOST_VALUES})"
    )
