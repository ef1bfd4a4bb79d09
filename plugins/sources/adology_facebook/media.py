"""Media in a snapshot object, in any of its three layouts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from adology import Media
from adology.types import MediaKind, MediaRole

VIDEO_KEYS = ("video_hd_url", "video_sd_url", "watermarked_video_hd_url", "watermarked_video_sd_url")
IMAGE_KEYS = ("original_image_url", "resized_image_url", "watermarked_resized_image_url")
PREVIEW_KEY = "video_preview_image_url"
"""Best first. A profile picture has another key, so it is never mistaken for a creative."""
LISTS = ("cards", "videos", "images", "extra_videos", "extra_images")


def snake_keys(value: Any) -> Any:
    """A copy with camelCase keys (some page generations) turned into snake_case."""
    if isinstance(value, dict):
        return {_snake(key): snake_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [snake_keys(item) for item in value]
    return value


def _snake(key: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in key)


def list_media(snapshot: dict[str, Any]) -> tuple[Media, ...]:
    """Every creative of a snapshot (snake_case keys) once, in order, each video with its preview.

    Layouts: `cards` with media flat on each card; flat `videos` and `images`; media keys on the
    snapshot itself. The same file under two signatures counts once.
    """
    seen: set[str] = set()
    found: list[Media] = []
    position = 0
    for entry in _entries(snapshot):
        creatives = [media for media in _media_of(entry, position) if _first_time(media.url, seen)]
        found.extend(creatives)
        position += any(media.role == "creative" for media in creatives)
    return tuple(found)


def _entries(snapshot: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in LISTS:
        items = snapshot.get(name)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict):
                yield item
            elif isinstance(item, str):
                yield {"original_image_url" if "image" in name else "video_hd_url": item}
    yield snapshot


def _media_of(entry: dict[str, Any], position: int) -> Iterator[Media]:
    video = _first(entry, VIDEO_KEYS)
    if video:
        yield _media(video, "video", "creative", position)
        preview = _first(entry, (PREVIEW_KEY,))
        if preview:
            yield _media(preview, "image", "preview", position)
        return
    image = _first(entry, IMAGE_KEYS)
    if image:
        yield _media(image, "image", "creative", position)


def _first(entry: dict[str, Any], keys: tuple[str, ...]) -> str:
    values = (entry.get(key) for key in keys)
    return next((v for v in values if isinstance(v, str) and v.startswith(("https://", "http://"))), "")


def _media(url: str, kind: MediaKind, role: MediaRole, position: int) -> Media:
    return Media(url=url, kind=kind, role=role, position=position)


def _first_time(url: str, seen: set[str]) -> bool:
    key = _file_of(url)
    if key in seen:
        return False
    seen.add(key)
    return True


def _file_of(url: str) -> str:
    """What tells the file at `url` from others: at Meta, signature and expiry ride in the query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return parts.path if (parts.hostname or "").endswith(("fbcdn.net", "cdninstagram.com")) else url
