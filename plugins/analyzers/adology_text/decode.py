"""Pictures at full size, upright, RGB on white; frames of videos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from adology.errors import MediaUnusableError
from adology_media import pixels
from adology_media.containers import open_video, short, video_stream
from adology_media.moments import Moment, Scout, Watcher, shown_size
from adology_media.opening import opened, too_large
from adology_media.sniff import Format
from adology_text.boxes import Pixels
from adology_text.settings import TextSettings

MICROSECONDS = 1_000_000
SIXTEEN_BIT = "I;16"
HINT = "The limit is the text analyzer's setting {}."


def open_picture(path: Path, format_: Format, max_pixels: int) -> Pixels:
    """The first frame as people see it.

    Raises:
        MediaUnusableError: too large, broken or cut off.
    """
    with opened(path, format_, max_pixels=max_pixels, analyzer="text") as image:
        image.load()
        value = pixels.orientation(image)
        return np.asarray(pixels.turn(_on_white(image), value), dtype=np.uint8)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith(SIXTEEN_BIT):
        # Pillow would cut everything above 255 off.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8), "L")
    elif image.mode in ("I", "F"):
        values = np.nan_to_num(np.asarray(image, dtype=np.float32))
        span = float(np.ptp(values)) or 1.0
        image = Image.fromarray(((values - values.min()) / span * 255).astype(np.uint8), "L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image).convert("RGB")
    return image.convert("RGB")


@dataclass(frozen=True)
class Film:
    """Frames of a video, made smaller to the setting frame_side; its own size as people see it."""

    moments: tuple[Moment, ...]
    width: int
    height: int


def open_film(path: Path, format_: Format, settings: TextSettings) -> Film:
    """Frames in the middles of equal parts of the video, in order of time.

    Raises:
        MediaUnusableError: too large, too long, without pictures, or none decodes.
    """
    try:
        return _watch(path, format_, settings)
    except (av.FFmpegError, ValueError, ArithmeticError) as error:
        # Arithmetic: damaged headers hold times and sizes that no number can.
        raise MediaUnusableError(f"the {format_.name} video cannot be decoded: {short(error)}") from error


def _watch(path: Path, format_: Format, settings: TextSettings) -> Film:
    with open_video(path, format_) as container, open_video(path, format_) as other:
        stream = video_stream(container)
        size = stream.codec_context.width * stream.codec_context.height
        if size > settings.max_pixels:
            raise too_large(f"{size} pixels", settings.max_pixels, "text")
        if stream.duration and stream.time_base:
            duration_s = float(stream.duration * stream.time_base)
        else:
            duration_s = (container.duration or 0) / MICROSECONDS
        if duration_s > settings.max_duration_s:
            raise MediaUnusableError(
                f"the video lasts {duration_s:.0f} s, {settings.max_duration_s:.0f} s are allowed",
                hint=HINT.format("max_duration_s"),
            )
        watcher = Watcher(
            container,
            stream,
            Scout(other, video_stream(other)),
            side=settings.frame_side,
            budget=settings.decode_megapixels * MICROSECONDS,
            max_pixels=settings.max_pixels,
        )
        look = watcher.look(max(0.0, duration_s), _frames(duration_s, settings.frames))
        width, height = shown_size(stream.codec_context.width, stream.codec_context.height, stream.sample_aspect_ratio)
    if look.turned in (90, 270):
        width, height = height, width
    if not look.moments:
        raise MediaUnusableError(f"no frame of the {format_.name} video can be decoded")
    return Film(moments=look.moments, width=width, height=height)


def _frames(duration_s: float, most: int) -> int:
    """One frame a second, at least two, `most` at most: text that is meant to be read stays that long."""
    return max(1, min(most, max(2, round(duration_s))))
