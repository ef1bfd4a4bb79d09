"""Snapshot pages: the HTML that ``render_ad`` answers, with the ad's data embedded in one of several ways."""

from __future__ import annotations

import html
import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any, Literal

import msgspec

from upstreams.meta.search import Found
from upstreams.preview import preview_of
from upstreams.world import Creative

Shape = Literal["relay", "legacy", "entities", "camel", "string"]
SHAPES: tuple[Shape, ...] = ("relay", "legacy", "entities", "camel", "string")
"""relay: deep in a typed script · legacy: bare, by a regular expression's taste · entities: in an
attribute · camel: other key names · string: JSON inside a JSON string."""

UrlFor = Callable[[str], str]

REMOVED = (
    "<h2>This ad was removed</h2><p>This content was removed because it didn't follow our Advertising Standards.</p>"
)
UNAVAILABLE = "<h2>This content isn't available right now</h2><p>The link may have expired.</p>"
BLOCKED = "<h2>Too many requests</h2><p>You&#039;re temporarily blocked: you&#039;re going too fast.</p>"
SKELETON = '<div id="content"></div><script>requireLazy(["AdArchiveRender"],function(m){m.render();});</script>'


def shape_of(ad_id: str) -> Shape:
    """How this ad's page embeds its data: always the same for one ad."""
    return SHAPES[zlib.crc32(ad_id.encode()) % len(SHAPES)]


def page(content: str, title: str = "Ad Library") -> str:
    """A page around `content`."""
    return (
        f'<!DOCTYPE html><html lang="en" id="facebook"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body>{content}</body></html>"
    )


def snapshot_page(found: Found, creatives: list[Creative], url_for: UrlFor, shape: Shape) -> str:
    """The page of an ad, its media at fresh addresses."""
    collated = {
        "ad_archive_id": found.ad.id,
        "collation_count": 1,
        "is_active": found.ad.stopped_on is None,
        "start_date": _unix(found.ad.started_on),
        "end_date": _unix(found.ad.stopped_on) if found.ad.stopped_on else None,
        "publisher_platform": [name.upper() for name in found.ad.platforms],
        "snapshot": snapshot(found, creatives, url_for),
    }
    return page(f'<div id="content"></div>{_embed(collated, shape)}', html.escape(found.brand.name))


def snapshot(found: Found, creatives: list[Creative], url_for: UrlFor) -> dict[str, Any]:
    """The ``snapshot`` object of an ad."""
    brand, ad = found.brand, found.ad
    cards = ad.format == "carousel"
    entries = [_media(creative, url_for) for creative in creatives]
    copy: dict[str, Any] = {
        "title": _first(ad.titles),
        "caption": _first(ad.captions),
        "link_description": _first(ad.descriptions),
        "link_url": ad.landing_url or None,
        "cta_text": ad.cta or None,
        "cta_type": ad.cta.upper().replace(" ", "_") or None,
    }
    return {
        "display_format": ad.format.upper(),
        "page_id": brand.meta_page_id,
        "page_name": brand.name,
        # A decoy: a picture, but of the advertiser.
        "page_profile_picture_url": f"https://scontent.invalid/profile/{brand.meta_page_id}.jpg",
        "body": _body(ad.bodies, templated=cards and len(ad.bodies) > 1),
        **copy,
        "images": [entry for entry in entries if "original_image_url" in entry and not cards],
        "videos": [entry for entry in entries if "video_hd_url" in entry and not cards],
        "cards": [_card(entry, index, ad.bodies, copy) for index, entry in enumerate(entries)] if cards else [],
        "extra_images": [],
        "extra_videos": [],
    }


def _card(entry: dict[str, Any], index: int, bodies: tuple[str, ...], copy: dict[str, Any]) -> dict[str, Any]:
    """A card: its media flat beside its copy, the other kind's keys null."""
    empty: dict[str, Any] = dict.fromkeys(
        ("original_image_url", "resized_image_url", "video_hd_url", "video_sd_url", "video_preview_image_url")
    )
    return {**empty, **copy, "body": bodies[index % len(bodies)] if bodies else "", **entry}


def _media(creative: Creative, url_for: UrlFor) -> dict[str, Any]:
    if creative.kind == "video":
        return {
            "video_hd_url": url_for(creative.file),
            # The vendor's smaller rendition; here another address of the same file.
            "video_sd_url": url_for(creative.file) + "&tag=sve_sd",
            "video_preview_image_url": url_for(preview_of(creative.file)),
            "watermarked_video_hd_url": "",
        }
    return {
        "original_image_url": url_for(creative.file),
        "resized_image_url": url_for(creative.file) + "&stp=dst-jpg_s600x600",
        "watermarked_resized_image_url": "",
        "image_crops": [],
    }


def _body(bodies: tuple[str, ...], *, templated: bool) -> Any:
    if templated:
        return {"text": "{{product.brand}}"}  # dynamic ads keep their words on the cards
    text = _first(bodies)
    if text is not None and "\n" in text:
        return {"markup": {"__html": html.escape(text).replace("\n", "<br />")}}
    return {"text": text} if text is not None else None


def _embed(collated: dict[str, Any], shape: Shape) -> str:
    match shape:
        case "relay":
            deep = {"require": [["ScheduledServerJS", "handle", None, [{"__bbox": {"result": {"data": collated}}}]]]}
            return f'<script type="application/json" data-sjs>{_slashed(deep)}</script>'
        case "legacy":
            return f"<script>adArchive.render({_slashed(collated['snapshot'])});</script>"
        case "entities":
            return f'<div data-store="{html.escape(_json(collated))}"></div>'
        case "camel":
            named = {**_camel(collated), "adArchiveID": collated["ad_archive_id"]}
            return f"<script>window.__data={_slashed(named)};</script>"
        case "string":
            return f"<script>window.__payload=JSON.parse({_json(_slashed({'ad': collated}))});</script>"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _slashed(value: Any) -> str:
    """JSON as the vendor's servers write it into scripts: slashes escaped, nothing that could end the script."""
    return _json(value).replace("/", "\\/").replace("<", "\\u003C")


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {_camel_key(key): _camel(item) for key, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value


def _camel_key(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _first(texts: tuple[str, ...]) -> str | None:
    return texts[0] if texts else None


def _unix(day: date) -> int:
    """Unix seconds here, where the API has bare dates."""
    return int(datetime.combine(day, time(), UTC).timestamp())
