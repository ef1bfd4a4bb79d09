"""What other analyzers said, as far as it is measured here; other fields of theirs are not looked at.

Named by their results alone: none of their packages is needed, and an older stored result is read
like a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from adology import Struct
from adology_scores.evidence import Box

T = TypeVar("T", bound=Struct)


class Stretch(Struct, frozen=True, kw_only=True):
    """From `start_s` to `end_s`, seconds from the start."""

    start_s: float
    end_s: float


class Line(Struct, frozen=True, kw_only=True):
    """A line as the text analyzer reads it; see its `TextLine`."""

    text: str
    box: Box
    confidence: float
    height_px: float
    height_share: float
    contrast: float | None = None
    corners: tuple[tuple[float, float], ...] = ()
    spans: tuple[Stretch, ...] = ()


class Text(Struct, frozen=True, kw_only=True):
    """See the text analyzer's `TextFacts`."""

    width: int
    height: int
    lines: tuple[Line, ...] = ()
    text_share: float = 0.0
    unread: int = 0
    sampled_s: tuple[float, ...] = ()
    truncated: bool = False


class Audio(Struct, frozen=True, kw_only=True):
    """See the media analyzer's `AudioTrack`."""

    loudness_lufs: float | None = None
    measured_s: float = 0.0


class Media(Struct, frozen=True, kw_only=True):
    """See the media analyzer's `MediaFacts`."""

    aspect_ratio: float
    duration_s: float | None = None
    video_codec: str = ""
    audio: Audio | None = None


class Sound(Struct, frozen=True, kw_only=True):
    """See the video analyzer's `Sound`."""

    lufs: float | None = None
    silent_share: float = 0.0
    damaged: bool = False


class Faces(Struct, frozen=True, kw_only=True):
    """See the video analyzer's `Faces`."""

    available: bool
    why: str = ""
    looks: int = 0
    first_s: float | None = None
    largest_share: float = 0.0
    largest_s: float | None = None
    largest_box: Box | None = None


class Video(Struct, frozen=True, kw_only=True):
    """See the video analyzer's `VideoFacts`."""

    duration_s: float
    looked_s: float
    shots: tuple[Stretch, ...] = ()
    shots_in_first_3s: int = 0
    shots_in_first_5s: int = 0
    most_shots_in_5s: int = 0
    mean_shot_s: float = 0.0
    sound: Sound | None = None
    faces: Faces | None = None
    truncated: bool = False


class Said(Struct, frozen=True, kw_only=True):
    """See the transcript analyzer's `Segment`."""

    start_s: float
    end_s: float
    text: str


class Transcript(Struct, frozen=True, kw_only=True):
    """See the transcript analyzer's `Transcript`."""

    available: bool
    why: str = ""
    text: str = ""
    segments: tuple[Said, ...] = ()


def take(results: Mapping[str, Any], name: str, kind: type[T]) -> tuple[T | None, str]:
    """The result of analyzer `name`; or None and why there is none."""
    if name not in results:
        return None, f"there is no result of the analyzer {name}"
    try:
        return msgspec.convert(results[name], kind), ""
    except msgspec.ValidationError as error:
        return None, f"the result of the analyzer {name} has another shape: {error}"
