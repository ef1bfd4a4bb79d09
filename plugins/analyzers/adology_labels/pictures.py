"""Small pictures of a creative for a model to look at. Runs in a child process: it opens strangers' files."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from adology_open_nsfw import look

QUALITY = 82


def small_pictures(path: str, frames: int, side: int, max_pixels: int) -> list[tuple[float | None, bytes]]:
    """JPEGs of a picture, or of evenly spread frames, no side longer than `side`; with their times in seconds.

    They are drawn anew from the pixels: nothing else of the file (EXIF, comments, profiles) is in them.

    Raises:
        MediaUnusableError: it is no picture or video, is broken, or larger than `max_pixels`.
    """
    sights = look(Path(path), frames=frames, max_pixels=max_pixels, analyzer="labels")
    return [(sight.time_s, _jpeg(sight.picture, side)) for sight in sights.pictures]


def _jpeg(picture: Image.Image, side: int) -> bytes:
    small = Image.new("RGB", picture.size, "white")
    small.paste(picture)
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    small.save(data, "JPEG", quality=QUALITY, optimize=True)
    return data.getvalue()
