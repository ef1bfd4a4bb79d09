"""From a creative's file to the few upright RGB pictures that a model looks at."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image

from adology import Struct
from adology_media import MediaSettings, pixels
from adology_media.animation import HASTY_MS, HASTY_SHOWN_MS, count_frames
from adology_media.films import read_film
from adology_media.opening import opened
from adology_media.sniff import Format, sniff

SIDE = 320
"""Longest side of frames, unless others are asked for; the model looks at 256."""
JPEG_QUALITY = 95
MOST_ANIMATION_FRAMES = 200
MOST_ANIMATION_PIXELS = 100_000_000
"""An animation is looked at this far: each frame can be drawn only after those before it."""


class Sight(Struct, frozen=True, kw_only=True):
    """One picture; `time_s` seconds from the start, None for a still."""

    picture: Image.Image
    time_s: float | None = None


class Sights(Struct, frozen=True, kw_only=True):
    """The pictures of one creative in order of time, never none.

    `duration_s` is None for stills and where unknown. `damaged`: parts could not be decoded, and
    were not looked at.
    """

    pictures: tuple[Sight, ...]
    duration_s: float | None = None
    damaged: bool = False


def look(
    path: Path, *, frames: int, max_pixels: int, analyzer: str, scratch: Path | None = None, side: int = SIDE
) -> Sights:
    """A picture, at most 640 a side; of a video or an animation at most `frames` pictures, evenly spread.

    What the bytes are decides, never the name. `side` is the longest of a video's frames. `analyzer`
    is whose setting max_pixels errors name. Files for the time being go to `scratch`.

    Raises:
        MediaUnusableError: it is no picture or video, is broken, or larger than `max_pixels`.
    """
    format_ = sniff(path)
    if format_.kind == "video":
        return _film(path, format_, frames, max_pixels, scratch, side)
    animation = count_frames(path, format_.name, limit=MediaSettings().max_frames)
    with opened(path, format_, max_pixels=max_pixels, analyzer=analyzer) as image:
        if animation.frames > 1:
            return _animation(image, animation.frames, frames)
        if format_.name != "jpeg":
            image.load()  # before EXIF is asked for, which swallows decoders' errors
        turned = pixels.orientation(image)
        small, _ = pixels.shrink(image)
        return Sights(pictures=(Sight(picture=pixels.turn(small, turned)),))


def _film(path: Path, format_: Format, frames: int, max_pixels: int, scratch: Path | None, side: int) -> Sights:
    """The frames that the media analyzer would take, without its sound."""
    settings = MediaSettings(
        max_pixels=max_pixels,
        keyframes=frames,
        keyframe_side=side,
        thumbnail_side=16,
        jpeg_quality=JPEG_QUALITY,
        loudness_s=0.0,
    )
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        facts = read_film(path, format_, settings, lambda name, _type: Path(folder) / name)
        pictures = []
        for frame in facts.keyframes:
            with Image.open(Path(folder) / frame.name) as image:
                pictures.append(Sight(picture=image.convert("RGB"), time_s=frame.time_s))
    return Sights(pictures=tuple(pictures), duration_s=facts.duration_s, damaged=facts.decode_errors > 0)


def _animation(image: Image.Image, there: int, frames: int) -> Sights:
    """The first frame must be readable; later ones are looked at as far as they are."""
    reach = max(1, min(there, MOST_ANIMATION_FRAMES, MOST_ANIMATION_PIXELS // max(1, image.width * image.height)))
    wanted = {(2 * i + 1) * reach // (2 * frames) for i in range(frames)}
    found: list[Sight] = []
    at_ms = 0.0
    for number in range(max(wanted) + 1):
        try:
            image.seek(number)
            picture = pixels.shrink(image.copy())[0] if number in wanted or number == 0 else None
        except Exception:  # decoders raise anything on hostile bytes
            if number == 0:
                raise
            break
        if picture is not None:
            found.append(Sight(picture=picture, time_s=round(at_ms / 1000, 3)))
        shown = float(image.info.get("duration") or 0)
        at_ms += shown if shown > HASTY_MS else HASTY_SHOWN_MS
    else:
        return Sights(pictures=_chosen(found, 0 in wanted))
    return Sights(pictures=_chosen(found, 0 in wanted), damaged=True)


def _chosen(found: list[Sight], first_wanted: bool) -> tuple[Sight, ...]:
    """Without the first frame, which was read to see whether there is any, unless nothing else is left."""
    return tuple(found) if first_wanted or len(found) == 1 else tuple(found[1:])
