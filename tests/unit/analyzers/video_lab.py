"""What the tests of the video and transcript analyzers share: a run of the analyzer, films with sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adology import Context, MediaItem
from adology_video import VideoAnalyzer, VideoFacts, VideoSettings
from tests.quality.video_drawn import Frame, camera, picture
from tests.unit.analyzers.media_files import film


@dataclass(frozen=True)
class Seen:
    """What the analyzer said, and the files that it made by name."""

    facts: VideoFacts
    derived: dict[str, Path]

    def picture(self, name: str) -> Image.Image:
        with Image.open(self.derived[name]) as image:
            return image.convert("RGB")


def item_of(path: Path, results: dict[str, Any] | None = None) -> MediaItem:
    return MediaItem(
        sha256="0" * 64,
        path=path,
        kind="video",
        content_type="video/mp4",
        size_bytes=path.stat().st_size,
        results=results or {},
    )


def run(path: Path, scratch: Path, results: dict[str, Any] | None = None, **settings: Any) -> Seen:
    """The video analyzer on a file; settings as keywords."""
    scratch.mkdir(exist_ok=True)
    context = Context("video", VideoSettings(**settings), scratch=scratch)
    facts = VideoAnalyzer().analyze(context, item_of(path, results))
    return Seen(facts, {made.name: made.path for made in context.derived})


def shots(lengths: Sequence[int], *, seed: int = 0) -> list[Image.Image]:
    """Frames of shots of different scenes, each of so many frames, cameras drifting."""
    return [
        Image.fromarray(frame, "RGB")
        for number, length in enumerate(lengths)
        for frame in _drift(picture(seed + number), number, length)
    ]


def _drift(base: Frame, seed: int, count: int) -> list[Frame]:
    look = camera(base, seed)
    return [look(number / 25) for number in range(count)]


def cut_film(path: Path, lengths: Sequence[int], *, fps: int = 25, **options: Any) -> Path:
    return film(path, shots(lengths), fps=fps, **options)


def speech_like(seconds: float, *, level: float = 0.3) -> NDArray[np.float32]:
    """Bursts of sound with pauses, mono."""
    t = np.arange(int(48_000 * seconds)) / 48_000
    wave = level * np.sin(2 * np.pi * 220 * t) * (np.sin(2 * np.pi * 3 * t) > 0)
    return wave.astype(np.float32)[None]
