"""The bare COPY that a commit is measured against: the rows of a first batch, table after table.

It knows that no row exists yet, gives out the ids itself, believes whatever it is told, and
nobody else may write meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from adology import CommittedAd, ItemResult

AD = {
    "id": "int8", "source": "text", "source_ad_id": "text", "owner_org_id": "text", "advertiser": "text",
    "advertiser_id": "text", "bodies": "text[]", "titles": "text[]", "captions": "text[]", "descriptions": "text[]",
    "cta": "text", "landing_url": "text", "link": "text", "format": "text", "platforms": "text[]",
    "languages": "text[]", "countries": "text[]", "status": "text", "started_on": "date", "stopped_on": "date",
    "media_outcome": "text", "copy_hash": "text", "first_seen_at": "timestamptz", "last_seen_at": "timestamptz",
    "first_batch": "text", "last_batch": "text",
}  # fmt: skip
ASSET = {
    "sha256": "text", "kind": "text", "content_type": "text", "size_bytes": "int8", "width": "int4", "height": "int4",
    "duration_s": "float8", "s3_path": "text", "thumbnail": "text", "first_batch": "text",
    "first_seen_at": "timestamptz",
}  # fmt: skip
BRAND_AD = {"brand": "text", "ad_id": "int8", "first_batch": "text", "last_batch": "text"}
AD_ASSET = {"ad_id": "int8", "position": "int4", "sha256": "text", "role": "text"}
OBSERVATION = {
    "ad_id": "int8", "observed_on": "date", "observed_at": "timestamptz", "status": "text", "reach": "int8",
    "batch_id": "text",
}  # fmt: skip
ASSET_ANALYSIS = {"sha256": "text", "analyzer": "text", "key": "text"}
AD_ANALYSIS = {"ad_id": "int8", "analyzer": "text", "key": "text"}
TABLES = ("ads", "assets", "brand_ads", "ad_assets", "observations", "asset_analyses", "ad_analyses")
"""What a commit fills, each after the ones it refers to."""


def open_to_copy(link: psycopg.Connection[Any]) -> None:
    """COPY does not go into tables whose policies hold for the one who copies; the owner may be let off."""
    for table in TABLES:
        link.execute(f"alter table {table} no force row level security".encode())
    link.commit()


def copy_all(
    link: psycopg.Connection[Any], brand: str, batch: str, ads: Sequence[CommittedAd], results: Sequence[ItemResult]
) -> None:
    """All rows of the batch, in one transaction."""
    numbered = list(enumerate(ads, 1))
    by_url = {result.url: result for result in results}
    now = datetime.now(UTC)
    _copy(link, "ads", AD, (_ad(n, one, batch) for n, one in numbered))
    _copy(link, "assets", ASSET, (_asset(result, batch, now) for result in results))
    _copy(link, "brand_ads", BRAND_AD, ((brand, n, batch, batch) for n, _ in numbered))
    _copy(link, "ad_assets", AD_ASSET, (
        (n, media.position, by_url[media.url].sha256, media.role) for n, one in numbered for media in one.ad.media
    ))  # fmt: skip
    _copy(link, "observations", OBSERVATION, (
        (n, one.gathered_at.date(), one.gathered_at, one.ad.status, one.ad.reach, batch) for n, one in numbered
    ))  # fmt: skip
    _copy(link, "asset_analyses", ASSET_ANALYSIS, (
        (result.sha256, name, key) for result in results for name, key in result.analyses.items()
    ))  # fmt: skip
    ids = {one.ad.id: n for n, one in numbered}
    _copy(link, "ad_analyses", AD_ANALYSIS, (
        (ids[result.ad_id], name, key)
        for result in results if result.ad_id for name, key in result.ad_analyses.items()
    ))  # fmt: skip
    link.commit()


def _copy(link: psycopg.Connection[Any], table: str, columns: dict[str, str], rows: Iterator[tuple[Any, ...]]) -> None:
    statement = f"copy {table} ({', '.join(columns)}) from stdin (format binary)"
    with link.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)


def _ad(number: int, found: CommittedAd, batch: str) -> tuple[Any, ...]:
    ad, seen = found.ad, found.gathered_at
    return (
        number, found.source, ad.id, ad.owner_org_id, ad.advertiser, ad.advertiser_id, list(ad.bodies),
        list(ad.titles), list(ad.captions), list(ad.descriptions), ad.cta, ad.landing_url, ad.link, ad.format,
        list(ad.platforms), list(ad.languages), list(ad.countries), ad.status, ad.started_on, ad.stopped_on,
        ad.outcome(), ad.copy_hash(), seen, seen, batch, batch,
    )  # fmt: skip


def _asset(result: ItemResult, batch: str, now: datetime) -> tuple[Any, ...]:
    return (
        result.sha256, result.kind, result.content_type, result.size_bytes, result.width, result.height,
        result.duration_s, result.s3_path, result.thumbnail, batch, now,
    )  # fmt: skip
