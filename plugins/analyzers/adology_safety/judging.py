"""The local model's verdict on pictures; `examine` is what runs in a child process."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec

from adology import Struct
from adology_open_nsfw import Sights, look, model_version, read
from adology_safety.levels import Level
from adology_safety.media_model import FrameScore, MediaSafety
from adology_safety.settings import SafetySettings

QUALITY = 90


class Shot(Struct, frozen=True, kw_only=True):
    """A picture as a JPEG of at most 640 pixels a side; `time_s` seconds from the start, None for a still."""

    jpeg: bytes
    time_s: float | None = None


class Examined(Struct, frozen=True, kw_only=True):
    """The local verdict, and the pictures for another judge where they are wanted."""

    verdict: MediaSafety
    shots: tuple[Shot, ...] = ()


def model_id() -> str:
    """``open-nsfw/<version of the package>``."""
    return f"open-nsfw/{model_version()}"


def examine(path: str, scratch: str | None, plugin: str, settings: dict[str, Any], with_shots: bool) -> Examined:
    """What a file shows; `settings` are `SafetySettings` as plain data.

    Raises:
        MediaUnusableError: it is no picture or video, is broken, or larger than the limits.
        ConfigError: the model's package is not installed.
    """
    own = msgspec.convert(settings, SafetySettings)
    sights = look(
        Path(path),
        frames=own.frames,
        max_pixels=own.max_pixels,
        analyzer=plugin,
        scratch=Path(scratch) if scratch else None,
    )
    return Examined(verdict=judge(sights, own, plugin=plugin), shots=_shots(sights) if with_shots else ())


def judge(sights: Sights, settings: SafetySettings, *, plugin: str = "safety") -> MediaSafety:
    """The verdict on what was seen: the worst picture counts, the first of equals.

    Raises:
        ConfigError: the model's package is not installed.
    """
    pictures = [sight.picture for sight in sights.pictures]
    scores = [round(reading.nsfw, 4) for reading in read(pictures, plugin=plugin, threads=settings.threads)]
    worst = max(range(len(scores)), key=lambda i: (scores[i], -i))
    return MediaSafety(
        model=model_id(),
        score=scores[worst],
        level=level_of(scores[worst], settings),
        time_s=sights.pictures[worst].time_s,
        looked_at=len(scores),
        duration_s=sights.duration_s,
        damaged=sights.damaged,
        frames=tuple(
            FrameScore(time_s=sight.time_s, score=score)
            for sight, score in zip(sights.pictures, scores, strict=True)
            if sight.time_s is not None
        ),
    )


def level_of(score: float, settings: SafetySettings) -> Level:
    """The level of a score: each begins at its threshold."""
    levels: tuple[tuple[float, Level], ...] = (
        (settings.high, "high"),
        (settings.medium, "medium"),
        (settings.low, "low"),
    )
    return next((level for threshold, level in levels if score >= threshold), "none")


def _shots(sights: Sights) -> tuple[Shot, ...]:
    shots = []
    for sight in sights.pictures:
        data = io.BytesIO()
        sight.picture.save(data, "JPEG", quality=QUALITY)
        shots.append(Shot(jpeg=data.getvalue(), time_s=sight.time_s))
    return tuple(shots)
