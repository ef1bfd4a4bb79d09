"""Reads an ad's snapshot page: finds the embedded JSON object, however it is embedded.

No regular expression cuts JSON out of HTML here: a key's position is found as text, and the JSON
decoder itself says where the object around it begins and ends.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from adology import Media
from adology.types import MediaOutcome
from adology_facebook.media import IMAGE_KEYS, LISTS, VIDEO_KEYS, list_media, snake_keys

BLOCK_SIGNS = ("too many requests", "temporarily blocked", "you're going too fast", "rate limit exceeded")
REMOVED_SIGNS = (
    "content isn't available",
    "content is not available",
    "isn't available right now",
    "this content was removed",
    "this ad was removed",
    "ad was taken down",
    "removed because it",
    "didn't follow our advertising",
    "doesn't follow our advertising",
    "goes against our advertising",
    "go against our advertising",
)
ID_KEYS = ("ad_archive_id", "adArchiveID", "adArchiveId", "archive_id")
FORMAT_KEYS = ("display_format", "displayFormat")
_LOOK_BACK = 60
"""Opening braces tried before a key: nesting deeper than this has not been seen."""
_SIGN_AREA = 200_000
_decoder = json.JSONDecoder()


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot gave: outcome, media and the creative's call to action, target and format."""

    outcome: MediaOutcome
    media: tuple[Media, ...] = ()
    cta: str = ""
    landing_url: str = ""
    format: str = ""
    bodies: tuple[str, ...] = ()
    reason: str = ""


class BlockedError(Exception):
    """The site says we ask too often."""


def read_snapshot(text: str, ad_id: str) -> Resolution:
    """The resolution of ad `ad_id` from the page's HTML.

    Outcomes: media; text_only (the data is there and names no media); removed; unresolved (no
    data, or another ad's: our parser or the page is at fault).

    Raises:
        BlockedError: the page is a block page.
    """
    for view in _views(text):
        snapshot, ids = find_snapshot(view, ad_id)
        if snapshot is not None:
            return describe(snapshot)
        if ids and ad_id not in ids:
            shown = ", ".join(sorted(ids)[:3])
            return Resolution(outcome="unresolved", reason=f"the page shows another ad ({shown})")
    sign = find_sign(text, BLOCK_SIGNS)
    if sign is not None:
        raise BlockedError(sign)
    if find_sign(text, REMOVED_SIGNS) is not None:
        return Resolution(outcome="removed", reason="the page says that the ad was removed")
    return Resolution(outcome="unresolved", reason="the page holds no embedded data (script-only page?)")


def find_sign(text: str, signs: tuple[str, ...]) -> str | None:
    """The first of `signs` (lower case, straight apostrophes) that the page's beginning has."""
    lowered = html.unescape(text[:_SIGN_AREA]).lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return next((sign for sign in signs if sign in lowered), None)


def describe(snapshot: dict[str, Any]) -> Resolution:
    """The resolution of a snapshot object."""
    plain: dict[str, Any] = snake_keys(snapshot)
    media = list_media(plain)
    cards = [card for card in plain.get("cards") or () if isinstance(card, dict)]
    sources = (plain, *cards)
    return Resolution(
        outcome="media" if media else "text_only",
        media=media,
        cta=_first_text(sources, "cta_text"),
        landing_url=_first_text(sources, "link_url"),
        format=_first_text(sources, "display_format").lower(),
        bodies=tuple(dict.fromkeys(filter(None, (_body(source.get("body")) for source in sources)))),
    )


def find_snapshot(text: str, ad_id: str) -> tuple[dict[str, Any] | None, set[str]]:
    """The snapshot object of `ad_id` in `text`, and the ad ids that the page's data names.

    An object that names no id counts as the ad's own: old pages embed the bare snapshot.
    """
    ids: set[str] = set()
    bare: dict[str, Any] | None = None
    for at in _positions(text, '"snapshot"'):
        around = _enclosing(text, at, "snapshot")
        if around is None or not isinstance(around.get("snapshot"), dict):
            continue
        named = {str(around[key]) for key in ID_KEYS if around.get(key)}
        ids |= named
        if ad_id in named:
            return around["snapshot"], ids
        if not named:
            bare = bare or around["snapshot"]
    if bare is None and not ids:
        bare, ids = _find_by_media_key(text)
    return (bare if not ids or ad_id in ids else None), ids


def _find_by_media_key(text: str) -> tuple[dict[str, Any] | None, set[str]]:
    ids = {value for key in ID_KEYS for value in _values_of(text, key)}
    for key in (*LISTS[:3], *VIDEO_KEYS, *IMAGE_KEYS):
        for at in _positions(text, f'"{key}"'):
            around = _enclosing(text, at, key)
            if around is not None and list_media(snake_keys(around)):
                return around, ids
    # A text-only ad's object names its format and no media.
    formats = ((key, at) for key in FORMAT_KEYS for at in _positions(text, f'"{key}"'))
    bare = (around for key, at in formats if (around := _enclosing(text, at, key)) is not None)
    return next(bare, None), ids


def _values_of(text: str, key: str) -> Iterator[str]:
    for at in _positions(text, f'"{key}"'):
        rest = text[at + len(key) + 2 : at + len(key) + 60].lstrip()
        if not rest.startswith(":"):
            continue
        try:
            value, _ = _decoder.raw_decode(rest[1:].lstrip())
        except ValueError:
            continue
        if isinstance(value, str | int) and value:
            yield str(value)


def _enclosing(text: str, at: int, key: str) -> dict[str, Any] | None:
    """The smallest JSON object around position `at` that has `key` itself."""
    start = at
    for _ in range(_LOOK_BACK):
        start = text.rfind("{", 0, start)
        if start < 0:
            return None
        try:
            value, end = _decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if end > at and isinstance(value, dict) and key in value:
            return value
    return None


def _views(text: str) -> Iterator[str]:
    """The page as it is, with HTML entities resolved, and with one level of string escapes removed."""
    yield text
    if "&quot;" in text:
        yield html.unescape(text)
    if '\\"' in text:
        yield text.replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\")


def _positions(text: str, needle: str) -> Iterator[int]:
    at = text.find(needle)
    while at >= 0:
        yield at
        at = text.find(needle, at + 1)


def _first_text(sources: tuple[dict[str, Any], ...], key: str) -> str:
    return next((v for s in sources if isinstance(v := s.get(key), str) and v and "{{" not in v), "")


def _body(value: Any) -> str:
    """A body in any of its forms; templates of dynamic ads (``{{…}}``) say nothing."""
    if isinstance(value, dict):
        markup = value.get("markup")
        value = html.unescape(str(markup.get("__html") or "")) if isinstance(markup, dict) else value.get("text")
    return value if isinstance(value, str) and "{{" not in value else ""
