"""Still creatives as files: drawn, written in several formats, and their near-duplicates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops

from upstreams.generator.fonts import Typeface
from upstreams.generator.layout import Box, Words, layout_for, place, write_words
from upstreams.generator.scenes import Palette, add_thing, draw_scene
from upstreams.generator.words import Shape

SIZES = {
    "1:1": (720, 720),
    "4:5": (640, 800),
    "9:16": (540, 960),
    "16:9": (960, 540),
    "1.91:1": (1200, 628),
    "300x250": (300, 250),
    "728x90": (728, 90),
}
"""Size by aspect ratio, as the networks ask for."""
FORMATS = {
    ".jpg": ("JPEG", "image/jpeg", {"quality": 86}),
    ".png": ("PNG", "image/png", {"compress_level": 2}),
    ".webp": ("WEBP", "image/webp", {"quality": 80, "method": 1}),
    ".gif": ("GIF", "image/gif", {}),
}
GIF_FRAMES = 3
_SMALLER = 0.6
_WORSE = 45


def draw_picture(
    seed: list[int], size: tuple[int, int], words: Words, shape: Shape, hue: float, typeface: Typeface
) -> tuple[Image.Image, dict[str, Box]]:
    """A creative and the boxes of what is on it."""
    rng = np.random.default_rng(seed)
    palette = Palette(rng, hue)
    picture = draw_scene(rng, size, palette)
    thing = place(layout_for(size).thing, size)
    add_thing(picture, shape, thing, palette.thing)
    boxes = write_words(picture, words, palette, typeface)
    return picture, {**boxes, "product": thing}


def save_picture(picture: Image.Image, path: Path) -> int:
    """Write in the format of the path's ending; the number of frames (a GIF blinks)."""
    kind, _, options = FORMATS[path.suffix]
    if path.suffix != ".gif":
        picture.save(path, kind, **options)
        return 1
    save_gif(picture, path)
    return GIF_FRAMES


def save_gif(picture: Image.Image, path: Path) -> None:
    """A GIF that blinks from dark to bright."""
    frames = [
        ImageChops.multiply(picture, Image.new("RGB", picture.size, (level,) * 3)).quantize(64)
        for level in np.linspace(200, 255, GIF_FRAMES).astype(int).tolist()
    ]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:], duration=400, loop=0)


def save_recompressed(original: Path, path: Path) -> tuple[int, int]:
    """The same picture with stronger compression, as JPEG; its size."""
    with Image.open(original) as opened:
        picture = opened.convert("RGB")
    picture.save(path, "JPEG", quality=_WORSE)
    return picture.size


def save_resized(original: Path, path: Path) -> tuple[int, int]:
    """The same picture at 0.6 of its size, as JPEG; that size."""
    with Image.open(original) as opened:
        picture = opened.convert("RGB")
    size = (int(picture.width * _SMALLER), int(picture.height * _SMALLER))
    options: dict[str, Any] = {"quality": 80}
    picture.resize(size, Image.Resampling.LANCZOS).save(path, "JPEG", **options)
    return size


def scale_box(box: Box, old: tuple[int, int], new: tuple[int, int]) -> Box:
    """A box in a picture of another size."""
    across, down = new[0] / old[0], new[1] / old[1]
    return int(box[0] * across), int(box[1] * down), int(box[2] * across), int(box[3] * down)
