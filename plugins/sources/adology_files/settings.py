"""Settings of the files source."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from adology import Settings


def _text(description: str, **limits: Any) -> Meta:
    return Meta(description=description, **limits)


class FilesSettings(Settings, frozen=True, kw_only=True):
    """What may be read.

    Handles stand in the catalogue, which the operator writes with `adology ingest` and `adology
    brand add`; so by default a handle is its own permission. Where others may write handles, set
    `allow_handles = false`: only what lies under `roots` is read then. Symbolic links that lead
    out of the permitted folders are refused either way, and the fetch guard checks each media
    file against its own roots once more.
    """

    roots: Annotated[tuple[str, ...], _text("Folders that handles and rows may refer to, absolute paths.")] = ()
    allow_handles: Annotated[bool, _text("A handle is its own permission. False: only `roots` may be read.")] = True
    page_size: Annotated[int, _text("Most ads per page.", ge=1, le=5000)] = 500
    max_line_bytes: Annotated[int, _text("Longest line or CSV field.", ge=1024, le=256 * 1024 * 1024)] = (
        16 * 1024 * 1024
    )
