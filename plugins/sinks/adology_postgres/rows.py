"""Ads and results as rows that Postgres takes, whatever a source or another worker put into them.

Text loses NUL characters and lone surrogates and has a longest length; numbers that no column
holds become null, which reads as "unknown"; times are UTC. Lists are packed as COPY takes them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from adology import Ad, CommittedAd, ItemResult, Spend
from adology.engine.model import hash_url
from adology.store.naming import clean_id, clean_text
from adology_postgres.arrays import NO_TEXTS, pack_bytes, pack_ints, pack_texts

LONGEST_LIST = 500
LONGEST_LABEL = 500
_MOST_PACKED = 4096
_packed: dict[tuple[str, ...], bytes] = {}
LONGEST_URL = 8192
LONGEST_ERROR = 4000
_INT4 = 2**31 - 1
_INT8 = 2**63 - 1
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = Spend()
_SHA256 = re.compile(r"[0-9a-f]{64}")

KEY_COLUMNS = {"source": "text", "source_ad_id": "text", "owner_org_id": "text"}
"""What an ad is known by."""

CONTENT_COLUMNS = {
    "advertiser": "text",
    "advertiser_id": "text",
    "bodies": "text[]",
    "titles": "text[]",
    "captions": "text[]",
    "descriptions": "text[]",
    "cta": "text",
    "landing_url": "text",
    "link": "text",
    "format": "text",
    "platforms": "text[]",
    "languages": "text[]",
    "countries": "text[]",
    "status": "text",
    "started_on": "date",
    "stopped_on": "date",
    "media_outcome": "text",
    "copy_hash": "text",
}
"""What table `ads` says of it: as it was seen last."""

SEEN_COLUMNS = {
    "seen_at": "timestamptz",
    "reach": "int8",
    "spend_lower": "float8",
    "spend_upper": "float8",
    "impressions_lower": "float8",
    "impressions_upper": "float8",
    "currency": "text",
    "media_hashes": "bytea[]",
    "media_positions": "int4[]",
    "media_roles": "text[]",
}
"""What becomes its observation of the day and its links to assets."""

AD_COLUMNS: dict[str, str] = {**KEY_COLUMNS, **CONTENT_COLUMNS, **SEEN_COLUMNS}
"""Columns of an ad's row with their types, in order."""

RESULT_COLUMNS: dict[str, str] = {
    "url_hash": "bytea",
    "url": "text",
    "ok": "bool",
    "sha256": "text",
    "kind": "text",
    "content_type": "text",
    "size_bytes": "int8",
    "width": "int4",
    "height": "int4",
    "duration_s": "float8",
    "s3_path": "text",
    "thumbnail": "text",
    "error_code": "text",
    "error": "text",
    "source": "text",
    "source_ad_id": "text",
    "analyzers": "text[]",
    "keys": "text[]",
    "ad_analyzers": "text[]",
    "ad_keys": "text[]",
}
"""Columns of a result's row with their types, in order."""


def ad_row(found: CommittedAd) -> tuple[Any, ...]:
    """The values of `AD_COLUMNS`."""
    ad = found.ad
    spend, impressions = ad.spend or _NOTHING, ad.impressions or _NOTHING
    currency = spend.currency or impressions.currency
    media = ad.media[:LONGEST_LIST]
    return (
        clean_id(found.source),
        clean_id(ad.id),
        None if ad.owner_org_id is None else clean_id(ad.owner_org_id),
        _label(ad.advertiser),
        _label(ad.advertiser_id),
        _texts(ad.bodies),
        _texts(ad.titles),
        _texts(ad.captions),
        _texts(ad.descriptions),
        _label(ad.cta),
        clean_text(ad.landing_url, LONGEST_URL),
        clean_text(ad.link, LONGEST_URL),
        _label(ad.format),
        _labels(ad.platforms),
        _labels(ad.languages),
        _labels(ad.countries),
        ad.status,
        ad.started_on,
        ad.stopped_on,
        ad.outcome(),
        _copy_hash(ad),
        _seen_at(found),
        _whole(ad.reach, _INT8),
        _real(spend.lower),
        _real(spend.upper),
        _real(impressions.lower),
        _real(impressions.upper),
        None if currency is None else _label(currency),
        pack_bytes([hash_url(one.url) for one in media]),
        pack_ints([min(max(one.position, 0), _INT4) for one in media]),
        _labels(tuple([one.role for one in media])),
    )


def result_row(result: ItemResult) -> tuple[Any, ...]:
    """The values of `RESULT_COLUMNS`. Bytes that nobody archived under their hash are no asset."""
    ok = result.status == "ok"
    sha256 = (result.sha256 or "").lower()
    is_asset = ok and bool(result.s3_path) and _SHA256.fullmatch(sha256) is not None
    analyzers, keys = _pairs(result.analyses) if is_asset else (NO_TEXTS, NO_TEXTS)
    ad_analyzers, ad_keys = _pairs(result.ad_analyses)
    return (
        hash_url(result.url),
        None if ok else clean_text(result.url, LONGEST_URL),
        ok,
        sha256 if is_asset else None,
        _label(result.kind or "unknown"),
        _label(result.content_type or "application/octet-stream"),
        _whole(result.size_bytes, _INT8) or 0,
        _whole(result.width, _INT4),
        _whole(result.height, _INT4),
        _real(result.duration_s),
        clean_text(result.s3_path, LONGEST_URL) if result.s3_path else None,
        clean_text(result.thumbnail, LONGEST_URL) if result.thumbnail else None,
        None if ok else _label(result.error_code or "ADO-5000"),
        None if ok else clean_text(result.error or "no reason was given", LONGEST_ERROR),
        None if result.source is None else clean_id(result.source),
        None if result.ad_id is None else clean_id(result.ad_id),
        analyzers,
        keys,
        ad_analyzers,
        ad_keys,
    )


def _label(text: str) -> str:
    return clean_text(text, LONGEST_LABEL)


def _labels(labels: tuple[str, ...]) -> bytes:
    packed = _packed.get(labels)
    return _pack_labels(labels) if packed is None else packed


def _pack_labels(labels: tuple[str, ...]) -> bytes:
    packed = pack_texts([_label(label) for label in labels[:LONGEST_LIST]])
    # The same few come with every ad. What is long is not kept, so that it cannot fill the memory.
    if len(packed) <= LONGEST_LABEL and len(_packed) < _MOST_PACKED:
        _packed[labels] = packed
    return packed


def _texts(texts: Sequence[str]) -> bytes:
    return pack_texts([clean_text(text) for text in texts[:LONGEST_LIST]]) if texts else NO_TEXTS


def _pairs(by_name: Mapping[str, str]) -> tuple[bytes, bytes]:
    if not by_name:
        return NO_TEXTS, NO_TEXTS
    return _labels(tuple(by_name)), pack_texts([clean_text(key, LONGEST_LABEL) for key in by_name.values()])


def _whole(value: int | None, most: int) -> int | None:
    return value if value is not None and 0 <= value <= most else None


def _real(value: float | None) -> float | None:
    """A finite float; an int of any size is taken as well."""
    try:
        number = None if value is None else float(value)
    except OverflowError:
        return None
    return number if number is not None and math.isfinite(number) else None


def _seen_at(found: CommittedAd) -> datetime:
    """When the source saw the ad, unless that is nonsense; never after we gathered it."""
    gathered = _in_utc(found.gathered_at)
    if found.ad.seen_at is None:
        return gathered
    try:
        seen = _in_utc(found.ad.seen_at)
    except OverflowError:
        return gathered
    return seen if _EARLIEST <= seen <= gathered else gathered


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _copy_hash(ad: Ad) -> str:
    try:
        return ad.copy_hash()
    except UnicodeEncodeError:
        return msgspec.structs.replace(
            ad,
            bodies=tuple(map(clean_text, ad.bodies)),
            titles=tuple(map(clean_text, ad.titles)),
            captions=tuple(map(clean_text, ad.captions)),
            descriptions=tuple(map(clean_text, ad.descriptions)),
            cta=clean_text(ad.cta),
            landing_url=clean_text(ad.landing_url),
        ).copy_hash()
