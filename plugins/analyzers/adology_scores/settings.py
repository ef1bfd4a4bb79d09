"""Settings of the measuring and scoring analyzers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from adology import Operational, Settings


class MeasuresSettings(Settings, frozen=True, kw_only=True):
    """How much of a creative is looked at."""

    max_pixels: Annotated[int, Meta(description="Most pixels that an image or a video frame may have.", ge=1)] = (
        64_000_000
    )
    frames: Annotated[int, Meta(description="Frames of a video whose pixels are measured, at most.", ge=1, le=24)] = 6


class ScoresSettings(Settings, frozen=True, kw_only=True):
    """Which rule packs are applied."""

    # Operational: what is in the packs that they lead to counts, as the analyzers' needs say.
    packs: Annotated[
        tuple[str, ...],
        Operational(),
        Meta(
            description=(
                "Ids of packs to apply, as `meta-reels` (the newest) or `meta-reels@2025-01-01` (that date's); "
                "empty: the newest of every id."
            )
        ),
    ] = ()
    folder: Annotated[
        str,
        Operational(),
        Meta(description="Folder with packs of your own, `*.toml`; read once, at the start of a process."),
    ] = ""
