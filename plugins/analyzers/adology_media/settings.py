"""Settings of the media analyzer: limits that are checked before anything is decoded."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from adology import Settings


def _at_least(lowest: float, description: str) -> Meta:
    return Meta(description=description, ge=lowest)


class MediaSettings(Settings, frozen=True, kw_only=True):
    """How much media may ask of us, and how large the derived pictures are."""

    max_pixels: Annotated[int, _at_least(1, "Most pixels that an image or a video frame may have.")] = 64_000_000
    max_frames: Annotated[int, _at_least(1, "Most frames that an animated image may have.")] = 10_000
    max_video_frames: Annotated[int, _at_least(1, "Most frames that a video may say it has.")] = 1_000_000
    max_duration_s: Annotated[float, _at_least(1, "Longest video, seconds.")] = 14_400.0
    thumbnail_side: Annotated[int, Meta(description="Longest side of thumbnails, pixels.", ge=16, le=1024)] = 320
    keyframe_side: Annotated[int, Meta(description="Longest side of key frames, pixels.", ge=16, le=2048)] = 640
    keyframes: Annotated[int, Meta(description="Most key frames taken from a video.", ge=1, le=24)] = 6
    jpeg_quality: Annotated[int, Meta(description="Quality of derived JPEGs.", ge=1, le=95)] = 82
    loudness_s: Annotated[float, _at_least(0, "Loudness is measured on this much of the start, seconds; 0: not.")] = (
        600.0
    )
    decode_megapixels: Annotated[
        int, _at_least(1, "Pixels decoded per video at most to get from a key frame to the wanted moment, millions.")
    ] = 2500
