"""Settings of the safety analyzers. What the thresholds were measured on stands in their documentation."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from adology import Operational
from adology.vendors.settings import OpenAISettings

Provider = Annotated[Literal["local", "openai"], Meta(description="openai: its moderation besides the local result.")]
Model = Annotated[str, Meta(description="Model of the moderation; empty: omni-moderation-latest.")]


def _threshold(description: str) -> Meta:
    return Meta(description=description, ge=0, le=1)


class SafetySettings(OpenAISettings, frozen=True, kw_only=True):
    """From which score on a creative is how risky, how much of it is looked at, and by whom."""

    provider: Provider = "local"
    model: Model = ""
    low: Annotated[float, _threshold("Score from which the level is low.")] = 0.2
    medium: Annotated[float, _threshold("Score from which the level is medium.")] = 0.8
    high: Annotated[float, _threshold("Score from which the level is high.")] = 0.95
    frames: Annotated[int, Meta(description="Frames looked at per video, at most.", ge=1, le=24)] = 8
    max_pixels: Annotated[int, Meta(description="Most pixels that an image or a video frame may have.", ge=1)] = (
        64_000_000
    )
    threads: Annotated[
        int, Operational(), Meta(description="Threads of the model; at most as many as cores.", ge=1, le=16)
    ] = 1


class CopySafetySettings(OpenAISettings, frozen=True, kw_only=True):
    """How much copy is read, and by whom."""

    provider: Provider = "local"
    model: Model = ""
    max_chars: Annotated[int, Meta(description="Characters of copy read per ad.", ge=100, le=200_000)] = 20_000
    max_hits: Annotated[int, Meta(description="Most phrases kept as evidence.", ge=1, le=1000)] = 50
