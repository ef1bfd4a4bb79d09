"""Photo-like pictures: light that falls off, blurred lights, grain, and a thing with a shadow."""

from __future__ import annotations

import colorsys
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from upstreams.generator.words import Shape

Rgb = tuple[int, int, int]
Rng = np.random.Generator
_TILE = 512


class Palette:
    """Colours that go together: a dark and a light ground, the thing's colour, an accent."""

    def __init__(self, rng: Rng, hue: float) -> None:
        self.dark = _rgb(hue, 0.45 + 0.3 * rng.random(), 0.22 + 0.2 * rng.random())
        self.light = _rgb(hue + 0.06 * rng.standard_normal(), 0.25 + 0.2 * rng.random(), 0.85)
        self.thing = _rgb(hue + 0.45 + 0.1 * rng.random(), 0.65, 0.8)
        self.accent = _rgb(hue + 0.5, 0.85, 0.95)


def draw_scene(rng: Rng, size: tuple[int, int], palette: Palette) -> Image.Image:
    """A blurred room or street: uneven light, bokeh, a floor, grain."""
    height = size[1]
    light = _smooth(rng, size, 4)
    floor = np.clip((np.linspace(0, 1, height)[:, None] - 0.62) * 3.0, 0, 1) * 0.35
    mix = np.clip(light * 0.9 + _smooth(rng, size, 9) * 0.25 - floor, 0, 1)[..., None]
    ground = np.array(palette.dark) * (1 - mix) + np.array(palette.light) * mix
    picture = Image.fromarray(ground.astype(np.uint8))
    picture = _add_bokeh(rng, picture, palette)
    pixels = np.asarray(picture, np.int16) + _grain(rng, size)[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def add_thing(picture: Image.Image, shape: Shape, box: tuple[int, int, int, int], colour: Rgb) -> None:
    """Draw a product into `box`, lit from the left, with a shadow on the ground."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    mask = Image.new("L", (width * 2, height * 2))
    _SHAPES[shape](ImageDraw.Draw(mask), width * 2, height * 2)
    mask = mask.resize((width, height), Image.Resampling.BOX)
    across = np.linspace(-1, 1, width)[None, :]
    down = np.linspace(0, 1, height)[:, None]
    shade = np.clip(1.05 - 0.55 * (across - 0.1) ** 2 - 0.25 * down, 0.25, 1.1)
    gloss = np.exp(-(((across + 0.45) / 0.12) ** 2)) * 90
    body = np.clip(np.array(colour) * shade[..., None] + gloss[..., None], 0, 255).astype(np.uint8)
    shadow = Image.new("L", picture.size)
    depth = max(2, height // 14)
    ImageDraw.Draw(shadow).ellipse((left, bottom - depth, right + width // 5, bottom + depth), fill=150)
    picture.paste((12, 12, 16), mask=shadow.filter(ImageFilter.GaussianBlur(depth)))
    picture.paste(Image.fromarray(body), (left, top), mask)


def _rgb(hue: float, saturation: float, value: float) -> Rgb:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(1.0, saturation), min(1.0, value))
    return int(red * 255), int(green * 255), int(blue * 255)


def _smooth(rng: Rng, size: tuple[int, int], cells: int) -> NDArray[np.float32]:
    """Smooth random light between 0 and 1."""
    grid = Image.fromarray((rng.random((cells, cells)) * 255).astype(np.uint8))
    return np.asarray(grid.resize(size, Image.Resampling.BICUBIC), np.float32) / np.float32(255)


def _grain(rng: Rng, size: tuple[int, int]) -> NDArray[np.int16]:
    """Film grain: one tile of noise, repeated from a random place. Fresh noise costs more than the rest."""
    width, height = size
    tile = (rng.standard_normal((_TILE, _TILE)) * 5).astype(np.int16)
    rows, columns = math.ceil(height / _TILE) + 1, math.ceil(width / _TILE) + 1
    return np.tile(tile, (rows, columns))[:height, :width]


def _add_bokeh(rng: Rng, picture: Image.Image, palette: Palette) -> Image.Image:
    """Blurred lights, drawn at a quarter of the size: they have no edges to lose."""
    small = (max(8, picture.width // 4), max(8, picture.height // 4))
    lights = Image.new("RGB", small)
    draw = ImageDraw.Draw(lights)
    for _ in range(int(rng.integers(10, 28))):
        radius = int(rng.integers(2, max(4, min(small) // 6)))
        x, y = int(rng.integers(0, small[0])), int(rng.integers(0, int(small[1] * 0.8)))
        near = palette.light if rng.random() < 0.6 else palette.accent
        glow = 0.15 + 0.5 * rng.random()
        colour = tuple(int(channel * glow) for channel in near)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    lights = lights.filter(ImageFilter.GaussianBlur(max(1.0, min(small) / 60)))
    return ImageChops.screen(picture, lights.resize(picture.size, Image.Resampling.BILINEAR))


def _bottle(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
    draw.rounded_rectangle((w * 0.22, h * 0.32, w * 0.78, h), w * 0.1, fill=255)
    draw.polygon([(w * 0.22, h * 0.4), (w * 0.42, h * 0.2), (w * 0.58, h * 0.2), (w * 0.78, h * 0.4)], fill=255)
    draw.rectangle((w * 0.4, h * 0.02, w * 0.6, h * 0.22), fill=235)


def _box(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
    draw.polygon([(w * 0.1, h * 0.15), (w * 0.7, h * 0.08), (w * 0.7, h), (w * 0.1, h * 0.93)], fill=255)
    draw.polygon([(w * 0.7, h * 0.08), (w * 0.92, h * 0.16), (w * 0.92, h * 0.9), (w * 0.7, h)], fill=190)


def _cup(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
    draw.polygon([(w * 0.12, h * 0.25), (w * 0.75, h * 0.25), (w * 0.65, h), (w * 0.22, h)], fill=255)
    draw.ellipse((w * 0.12, h * 0.17, w * 0.75, h * 0.33), fill=225)
    draw.arc((w * 0.6, h * 0.35, w * 0.98, h * 0.75), -100, 110, fill=255, width=max(2, w // 14))


def _ring(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
    draw.arc((w * 0.1, h * 0.04, w * 0.9, h * 1.1), 180, 360, fill=255, width=max(3, w // 11))
    for left in (0.02, 0.72):
        draw.rounded_rectangle((w * left, h * 0.5, w * (left + 0.26), h), w * 0.1, fill=245)


def _bag(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
    draw.arc((w * 0.32, 0, w * 0.68, h * 0.4), 180, 360, fill=230, width=max(3, w // 16))
    draw.rounded_rectangle((w * 0.12, h * 0.18, w * 0.88, h), w * 0.18, fill=255)
    draw.rounded_rectangle((w * 0.24, h * 0.55, w * 0.76, h * 0.93), w * 0.06, fill=215)


_SHAPES = {"bottle": _bottle, "box": _box, "cup": _cup, "ring": _ring, "bag": _bag}
