"""Settings of the likeness analyzer. A changed setting is another fingerprint: all signatures are made anew."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from adology import Settings


class LikenessSettings(Settings, frozen=True, kw_only=True):
    """How much of a creative is remembered."""

    moments: Annotated[int, Meta(description="Moments of a video looked at, evenly spread.", ge=8, le=120)] = 60
    shots: Annotated[int, Meta(description="Frames of a video remembered, at most.", ge=4, le=30)] = 30
    max_pixels: Annotated[int, Meta(description="Most pixels that an image or a video frame may have.", ge=1)] = (
        64_000_000
    )
