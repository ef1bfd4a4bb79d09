"""Facts of still and animated pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

from PIL import Image

from adology.errors import MediaUnusableError
from adology_media import pixels
from adology_media.animation import Animation, count_frames
from adology_media.derive import Derive, save_jpeg
from adology_media.model import MediaFacts
from adology_media.opening import opened
from adology_media.palette import palette, tone
from adology_media.phash import phash
from adology_media.settings import MediaSettings
from adology_media.shapes import classify
from adology_media.sniff import Format

PILLOW_COUNTS = frozenset({"avif"})
"""Formats whose frames the decoder counts from the header; for the others we walk the file."""

SHRINKS_ON_LOAD = "jpeg"
"""The format that is decoded at a fraction of its size once the wanted size is known."""


def read_picture(path: Path, format_: Format, settings: MediaSettings, derive: Derive) -> MediaFacts:
    """Everything we measure of a picture, its thumbnail written.

    Raises:
        MediaUnusableError: too large, broken or cut off.
    """
    animation = count_frames(path, format_.name, limit=settings.max_frames)
    with opened(path, format_, max_pixels=settings.max_pixels, analyzer="media") as image:
        size, mode = image.size, image.mode
        if format_.name != SHRINKS_ON_LOAD:
            # Before anything else: looking for EXIF decodes some formats, and swallows their errors.
            image.load()
        value = pixels.orientation(image)
        if format_.name in PILLOW_COUNTS:
            animation = _counted(image, settings.max_frames)
        small, transparent = pixels.shrink(image)
    mirrored, rotated, _ = pixels.UPRIGHT.get(value, (False, 0, ()))
    upright = pixels.turn(small, value)
    width, height = (size[1], size[0]) if rotated in (90, 270) else size
    luminance, flat = tone(upright)
    return MediaFacts(
        kind="image",
        format=format_.name,
        mime=format_.mime,
        width=width,
        height=height,
        size_bytes=path.stat().st_size,
        aspect_ratio=round(width / height, 4),
        aspect_class=classify(width / height),
        rotated=cast("Literal[0, 90, 180, 270]", rotated),
        mirrored=mirrored,
        color_mode=mode,
        transparent=transparent,
        flat=flat,
        luminance=luminance,
        palette=palette(upright),
        phash=phash(upright),
        animated=animation.frames > 1,
        frame_count=animation.frames,
        duration_s=animation.duration_s,
        thumbnail=save_jpeg(derive, "thumbnail.jpg", upright, settings.thumbnail_side, settings.jpeg_quality),
    )


def _counted(image: Image.Image, limit: int) -> Animation:
    frames = getattr(image, "n_frames", 1)
    if frames > limit:
        raise MediaUnusableError(
            f"the animation has {frames} frames, {limit} are allowed",
            hint="The limit is the media analyzer's setting max_frames.",
        )
    return Animation(frames=frames)
