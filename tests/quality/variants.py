"""What advertisers and platforms do to a picture: the changes under which it must be found again."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

Change = Callable[[Image.Image], Image.Image]


def _middle(share: float) -> Change:
    """The middle of the picture, `share` of its area."""

    def change(picture: Image.Image) -> Image.Image:
        width, height = picture.size
        x, y = (round(side * (1 - share**0.5) / 2) for side in (width, height))
        return picture.crop((x, y, max(x + 1, width - x), max(y + 1, height - y)))

    return change


def _corner(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return picture.crop((0, 0, max(1, round(0.8 * width)), max(1, round(0.8 * height))))


def _scaled(x: float, y: float) -> Change:
    def change(picture: Image.Image) -> Image.Image:
        width, height = picture.size
        return picture.resize((max(1, round(x * width)), max(1, round(y * height))), Image.Resampling.BICUBIC)

    return change


def _recompressed(picture: Image.Image) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=15)
    with Image.open(file) as image:
        return image.convert("RGB")


def _warm(picture: Image.Image) -> Image.Image:
    return picture.convert("RGB", (1.2, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 0.75, 0))


def _bright(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Contrast(ImageEnhance.Brightness(picture).enhance(1.35)).enhance(0.8)


def _grey(picture: Image.Image) -> Image.Image:
    return ImageOps.grayscale(picture).convert("RGB")


def _panel(picture: Image.Image) -> Image.Image:
    """A coloured bar with words over the lower 28 %."""
    changed = picture.copy()
    width, height = changed.size
    drawing = ImageDraw.Draw(changed)
    drawing.rectangle((0, round(0.72 * height), width, height), fill=(20, 30, 90))
    font = ImageFont.load_default(max(8, round(0.1 * height)))
    drawing.text((round(0.05 * width), round(0.79 * height)), "SUMMER SALE 50% OFF", fill="white", font=font)
    return changed


def _written(picture: Image.Image) -> Image.Image:
    """Large words across the middle."""
    changed = picture.copy()
    width, height = changed.size
    font = ImageFont.load_default(max(8, round(0.14 * height)))
    place = (round(0.08 * width), round(0.35 * height))
    ImageDraw.Draw(changed).multiline_text(place, "NEW SEASON\nSHOP NOW", fill=(255, 240, 0), font=font)
    return changed


def _border(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return ImageOps.expand(picture, border=(round(0.1 * width), round(0.1 * height)), fill="white")


CHANGES: dict[str, Change] = {
    "crop to 80 %": _middle(0.8),
    "crop to 50 %": _middle(0.5),
    "corner": _corner,
    "resize to 30 %": _scaled(0.3, 0.3),
    "other aspect": _scaled(0.8, 1.0),
    "JPEG quality 15": _recompressed,
    "warmer": _warm,
    "brighter, flatter": _bright,
    "grey": _grey,
    "panel": _panel,
    "words": _written,
    "mirrored": ImageOps.mirror,
    "white border": _border,
    "crop to 70 % and panel": lambda picture: _panel(_middle(0.7)(picture)),
}
