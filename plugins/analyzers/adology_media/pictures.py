"""Facts of still and animated pictures."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, cast

from PIL import Image, UnidentifiedImageError

from adology.errors import AdologyError, MediaUnusableError, describe
from adology_media import pixels
from adology_media.animation import Animation, count_frames
from adology_media.derive import Derive, save_jpeg
from adology_media.model import MediaFacts
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
    with _pillow(format_.name, settings.max_pixels), Image.open(path, formats=(format_.reader,)) as image:
        _check_size(image.size, settings.max_pixels)
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


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise _too_large(f"{size[0]} x {size[1]} = {size[0] * size[1]} pixels", max_pixels)
    if min(size) < 1:
        raise MediaUnusableError(f"the picture has no pixels: it is {size[0]} x {size[1]}")


def _too_large(seen: str, max_pixels: int) -> MediaUnusableError:
    return MediaUnusableError(
        f"the picture has {seen}, {max_pixels} are allowed",
        hint="The limit is the media analyzer's setting max_pixels.",
    )


@contextmanager
def _pillow(name: str, max_pixels: int) -> Iterator[None]:
    """Pillow with our pixel limit, silent about what it repairs; whatever it raises becomes our error.

    Its limit and the warning filters belong to the process. That is fine: this analyzer runs in
    a process of its own, one creative at a time.
    """
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except AdologyError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        seen = re.search(r"\d+ pixels", str(error))
        raise _too_large(seen.group() if seen else "too many pixels", max_pixels) from error
    except Exception as error:
        # Decoders raise anything on hostile bytes: SyntaxError, TypeError, struct.error, MemoryError.
        raise MediaUnusableError(f"the {name} picture cannot be decoded whole: {_reason(error)}") from error
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "its header makes no sense to the decoder"
    return describe(error)
