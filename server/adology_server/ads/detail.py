"""One ad with all that is known of it: one statement, and the source's record from MongoDB.

PostgreSQL writes the JSON and it is passed on as text, but for creatives, whose addresses are signed here.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Self

import bson.json_util
import msgspec
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from adology.log import logger
from adology.settings import resolve_secret
from adology.settings.model import AdologySettings
from adology.store.naming import payload_id
from adology_server.ads.filters import STATUS
from adology_server.files import SignedUrls, key_of

_PAYLOADS = "payloads"
_WAIT_S = 3.0
"""The rest of the answer does not wait longer for MongoDB."""

_ANALYSIS: Final = """json_build_object('analyzer', l.analyzer, 'version', n.version, 'sha256', {sha256},
    'state', n.state, 'result', n.result - 'vector', 'error_code', n.error_code, 'error', n.error,
    'cost_usd', n.cost_usd, 'duration_ms', n.duration_ms, 'done_at', n.done_at)"""

_ASSETS: Final = """(
    select coalesce(json_agg(json_build_object('sha256', t.sha256, 'position', m.position, 'role', m.role,
        'kind', t.kind, 'content_type', t.content_type, 'size_bytes', t.size_bytes, 'width', t.width,
        'height', t.height, 'duration_s', t.duration_s, 'url', t.s3_path, 'thumbnail_url', t.thumbnail)
        order by m.position, t.sha256), '[]')
    from ad_assets m join assets t on t.sha256 = m.sha256 where m.ad_id = a.id)"""

DETAIL: Final = f"""
select a.source, a.source_ad_id, a.owner_org_id, a.last_batch as batch, {_ASSETS} as assets, (
select row_to_json(d)::text from (select
    a.id, a.source, a.source_ad_id, a.owner_org_id is not null as private, a.advertiser,
    a.advertiser_id, a.titles, a.bodies, a.captions, a.descriptions, a.cta, a.landing_url, a.link, a.format,
    a.platforms, a.languages, a.countries, a.status as vendor_status, a.started_on, a.stopped_on, a.media_outcome,
    a.first_seen_at, a.last_seen_at,
    (select coalesce(json_agg(json_build_object('brand', l.brand, 'name', b.name, 'status', coalesce(
            case when f.ad_id is not null then {STATUS.replace("{f}", "f").replace("{c}", "c")} end, 'unknown'))
            order by l.brand), '[]')
        from brand_ads l join brands b on b.id = l.brand left join feed f on f.brand = l.brand and f.ad_id = l.ad_id
        left join feed_coverage c on c.brand = f.brand and c.source = f.source where l.ad_id = a.id) as brands,
    (select coalesce(json_agg(found.one order by found.sha256 nulls first, found.analyzer), '[]') from (
        select {_ANALYSIS.format(sha256="null")} as one, null as sha256, l.analyzer
        from ad_analyses l join analyses n on n.key = l.key where l.ad_id = a.id
        union all
        select {_ANALYSIS.format(sha256="l.sha256")}, l.sha256, l.analyzer
        from (select distinct sha256 from ad_assets where ad_id = a.id) m
        join asset_analyses l on l.sha256 = m.sha256 join analyses n on n.key = l.key) found) as analyses,
    (select coalesce(json_agg(to_json(o) order by o.observed_on), '[]') from (
        select observed_on, observed_at, status, reach, spend_lower, spend_upper, impressions_lower,
            impressions_upper, currency from observations where ad_id = a.id order by observed_on desc limit 1000
        ) o) as observations,
    (select coalesce(json_agg(json_build_object('flag', flag, 'details', details, 'since', since) order by flag), '[]')
        from ad_flags where ad_id = a.id) as flags,
    (select json_build_object('id', t.id, 'brand', t.brand, 'created_at', t.created_at, 'committed_at', t.committed_at)
        from batches t where t.id = a.first_batch) as first_batch,
    (select json_build_object('id', t.id, 'brand', t.brand, 'created_at', t.created_at, 'committed_at', t.committed_at)
        from batches t where t.id = a.last_batch) as last_batch,
    (select coalesce(json_agg(distinct g.ad_id), '[]') from (
            select unnest(creatives_alike(x.sha256)) as sha256
            from ad_assets x where x.ad_id = a.id and x.role = 'creative'
        ) alike join ad_assets g on g.sha256 = alike.sha256 and g.role = 'creative' and g.ad_id <> a.id
    ) as near_duplicates
) d) as told
from ads a where a.id = %(ad)s"""
"""One row: `told` is the JSON of an `AdDetail` without `assets` and `raw`."""


def render(row: dict[str, Any], raw: Any, urls: SignedUrls) -> bytes:
    """The JSON of an `AdDetail`."""
    for asset in row["assets"]:
        asset["url"] = urls.url(key_of(asset["url"]), content_type=asset["content_type"])
        asset["thumbnail_url"] = urls.url(key_of(asset["thumbnail_url"])) if asset["thumbnail_url"] else None
    rest = msgspec.json.encode({"assets": row["assets"], "raw": raw})
    return b"%b,%b" % (row["told"].encode()[:-1], rest[1:])


class Payloads:
    """Reads sources' records as batches brought them. What MongoDB does not give at once is left out."""

    def __init__(self, settings: AdologySettings) -> None:
        self._settings = settings.mongo
        self._client: AsyncMongoClient[dict[str, Any]] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def find(self, batch: str, source: str, ad_id: str, owner: str | None) -> Any:
        """The record as plain JSON; None: it is not there, or MongoDB does not answer."""
        if not self._settings.url:
            return None
        try:
            async with asyncio.timeout(_WAIT_S):
                found = await self._collection().find_one({"_id": payload_id(batch, source, ad_id, owner)}, {"raw": 1})
        except (PyMongoError, TimeoutError) as error:
            logger.bind(error=str(error) or type(error).__name__).warning("a record of a source could not be read")
            return None
        if found is None:
            return None
        # Dates and bytes as MongoDB's extended JSON writes them.
        return msgspec.json.decode(bson.json_util.dumps(found["raw"], json_options=bson.json_util.RELAXED_JSON_OPTIONS))

    async def ping(self) -> None:
        """Whether MongoDB answers.

        Raises:
            PyMongoError: it does not.
        """
        await self._collection().find_one({}, {"_id": 1})

    def _collection(self) -> Any:
        if self._client is None:
            self._client = AsyncMongoClient(
                resolve_secret(self._settings.url, setting="mongo.url"),
                appname="adology-server",
                tz_aware=True,
                serverSelectionTimeoutMS=int(_WAIT_S * 1000),
            )
        return self._client[self._settings.database][_PAYLOADS]
