"""The `metadata` of acquire messages: enough to analyse the ad's copy and to find its media anew."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from adology.engine.manifest import MANIFESTS, Item
from adology.queues.messages import MAX_BODY_BYTES, AcquireMessage, encode
from adology.types import Ad, Media, Struct


class ItemMetadata(Struct, frozen=True, kw_only=True):
    """What our gatherer puts into `metadata`.

    `ad` comes without its raw record. An ad too large for a message stays in the manifest: `part`
    and `line` say where, `ad_id` says which.
    """

    source: str = ""
    ad: Ad | None = None
    ad_id: str | None = None
    media: Media | None = None
    carries: bool = False
    part: str | None = None
    line: int = 0


def item_body(brand: str, batch: str, item: Item, *, again: bool = False) -> str:
    """The message of an item."""
    slim = msgspec.structs.replace(item.ad, raw={}, media=())
    metadata = ItemMetadata(source=item.source, ad=slim, media=item.media, carries=item.carries)
    body = _body(brand, batch, item.url, metadata, again=again)
    if len(body.encode()) <= MAX_BODY_BYTES:
        return body
    reference = ItemMetadata(
        source=item.source, ad_id=item.ad.id, media=item.media, carries=item.carries, part=item.part, line=item.line
    )
    return _body(brand, batch, item.url, reference, again=again)


def _body(brand: str, batch: str, url: str, metadata: ItemMetadata, *, again: bool) -> str:
    return encode(
        AcquireMessage(brand=brand, url=url, batch=batch, metadata=msgspec.to_builtins(metadata), again=again)
    )


def read_metadata(metadata: Any, url: str) -> ItemMetadata:
    """Metadata as our gatherer writes it, or the best reading of somebody else's.

    Raises:
        ValueError: it is not an object.
    """
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, dict):
        raise ValueError(f"metadata is a JSON {type(metadata).__name__}; allowed: an object")  # noqa: TRY004
    return _find_ours(metadata) or ItemMetadata(
        source=_text(metadata, "source") or "external", ad=_foreign_ad(metadata, url), carries=True
    )


def _find_ours(metadata: dict[str, Any]) -> ItemMetadata | None:
    """Metadata as our gatherer writes it: with the ad, or with its place in a manifest."""
    try:
        found = msgspec.convert(metadata, ItemMetadata)
    except msgspec.ValidationError:
        return None
    return found if found.ad is not None or (found.part or "").startswith(MANIFESTS) else None


def _foreign_ad(metadata: dict[str, Any], url: str) -> Ad:
    """An ad from whatever another program says about a URL; its record is kept whole."""
    found = next((str(metadata[k]) for k in ("ad_id", "source_ad_id", "id") if metadata.get(k)), "")
    bodies = tuple(t for t in (_text(metadata, "body"), _text(metadata, "text")) if t)
    return Ad(
        id=found or hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:32],
        advertiser=_text(metadata, "advertiser"),
        bodies=bodies,
        titles=(_text(metadata, "title"),) if _text(metadata, "title") else (),
        cta=_text(metadata, "cta"),
        landing_url=_text(metadata, "landing_url"),
        raw=metadata,
    )


def _text(metadata: dict[str, Any], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""
