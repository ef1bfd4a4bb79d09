"""Media in a list row and in the variants of a details answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from adology import Media
from adology.types import MediaKind, MediaRole

VIDEO_KEYS = ("video_link", "video")
IMAGE_KEYS = ("image", "thumbnail")
"""Best first. Logos have other keys, so they are never mistaken for creatives."""

YOUTUBE_HOSTS = frozenset({"youtube.com", "youtube-nocookie.com", "youtu.be"})
_YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{6,20}")
_PATHS_WITH_ID = frozenset({"embed", "shorts", "v", "live"})


def find_youtube_id(url: str) -> str | None:
    """The id in any of YouTube's address forms; None for other addresses."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    if host not in YOUTUBE_HOSTS:
        return None
    steps = [step for step in parts.path.split("/") if step]
    if host == "youtu.be":
        found = steps[0] if steps else ""
    elif len(steps) > 1 and steps[0] in _PATHS_WITH_ID:
        found = steps[1]
    else:
        found = parse_qs(parts.query).get("v", [""])[0]
    return found if _YOUTUBE_ID.fullmatch(found) else None


def row_media(row: dict[str, Any]) -> tuple[Media, ...]:
    """What a list row shows: one picture, or nothing. Its `link` is a script, never media."""
    image = _first(row, IMAGE_KEYS)
    if not image:
        return ()
    role: MediaRole = "preview" if row.get("format") == "video" else "creative"
    return (
        Media(url=image, kind="image", role=role, width=_pixels(row.get("width")), height=_pixels(row.get("height"))),
    )


def variant_media(variants: list[dict[str, Any]], thumbnail_url: str = "") -> tuple[Media, ...]:
    """Every creative of a details answer once, in order; positions count variants that have media.

    A YouTube video has no file: its address is ``youtube:<id>``, which nobody fetches.
    """
    seen: set[str] = set()
    found: list[Media] = []
    position = 0
    for variant in variants:
        media = [item for item in _media_of(variant, position, thumbnail_url) if item.url not in seen]
        seen.update(item.url for item in media)
        found.extend(media)
        position += any(item.role == "creative" for item in media)
    return tuple(found)


def is_youtube(media: Media) -> bool:
    """Whether the media is a YouTube video, recorded but not fetchable."""
    return media.url.startswith("youtube:")


def _media_of(variant: dict[str, Any], position: int, thumbnail_url: str) -> Iterator[Media]:
    video, image = _first(variant, VIDEO_KEYS), _first(variant, IMAGE_KEYS)
    youtube_id = find_youtube_id(video)
    if youtube_id:
        yield Media(url=f"youtube:{youtube_id}", kind="video", position=position, external_id=youtube_id)
        image = image or thumbnail_url.replace("{id}", youtube_id)
    elif video:
        yield _file(video, "video", "creative", position)
    if image:
        yield _file(image, "image", "preview" if video else "creative", position)


def _file(url: str, kind: MediaKind, role: MediaRole, position: int) -> Media:
    return Media(url=url, kind=kind, role=role, position=position)


def _first(entry: dict[str, Any], keys: tuple[str, ...]) -> str:
    values = (entry.get(key) for key in keys)
    return next((v for v in values if isinstance(v, str) and v.startswith(("https://", "http://"))), "")


def _pixels(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
