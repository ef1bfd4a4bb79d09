"""The statements that make rows of the feed from what is committed."""

from __future__ import annotations

from typing import Final

from adology.store.naming import JSON_TIME

LONGEST_BODY: Final = 300
"""Characters of a body in a list; the ad itself has it whole."""
MOST_WORDS: Final = 20_000
"""Characters of each text that are searched: a tsvector holds 1 MB."""

_LABELS: Final = """
select coalesce(array_agg(distinct name order by name), '{}') as names,
    array_agg(distinct id order by id) filter (where taxonomy = 'language') as languages
from (
    select x->>'taxonomy' as taxonomy, x->>'id' as id, concat(x->>'taxonomy', ':', x->>'id') as name
    from results r, jsonb_path_query(r.result, 'lax $.labels[*]') x
    where r.ad_id = a.id and r.analyzer in ('labels', 'labels_copy')
        and x->>'taxonomy' is not null and x->>'id' is not null
) said where length(name) <= 200"""

_RULES: Final = """
select coalesce(array_agg(distinct name order by name) filter (where verdict = 'pass'), '{}') as passed,
    coalesce(array_agg(distinct name order by name) filter (where verdict = 'fail'), '{}') as failed
from (
    select concat(p->>'pack', ':', v->>'rule') as name, v->>'verdict' as verdict
    from results r, jsonb_path_query(r.result, 'lax $.reports[*]') p, jsonb_path_query(p, 'lax $.rules[*]') v
    where r.ad_id = a.id and r.analyzer in ('scores', 'scores_copy')
) said"""

_SAFETY: Final = """
select max(case when jsonb_typeof(r.result->'score') = 'number' and (r.result->>'score')::numeric between 0 and 1
        then (r.result->>'score')::real end) as score,
    max(array_position('{none,low,medium,high}', r.result->>'level') - 1) as level
from results r where r.ad_id = a.id and r.analyzer in ('safety', 'safety_copy')"""

_TEXT: Final = f"""
select coalesce(left(string_agg(x->>'text', ' '), {MOST_WORDS}), '') as words
from results r, jsonb_path_query(r.result, 'lax $.lines[*]') x
where r.ad_id = a.id and r.analyzer = 'text'"""  # noqa: S608 - our own constants

_MADE: Final = f"""
with results as materialized (
    select l.ad_id, l.analyzer, n.result from ad_analyses l join analyses n on n.key = l.key and n.state = 'done'
    where l.ad_id = any(%(ads)s) and l.analyzer in ('labels_copy', 'scores_copy', 'safety_copy', 'copy')
    union all
    select m.ad_id, l.analyzer, n.result from ad_assets m join asset_analyses l on l.sha256 = m.sha256
        join analyses n on n.key = l.key and n.state = 'done'
    where m.ad_id = any(%(ads)s) and l.analyzer in ('labels', 'scores', 'safety', 'text')
), ad as materialized (
    select a.*, b.brands, labels.names as labels, rules.passed, rules.failed, safety.score, safety.level,
        text.words, asset.sha256, asset.kind, asset.count as assets,
        regexp_replace(coalesce(asset.thumbnail, asset.s3_path), '^s3://[^/]*/', '') as thumbnail,
        coalesce(labels.languages, copy.languages, a.languages) as said_languages,
        regexp_replace(lower(coalesce(substring(a.landing_url
            from '^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:@]+)'), '')), '^www\\.', '') as landing_domain,
        greatest(0, coalesce(a.stopped_on, (a.last_seen_at at time zone 'UTC')::date)
            - coalesce(a.started_on, (a.first_seen_at at time zone 'UTC')::date)) + 1 as run_days,
        case when a.started_on is null then 'seen' when a.stopped_on is null then 'started' else 'dates' end
            as run_basis
    from ads a
    cross join lateral (select array_agg(brand order by brand) as brands from brand_ads where ad_id = a.id) b
    cross join lateral ({_LABELS}) labels
    cross join lateral ({_RULES}) rules
    cross join lateral ({_SAFETY}) safety
    cross join lateral ({_TEXT}) text
    left join lateral (
        select array[r.result#>>'{{language,code}}'] as languages from results r
        where r.ad_id = a.id and r.analyzer = 'copy' and coalesce(r.result#>>'{{language,code}}', 'und') <> 'und'
        limit 1
    ) copy on true
    left join lateral (
        select m.sha256, t.kind, t.thumbnail, case when t.kind = 'image' then t.s3_path end as s3_path,
            count(*) over () as count
        from ad_assets m join assets t on t.sha256 = m.sha256 where m.ad_id = a.id
        order by m.role <> 'creative', m.position, m.sha256 limit 1
    ) asset on true
    where a.id = any(%(ads)s)
), made as materialized (
select l.brand, a.id as ad_id, a.owner_org_id, a.brands, a.source, a.source_ad_id, a.format, a.platforms,
    a.said_languages as languages, a.first_seen_at, a.last_seen_at, t.created_at as looked_at, a.started_on,
    a.stopped_on, a.status as vendor_status, a.run_days, a.run_basis, a.landing_domain, a.labels,
    a.passed as rules_passed, a.failed as rules_failed, a.score as safety, a.level as safety_level, a.sha256,
    a.thumbnail,
    json_build_object('id', a.id, 'brand', l.brand, 'source', a.source, 'source_ad_id', a.source_ad_id,
        'private', a.owner_org_id is not null, 'advertiser', a.advertiser,
        'title', left(coalesce(a.titles[1], ''), {LONGEST_BODY}),
        'body', left(coalesce(a.bodies[1], ''), {LONGEST_BODY}), 'cta', a.cta, 'format', a.format,
        'kind', a.kind, 'assets', coalesce(a.assets, 0), 'platforms', a.platforms, 'languages', a.said_languages,
        'countries', a.countries, 'landing_domain', a.landing_domain, 'vendor_status', a.status,
        'started_on', a.started_on, 'stopped_on', a.stopped_on,
        'first_seen_at', to_char(a.first_seen_at at time zone 'UTC', {JSON_TIME}), 'run_basis', a.run_basis,
        'labels', a.labels, 'rules_passed', a.passed, 'rules_failed', a.failed, 'safety', a.score,
        'safety_level', ('{{none,low,medium,high}}'::text[])[a.level + 1])::text as item,
    words.vector as search
from ad a join brand_ads l on l.ad_id = a.id join batches t on t.id = l.last_batch
cross join lateral (
    -- Each word as it is and stemmed, at the same place; as English where nobody knows the language.
    select string_agg((setweight(to_tsvector(config, left(array_to_string(a.titles, ' '), {MOST_WORDS})), 'A')
        || setweight(to_tsvector(config, left(a.advertiser, {MOST_WORDS})), 'B')
        || setweight(to_tsvector(config, left(array_to_string(a.bodies, ' '), {MOST_WORDS})), 'B')
        || setweight(to_tsvector(config, left(array_to_string(a.descriptions || a.captions, ' '), {MOST_WORDS})), 'C')
        || setweight(to_tsvector(config, a.words), 'D'))::text, ' ')::tsvector as vector
    from (select 'simple'::regconfig as config union
        select text_config(language)
        from unnest(case when a.said_languages = '{{}}' then '{{en}}' else a.said_languages end) language
        where text_config(language) is not null) configs
) words
)"""  # noqa: S608 - as above

_KEY: Final = ("brand", "ad_id")
_FEED: Final = (
    "owner_org_id", "brands", "source", "source_ad_id", "format", "platforms", "languages", "first_seen_at",
    "last_seen_at", "looked_at", "started_on", "stopped_on", "vendor_status", "run_days", "run_basis",
    "landing_domain", "labels", "rules_passed", "rules_failed", "safety", "safety_level", "sha256",
)  # fmt: skip
_ITEMS: Final = ("owner_org_id", "thumbnail", "item", "search")


def _put(table: str, columns: tuple[str, ...]) -> str:
    """Rows that are as they were are not written again: each write is one in every index."""
    written, new = ", ".join((*_KEY, *columns)), ", ".join(f"excluded.{name}" for name in columns)
    return f"""insert into {table} as f ({written}) select {written} from made order by brand, ad_id
    on conflict (brand, ad_id) do update set ({", ".join(columns)}) = row({new})
        where ({", ".join(f"f.{name}" for name in columns)}) is distinct from ({new})"""  # noqa: S608 - as above


PUT: Final = f"{_MADE}, shown as ({_put('feed_items', _ITEMS)}) {_put('feed', _FEED)}".encode()
"""The rows of these ads; an ad that is only seen again has one row to write, of few bytes."""

DROP: Final = b"""
delete from feed f where f.ad_id = any(%(ads)s)
    and not exists (select from brand_ads b where b.brand = f.brand and b.ad_id = f.ad_id)"""

DROP_ALL: Final = (
    b"delete from feed f where not exists (select from brand_ads b where b.brand = f.brand and b.ad_id = f.ad_id)"
)

LOOKS: Final = b"""
with looks as (
    select t.brand, s.key as source, t.created_at, s.value->>'outcome' as outcome,
        coalesce((s.value->>'whole')::boolean, false) as whole
    from batches t, jsonb_each(t.sources) s
    where t.state = 'committed' and t.committed_at >= %(since)s and not exists (
        select from changes c where c.kind = 'batch' and c.subject = t.id and c.xid >= %(horizon)s::text::xid8)
), told as (
    select brand, source, max(created_at) as tried_at, (array_agg(outcome order by created_at desc))[1] as outcome,
        max(created_at) filter (where outcome in ('ok', 'empty')) as read_at,
        max(created_at) filter (where outcome in ('ok', 'empty') and whole) as whole_at
    from looks group by brand, source
)
insert into feed_coverage as c (brand, source, owner_org_id, tried_at, outcome, read_at, whole_at)
select w.brand, w.source, (select f.owner_org_id from feed f where f.brand = w.brand and f.source = w.source
        and f.owner_org_id is not null limit 1), w.tried_at, coalesce(w.outcome, 'failed'), w.read_at, w.whole_at
from told w order by w.brand, w.source
on conflict (brand, source) do update set
    owner_org_id = coalesce(excluded.owner_org_id, c.owner_org_id),
    tried_at = greatest(c.tried_at, excluded.tried_at),
    outcome = case when excluded.tried_at >= c.tried_at then excluded.outcome else c.outcome end,
    read_at = greatest(c.read_at, excluded.read_at), whole_at = greatest(c.whole_at, excluded.whole_at)
where (c.owner_org_id, c.tried_at, c.outcome, c.read_at, c.whole_at) is distinct from (
    coalesce(excluded.owner_org_id, c.owner_org_id), greatest(c.tried_at, excluded.tried_at),
    case when excluded.tried_at >= c.tried_at then excluded.outcome else c.outcome end,
    greatest(c.read_at, excluded.read_at), greatest(c.whole_at, excluded.whole_at))"""
"""Of batches whose ads are all in the feed by now; where a batch that failed came later, its word stands."""
