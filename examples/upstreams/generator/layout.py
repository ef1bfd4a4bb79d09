"""Where headline, thing, price and button go, and text that fits where it goes."""

from __future__ import annotations

import msgspec
from PIL import Image, ImageDraw

from upstreams.generator.fonts import Font, Typeface
from upstreams.generator.scenes import Palette, Rgb

Box = tuple[int, int, int, int]
Share = tuple[float, float, float, float]
_LEAST_PX = 9
_BANNER = 3.0
_WIDE = 1.3
WHITE: Rgb = (255, 255, 255)


class Layout(msgspec.Struct, frozen=True):
    """Areas as shares of the picture's width and height: left, top, right, bottom."""

    headline: Share
    thing: Share
    price: Share
    button: Share


_LAYOUTS = {
    "banner": Layout((0.14, 0.12, 0.62, 0.88), (0.02, 0.1, 0.12, 0.95), (0.63, 0.2, 0.79, 0.8), (0.81, 0.2, 0.98, 0.8)),
    "wide": Layout((0.05, 0.1, 0.55, 0.5), (0.6, 0.18, 0.92, 0.9), (0.05, 0.54, 0.32, 0.7), (0.05, 0.76, 0.36, 0.91)),
    "tall": Layout((0.07, 0.06, 0.93, 0.28), (0.26, 0.34, 0.74, 0.78), (0.6, 0.68, 0.95, 0.79), (0.2, 0.85, 0.8, 0.94)),
}


class Words(msgspec.Struct, frozen=True):
    """What is written on a picture."""

    headline: str
    price: str
    button: str


def layout_for(size: tuple[int, int]) -> Layout:
    """The layout for a picture's shape."""
    ratio = size[0] / size[1]
    return _LAYOUTS["banner" if ratio > _BANNER else "wide" if ratio > _WIDE else "tall"]


def place(share: Share, size: tuple[int, int]) -> Box:
    """An area in pixels."""
    width, height = size
    return int(share[0] * width), int(share[1] * height), int(share[2] * width), int(share[3] * height)


def write_words(picture: Image.Image, words: Words, palette: Palette, typeface: Typeface) -> dict[str, Box]:
    """Write headline, price and button; the boxes that their text (for the button: its face) takes up."""
    layout = layout_for(picture.size)
    draw = ImageDraw.Draw(picture, "RGBA")
    boxes = {"headline": _write_headline(draw, words.headline, place(layout.headline, picture.size), typeface)}
    area = place(layout.price, picture.size)
    draw.rounded_rectangle(area, (area[3] - area[1]) // 3, fill=(*palette.dark, 225))
    boxes["price"] = _write(draw, [words.price], _inner(area), typeface, WHITE)
    area = place(layout.button, picture.size)
    draw.rounded_rectangle(area, (area[3] - area[1]) // 2, fill=palette.accent)
    _write(draw, [words.button], _inner(area), typeface, _ink_on(palette.accent))
    boxes["button"] = area
    return boxes


def _write_headline(draw: ImageDraw.ImageDraw, text: str, area: Box, typeface: Typeface) -> Box:
    draw.rounded_rectangle(area, max(2, (area[3] - area[1]) // 12), fill=(0, 0, 0, 110))
    return _write(draw, text.split(), _inner(area), typeface, WHITE)


def _write(draw: ImageDraw.ImageDraw, words: list[str], area: Box, typeface: Typeface, colour: Rgb) -> Box:
    """Text as large as fits into `area`, centred, broken between `words`; the box of its ink."""
    font, lines = _fit(draw, words, area, typeface)
    joined = "\n".join(lines)
    middle = ((area[0] + area[2]) / 2, (area[1] + area[3]) / 2)
    draw.multiline_text(middle, joined, colour, font, anchor="mm", align="center", spacing=font.size * 0.15)
    left, top, right, bottom = draw.multiline_textbbox(
        middle, joined, font, anchor="mm", align="center", spacing=font.size * 0.15
    )
    return int(left), int(top), int(right) + 1, int(bottom) + 1


def _fit(draw: ImageDraw.ImageDraw, words: list[str], area: Box, typeface: Typeface) -> tuple[Font, list[str]]:
    width, height = area[2] - area[0], area[3] - area[1]
    size = float(max(_LEAST_PX, min(height, width // 3)))
    while True:
        font = typeface.at(int(size))
        lines = _wrap(words, font, width)
        box = draw.multiline_textbbox((0, 0), "\n".join(lines), font, spacing=font.size * 0.15)
        if (box[2] - box[0] <= width and box[3] - box[1] <= height) or size <= _LEAST_PX:
            return font, lines
        size = max(_LEAST_PX, size * 0.92)


def _wrap(words: list[str], font: Font, width: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


def _inner(area: Box) -> Box:
    """The area less a margin."""
    margin = max(2, min(area[2] - area[0], area[3] - area[1]) // 8)
    return area[0] + margin, area[1] + margin, area[2] - margin, area[3] - margin


def _ink_on(colour: Rgb) -> Rgb:
    red, green, blue = colour
    return (20, 20, 24) if red * 0.3 + green * 0.6 + blue * 0.1 > 130 else WHITE
