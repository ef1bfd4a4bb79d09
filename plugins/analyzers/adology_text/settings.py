"""Settings of the text analyzer: what is looked at, and how hard."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from adology import Operational, Settings

When = Literal["never", "small", "always"]


def _at_least(lowest: float, description: str) -> Meta:
    return Meta(description=description, ge=lowest)


class TextSettings(Settings, frozen=True, kw_only=True):
    """Limits that are checked before anything is decoded, and bounds of the work."""

    max_pixels: Annotated[int, _at_least(1, "Most pixels that an image or a video frame may have.")] = 64_000_000
    read_pixels: Annotated[
        int, _at_least(100_000, "Pictures are looked at with at most so many pixels; larger ones are made smaller.")
    ] = 4_000_000
    min_confidence: Annotated[float, Meta(description="Lines that read worse are left out.", ge=0, le=1)] = 0.5
    max_lines: Annotated[int, _at_least(1, "Most lines kept, the first in reading order.")] = 400
    second_look: Annotated[
        When,
        Meta(
            description=(
                "Look again, larger: around small letters and where hardly any text was found, though not in videos; "
                "in the whole of every picture and frame (finds fine print far from text, half as fast); or never."
            )
        ),
    ] = "small"
    threads: Annotated[int, Operational(), Meta(description="Threads of the models, per process.", ge=1, le=16)] = 1
    frames: Annotated[int, Meta(description="Most frames of a video that are looked at.", ge=1, le=60)] = 12
    frame_side: Annotated[int, Meta(description="Longest side of frames, pixels.", ge=160, le=4096)] = 1280
    max_duration_s: Annotated[float, _at_least(1, "Longest video, seconds.")] = 14_400.0
    decode_megapixels: Annotated[
        int, _at_least(1, "Pixels decoded per video at most to get from a key frame to the wanted moment, millions.")
    ] = 2500
