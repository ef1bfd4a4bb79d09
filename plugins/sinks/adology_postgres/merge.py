"""From the temporary tables into the real ones.

Every statement takes its rows in the order of their keys, and the statements come in one order:
batches that share ads or assets and commit at the same time wait for each other, never in a ring.
"""

from __future__ import annotations

from typing import Any

import msgspec

from adology import CommitBatch
from adology.engine.manifest import ad_url
from adology.engine.model import hash_url
from adology.queues.messages import InsightMessage, encode
from adology.store.database import Connection
from adology.store.ledger import commit_batch
from adology.store.outbox import add_message
from adology_postgres.rows import CONTENT_COLUMNS, KEY_COLUMNS, SEEN_COLUMNS

PRIVATE_CODE = "ADO-4303"
_OWN = ", ".join((*KEY_COLUMNS, *CONTENT_COLUMNS))
_NEWEST = ", ".join(
    f"{name} = case when excluded.last_seen_at >= a.last_seen_at then excluded.{name} else a.{name} end"
    for name in (*CONTENT_COLUMNS, "last_batch")
)

REFUSE_PUBLIC = """
delete from staged_ads s where owner_org_id is null and (
    exists (select 1 from ads a where a.source = s.source and a.source_ad_id = s.source_ad_id
        and a.owner_org_id is not null)
    or exists (select 1 from staged_ads o where o.source = s.source and o.source_ad_id = s.source_ad_id
        and o.owner_org_id is not null))
returning source, source_ad_id"""

MERGE_ADS = f"""
insert into ads as a ({_OWN}, first_seen_at, last_seen_at, first_batch, last_batch)
select distinct on (source, source_ad_id, owner_org_id) {_OWN}, seen_at, seen_at, %(batch)s, %(batch)s
from staged_ads order by source, source_ad_id, owner_org_id, seen_at desc
on conflict (source, source_ad_id, owner_org_id) do update set {_NEWEST},
    first_seen_at = least(a.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(a.last_seen_at, excluded.last_seen_at)"""  # noqa: S608 - names of columns from our own table of them
"""What was seen last stands: a batch that commits late does not turn an ad back."""

NAME_ADS = f"""
create temporary table batch_ads on commit drop as
select distinct on (a.id) a.id as ad_id, a.last_batch = %(batch)s as newest, s.source, s.source_ad_id,
    s.copy_hash, s.status, {", ".join(f"s.{name}" for name in SEEN_COLUMNS)}
from staged_ads s join ads a on a.source = s.source and a.source_ad_id = s.source_ad_id
    and a.owner_org_id is not distinct from s.owner_org_id
order by a.id, s.seen_at desc"""  # noqa: S608 - as above

NAME_MEDIA = """
create temporary table batch_media on commit drop as
with media as materialized (
    select ad_id, unnest(media_hashes) as url_hash, unnest(media_positions) as position, unnest(media_roles) as role
    from batch_ads where newest)
select m.ad_id, m.position, m.role, r.sha256, r.ok from media m join staged_results r on r.url_hash = m.url_hash"""
"""Results meet ads by URL: an ad gets its media also where another ad's item brought them."""

MERGE_BRAND_ADS = """
insert into brand_ads (brand, ad_id, first_batch, last_batch)
select %(brand)s, ad_id, %(batch)s, %(batch)s from batch_ads order by ad_id
on conflict (brand, ad_id) do update set last_batch = excluded.last_batch"""

MERGE_ASSETS = """
insert into assets as a (sha256, kind, content_type, size_bytes, width, height, duration_s, s3_path, thumbnail,
    first_batch, first_seen_at)
select distinct on (sha256) sha256, kind, content_type, size_bytes, width, height, duration_s, s3_path, thumbnail,
    %(batch)s, now()
from staged_results where sha256 is not null order by sha256, thumbnail nulls last
on conflict (sha256) do update set
    width = coalesce(a.width, excluded.width), height = coalesce(a.height, excluded.height),
    duration_s = coalesce(a.duration_s, excluded.duration_s), thumbnail = coalesce(a.thumbnail, excluded.thumbnail)
    where (a.width is null and excluded.width is not null) or (a.height is null and excluded.height is not null)
        or (a.duration_s is null and excluded.duration_s is not null)
        or (a.thumbnail is null and excluded.thumbnail is not null)"""
"""An asset is its bytes, so the first description stands; only what it lacks is filled in."""

DROP_REPLACED_MEDIA = """
delete from ad_assets l using (
    select ad_id from batch_media group by ad_id having bool_and(ok) and count(sha256) > 0) whole
where l.ad_id = whole.ad_id and not exists (
    select 1 from batch_media m where m.ad_id = l.ad_id and m.position = l.position and m.sha256 = l.sha256)"""
"""Only where all media came: an ad whose file failed today keeps yesterday's."""

MERGE_AD_ASSETS = """
insert into ad_assets (ad_id, position, sha256, role)
select distinct on (ad_id, position, sha256) ad_id, position, sha256, role
from batch_media where sha256 is not null order by ad_id, position, sha256, role
on conflict (ad_id, position, sha256) do update set role = excluded.role where ad_assets.role <> excluded.role"""

MERGE_FAILURES = """
insert into failures (batch_id, url_hash, url, error_code, error)
select %(batch)s, url_hash, url, error_code, error from staged_results where not ok
on conflict do nothing"""

MERGE_OBSERVATIONS = """
insert into observations as o (ad_id, observed_on, observed_at, status, reach, spend_lower, spend_upper,
    impressions_lower, impressions_upper, currency, batch_id)
select ad_id, (seen_at at time zone 'UTC')::date, seen_at, status, reach, spend_lower, spend_upper,
    impressions_lower, impressions_upper, currency, %(batch)s
from batch_ads order by ad_id
on conflict (ad_id, observed_on) do update set observed_at = excluded.observed_at, status = excluded.status,
    reach = coalesce(excluded.reach, o.reach),
    spend_lower = coalesce(excluded.spend_lower, o.spend_lower),
    spend_upper = coalesce(excluded.spend_upper, o.spend_upper),
    impressions_lower = coalesce(excluded.impressions_lower, o.impressions_lower),
    impressions_upper = coalesce(excluded.impressions_upper, o.impressions_upper),
    currency = coalesce(excluded.currency, o.currency), batch_id = excluded.batch_id
    where excluded.observed_at >= o.observed_at"""

MERGE_ASSET_ANALYSES = """
with told as materialized (
    select sha256, unnest(analyzers) as analyzer, unnest(keys) as key from staged_results where sha256 is not null)
insert into asset_analyses (sha256, analyzer, key)
select distinct on (t.sha256, t.analyzer) t.sha256, t.analyzer, n.key
from told t join analyses n on n.key = t.key and n.analyzer = t.analyzer and n.subject = t.sha256
    and n.state in ('done', 'failed')
order by t.sha256, t.analyzer, n.version desc
on conflict (sha256, analyzer) do update set key = excluded.key where asset_analyses.key <> excluded.key"""
"""The join believes no result: a key must be that of a finished analysis of these very bytes."""

MERGE_AD_ANALYSES = """
with told as materialized (
    select b.ad_id, b.copy_hash, unnest(r.ad_analyzers) as analyzer, unnest(r.ad_keys) as key
    from staged_results r join batch_ads b on b.source = r.source and b.source_ad_id = r.source_ad_id
    where b.newest)
insert into ad_analyses (ad_id, analyzer, key)
select distinct on (t.ad_id, t.analyzer) t.ad_id, t.analyzer, n.key
from told t join analyses n on n.key = t.key and n.analyzer = t.analyzer and n.subject = t.copy_hash
    and n.state in ('done', 'failed')
order by t.ad_id, t.analyzer, n.version desc
on conflict (ad_id, analyzer) do update set key = excluded.key where ad_analyses.key <> excluded.key"""
"""By subject too: two owners' ads of one id must not get each other's analyses."""

MERGE_CURSORS = """
insert into source_cursors (brand, source, cursor, batch_id) values (%s, %s, %s, %s)
on conflict (brand, source) do update
    set cursor = excluded.cursor, batch_id = excluded.batch_id, updated_at = now()"""

STEPS = (
    MERGE_BRAND_ADS,
    MERGE_ASSETS,
    DROP_REPLACED_MEDIA,
    MERGE_AD_ASSETS,
    MERGE_FAILURES,
    MERGE_OBSERVATIONS,
    MERGE_ASSET_ANALYSES,
    MERGE_AD_ANALYSES,
)


async def merge_batch(connection: Connection, batch: CommitBatch) -> int:
    """Write everything and flip the ledger row, in the caller's transaction.

    Returns:
        Public appearances of ads that belong to an organisation; they became failures.
    """
    values = {"batch": batch.id, "brand": batch.brand}
    refused = await _refuse_public(connection, batch.id)
    await connection.execute(MERGE_ADS.encode(), values)
    await connection.execute(NAME_ADS.encode(), values)
    await connection.execute(NAME_MEDIA.encode())
    await connection.execute("analyze batch_ads (ad_id, source_ad_id, copy_hash), batch_media (ad_id, sha256)")
    for statement in STEPS:
        await connection.execute(statement.encode(), values)
    async with connection.cursor() as cursor:
        await cursor.executemany(
            MERGE_CURSORS,
            [(batch.brand, source, cursor_, batch.id) for source, cursor_ in sorted(batch.cursors.items())],
        )
    await commit_batch(connection, batch.id, counts_of(batch))
    await add_message(connection, "insight", encode(InsightMessage(brand=batch.brand, batch=batch.id)), batch.id)
    return refused


def counts_of(batch: CommitBatch) -> dict[str, Any]:
    """All counts by name, zeroes as well (the wire form leaves them out)."""
    return msgspec.structs.asdict(batch.counts)


async def _refuse_public(connection: Connection, batch_id: str) -> int:
    """An ad that belongs to an organisation never becomes public, whatever a source says later."""
    found = await connection.execute(REFUSE_PUBLIC)
    refused = await found.fetchall()
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "insert into failures (batch_id, url_hash, url, error_code, error) values (%s, %s, %s, %s, %s)"
            " on conflict do nothing",
            [
                (
                    batch_id,
                    hash_url(f"{ad_url(source, ad_id)}:public"),
                    ad_url(source, ad_id),
                    PRIVATE_CODE,
                    f"ad {ad_id} of source {source} belongs to an organisation and was not made public",
                )
                for source, ad_id in refused
            ],
        )
    return len(refused)
