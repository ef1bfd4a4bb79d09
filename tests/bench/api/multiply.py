"""The statements that make many ads of the drawn ones, with ids, brands, days and creatives of their own."""

from __future__ import annotations

from typing import Final

FUNCTIONS: Final = """
create function pg_temp.spread(id bigint) returns double precision language sql immutable
    as $$ select ((id * 2654435761) % 1000003) / 1000003.0 $$;
-- A brand of low number has many ads, one of high number few.
create function pg_temp.brand_of(id bigint, brands bigint) returns text language sql immutable
    as $$ select 'b' || 1 + floor(brands * power(pg_temp.spread(id), 1.5))::bigint $$;
create function pg_temp.owner_of(id bigint, every bigint, orgs bigint) returns text language sql immutable
    as $$ select case when id % every = 0 then 'org-' || (id / every) % orgs end $$;
create function pg_temp.begin_of(id bigint) returns timestamptz language sql stable
    as $$ select now() - interval '1 hour' - ((id * 7919) % 525600) * interval '1 minute' $$;
create function pg_temp.days_of(id bigint) returns integer language sql immutable
    as $$ select 1 + ((id * 31337) % 120)::integer $$;
create function pg_temp.end_of(id bigint) returns timestamptz language sql stable
    as $$ select least(now() - interval '1 hour', pg_temp.begin_of(id) + pg_temp.days_of(id) * interval '1 day') $$;
create function pg_temp.sha_of(id bigint) returns text language sql immutable
    as $$ select md5(id::text) || md5(id || 'x') $$;
"""

_BRAND = "pg_temp.brand_of(n.id, %(brands)s)"
_OWNER = "pg_temp.owner_of(n.id, %(private)s, %(orgs)s)"
_NEW = "cross join lateral (select t.{id} + k * %(drawn)s as id) n"
_OTHERS = (
    "cross join generate_series(0, (%(ads)s - 1) / %(drawn)s) k " + _NEW + " where n.id > %(drawn)s and n.id <= %(ads)s"
)


def _copied(table: str, id_column: str, same: str, own: dict[str, str]) -> str:
    """Rows of a table for all further ads: some columns as they are, the others as `own` says."""
    columns = {**{name: f"t.{name}" for name in same.split()}, id_column: "n.id", **own}
    return (
        f"insert into {table} ({', '.join(columns)}) overriding system value select {', '.join(columns.values())}"
        f" from {table} t {_OTHERS.format(id=id_column)}"
    )  # fmt: skip


def _changed(table: str, id_column: str, own: dict[str, str]) -> str:
    """The same for the drawn ones."""
    told = ", ".join(f"{name} = {value}" for name, value in own.items())
    place = f"(select {id_column} as id, ctid as place from {table} where {id_column} <= %(drawn)s) n"
    return f"update {table} t set {told} from {place} where t.ctid = n.place"


_OF_FEED = {
    "brand": _BRAND,
    "brands": f"array[{_BRAND}]",
    "owner_org_id": _OWNER,
    "source_ad_id": "'t' || n.id",
    "first_seen_at": "pg_temp.begin_of(n.id)",
    "last_seen_at": "pg_temp.end_of(n.id)",
    "looked_at": "pg_temp.end_of(n.id)",
    "run_days": "pg_temp.days_of(n.id)",
    "sha256": "pg_temp.sha_of(n.id)",
}
_OF_ITEMS = {
    "brand": _BRAND,
    "owner_org_id": _OWNER,
    "thumbnail": "'derived/' || pg_temp.sha_of(n.id) || '/thumbnail.jpg'",
    "item": f"""(t.item::jsonb || jsonb_build_object('id', n.id, 'brand', {_BRAND}, 'source_ad_id', 't' || n.id,
        'private', {_OWNER} is not null, 'first_seen_at', pg_temp.begin_of(n.id), 'kind', 'image',
        'assets', 1))::text""",
}
_OF_ADS = {
    "source_ad_id": "'t' || n.id",
    "owner_org_id": _OWNER,
    "copy_hash": "'copy-' || n.id",
    "first_seen_at": "pg_temp.begin_of(n.id)",
    "last_seen_at": "pg_temp.end_of(n.id)",
}
FEED: Final = (
    _copied(
        "feed",
        "ad_id",
        "source format platforms languages started_on stopped_on vendor_status run_basis landing_domain labels"
        " rules_passed rules_failed safety safety_level",
        _OF_FEED,
    ),
    _changed("feed", "ad_id", _OF_FEED),
    _copied("feed_items", "ad_id", "search", _OF_ITEMS),
    _changed("feed_items", "ad_id", _OF_ITEMS),
)
"""All that lists need."""

DETAILS: Final = (
    _copied(
        "ads",
        "id",
        "source media_outcome first_batch last_batch advertiser advertiser_id bodies titles descriptions captions cta"
        " landing_url format platforms languages countries status",
        _OF_ADS,
    ),
    _changed("ads", "id", _OF_ADS),
    _copied("brand_ads", "ad_id", "first_batch last_batch", {"brand": _BRAND}),
    _changed("brand_ads", "ad_id", {"brand": _BRAND}),
    # Copies share the analyses of their words, as the engine has them.
    _copied("ad_analyses", "ad_id", "analyzer key", {}),
    """insert into assets (sha256, kind, content_type, size_bytes, width, height, s3_path, thumbnail, first_batch,
        first_seen_at)
    select pg_temp.sha_of(id), 'image', 'image/jpeg', 95000, 1080, 1080,
        's3://' || %(bucket)s || '/assets/' || pg_temp.sha_of(id) || '.jpg',
        's3://' || %(bucket)s || '/derived/' || pg_temp.sha_of(id) || '/thumbnail.jpg', first_batch, first_seen_at
    from ads""",
    "insert into ad_assets (ad_id, position, sha256) select id, 0, pg_temp.sha_of(id) from ads",
    """insert into observations (ad_id, observed_on, observed_at, status, reach, batch_id)
    select id, current_date - day, now() - day * interval '1 day', status, 1000 * day, last_batch
    from ads, generate_series(0, 4) day""",
)
"""All that one ad needs."""
