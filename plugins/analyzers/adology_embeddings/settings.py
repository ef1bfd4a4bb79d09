"""Settings of the embedding analyzers. A changed setting is another fingerprint: all is embedded anew."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from adology import Operational
from adology.vendors.settings import BedrockSettings, CloudSettings

Model = Annotated[str, Meta(description="Model of the provider; empty: its usual one.")]
Dimensions = Annotated[
    Annotated[int, Meta(ge=1)] | None,
    Meta(description="Numbers of a vector, where the model has several lengths; none: its usual one."),
]


class TextEmbeddingSettings(CloudSettings, frozen=True, kw_only=True):
    """Which model embeds, how much copy of an ad, and how the vendor is reached."""

    provider: Annotated[Literal["local", "openai", "bedrock"], Meta(description="Who embeds.")] = "local"
    model: Model = ""
    dimensions: Dimensions = None
    max_chars: Annotated[int, Meta(description="Characters of copy embedded per ad.", ge=50, le=8000)] = 2000
    threads: Annotated[
        int, Operational(), Meta(description="Threads of the local model; the vectors are the same.", ge=1, le=16)
    ] = 1


class VisualEmbeddingSettings(BedrockSettings, frozen=True, kw_only=True):
    """Which model embeds, how much of a creative it sees, and how the vendor is reached."""

    provider: Annotated[Literal["local", "bedrock"], Meta(description="Who embeds.")] = "local"
    model: Model = ""
    dimensions: Dimensions = None
    frames: Annotated[
        int, Meta(description="Frames looked at per video, at most; each is a call of a vendor.", ge=1, le=24)
    ] = 6
    frame_vectors: Annotated[
        int, Meta(description="Vectors of single frames kept per video, at most; 0: only their mean.", ge=0, le=24)
    ] = 6
    max_pixels: Annotated[int, Meta(description="Most pixels that an image or a video frame may have.", ge=1)] = (
        64_000_000
    )
    threads: Annotated[
        int, Operational(), Meta(description="Threads of the local model; at most as many as cores.", ge=1, le=16)
    ] = 1
