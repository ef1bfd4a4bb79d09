"""Settings of the near-duplicates."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from adology import Settings


class DuplicatesSettings(Settings, frozen=True, kw_only=True):
    """How creatives are compared."""

    candidates: Annotated[
        int, Meta(description="Most creatives that one is compared with, the likeliest first.", ge=1, le=1000)
    ] = 12
    confidence: Annotated[float, Meta(description="Pairs that are less sure than this are not kept.", ge=0, le=1)] = 0.5
    poll_s: Annotated[float, Meta(description="Seconds between looks at what was committed.", gt=0, le=60)] = 1.0
