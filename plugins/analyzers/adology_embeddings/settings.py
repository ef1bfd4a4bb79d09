"""Settings of the embedding analyzers. A changed setting is another fingerprint: all is embedded anew."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from adology import Operational, Settings


class TextEmbeddingSettings(Settings, frozen=True, kw_only=True):
    """How much copy is embedded, and at what cost."""

    max_chars: Annotated[int, Meta(description="Characters of copy embedded per ad.", ge=50, le=8000)] = 2000
    threads: Annotated[
        int, Operational(), Meta(description="Threads of the model; the vectors are the same.", ge=1, le=16)
    ] = 1


class VisualEmbeddingSettings(Settings, frozen=True, kw_only=True):
    """How much of a creative is looked at."""

    frames: Annotated[int, Meta(description="Frames looked at per video, at most.", ge=1, le=24)] = 6
    frame_vectors: Annotated[
        int, Meta(description="Vectors of single frames kept per video, at most; 0: only their mean.", ge=0, le=24)
    ] = 6
    max_pixels: Annotated[int, Meta(description="Most pixels that an image or a video frame may have.", ge=1)] = (
        64_000_000
    )
    threads: Annotated[
        int, Operational(), Meta(description="Threads of the model; at most as many as cores.", ge=1, le=16)
    ] = 1
