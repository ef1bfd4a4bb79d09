"""What the transcript analyzer says. Stored as it is: fields are only ever added."""

from __future__ import annotations

from adology import Struct


class Segment(Struct, frozen=True, kw_only=True):
    """A piece of what is said, seconds from the start of the film; `speaker` is empty but for diarizing models."""

    start_s: float
    end_s: float
    text: str
    speaker: str = ""


class Transcript(Struct, frozen=True, kw_only=True):
    """What is said in a film.

    `available` is false, and `why` says so, where nobody listened: then nothing was paid, and the
    empty `text` means nothing. Available with an empty `text`: somebody listened and heard no words.
    `segments` is empty for models that give no times. `language` is an ISO 639-1 code, empty where
    the model did not tell. `listened_s` seconds of sound were transcribed; `truncated`: there is more.
    """

    available: bool
    why: str = ""
    provider: str = "none"
    model: str = ""
    language: str = ""
    text: str = ""
    segments: tuple[Segment, ...] = ()
    listened_s: float = 0.0
    truncated: bool = False
