"""Pages of a walk: opaque cursors that expire, loose limits, and three ways to end."""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from typing import Any, Literal

import msgspec

from upstreams.meta.errors import BAD_CURSOR, GraphError

End = Literal["no_paging", "no_next", "empty_data"]
ENDS: tuple[End, ...] = ("no_paging", "no_next", "empty_data")
KEY = b"stand-in cursor key"


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a walk goes on: how many rows it has seen, of which query, and when this was said."""

    offset: int
    query: str
    issued_at: float


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a walk: rows from `start` to `stop`, whether more is claimed to follow, and how it ends."""

    start: int
    stop: int
    more: bool
    end: End


_decode = msgspec.json.Decoder(Cursor).decode


def fingerprint(identity: str) -> str:
    """A short name of a query."""
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def encode_cursor(cursor: Cursor) -> str:
    """An opaque text that only this stand-in makes."""
    body = msgspec.json.encode(cursor)
    return base64.urlsafe_b64encode(_seal(body) + body).decode().rstrip("=")


def decode_cursor(text: str, *, query: str, now: float, ttl_s: float) -> Cursor:
    """What `encode_cursor` was given.

    Raises:
        GraphError: it was altered, belongs to another query, or has expired.
    """
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if not hmac.compare_digest(raw[:8], _seal(raw[8:])):
            raise GraphError(BAD_CURSOR)
        cursor = _decode(raw[8:])
    except ValueError:
        raise GraphError(BAD_CURSOR) from None
    if cursor.query != query or now - cursor.issued_at > ttl_s:
        raise GraphError(BAD_CURSOR)
    return cursor


def cut_page(offset: int, limit: int, rows: int, *, loose: bool, end: End) -> Span:
    """The rows of the page at `offset` of a walk over `rows` rows.

    `loose` treats `limit` as the vendor does: a page may have a few rows fewer or more.
    """
    size = max(1, limit + zlib.crc32(f"{offset}/{limit}".encode()) % 3 - 1) if loose else limit
    stop = min(rows, offset + size)
    last = stop >= rows
    # The empty page that ends a walk comes after the rows, so the last rows claim a successor.
    return Span(start=offset, stop=stop, more=not last or (end == "empty_data" and offset < rows), end=end)


def paging_of(span: Span, after: str, following: str) -> dict[str, Any] | None:
    """The answer's ``paging``, None where the key is left out."""
    if span.more:
        return {"cursors": {"after": after}, "next": following}
    match span.end:
        case "no_paging":
            return None
        case "no_next":
            return {"cursors": {"after": after}}
    return {"cursors": {"after": after}, "next": following}  # with `data: []`, the documented end


def _seal(body: bytes) -> bytes:
    return hmac.new(KEY, body, hashlib.sha256).digest()[:8]
