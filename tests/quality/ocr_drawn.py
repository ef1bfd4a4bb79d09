"""Creatives drawn with known truth: small text, pale text, prices in many forms."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSansCondensed.ttf", "")
"""Where a font is not installed, Pillow's own stands in, as it does for the empty name."""

LINES = (
    "Summer sale ends Sunday", "Free shipping over $50", "Terms and conditions apply", "New season trainers",
    "Shop the collection", "Only while stocks last", "Up to 70% off everything", "Sign up and save today",
    "Built to last a lifetime", "Rated excellent by 12,400 people", "Order before 6 pm", "See store for details",
    "Limited edition of 500", "Made from recycled wool", "Representative APR 9.9%", "Offer valid until 30 June 2026",
)  # fmt: skip
SIZES = ((300, 250), (728, 90), (320, 480), (1080, 1080), (1200, 628))
NORMAL, SMALL, PALE = "normal", "small", "low contrast"


@dataclass(frozen=True)
class Drawn:
    """A picture, its true lines, and the price among them, if it has one."""

    picture: NDArray[np.uint8]
    lines: tuple[str, ...]
    kind: str
    price: str = ""


def font(name: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font at a size in pixels."""
    try:
        return ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
    except OSError:
        return ImageFont.load_default(size)


def creatives(
    kind: str, count: int, photos: Sequence[Path], *, seed: int = 1, sizes: Sequence[tuple[int, int]] = SIZES
) -> Iterator[Drawn]:
    """Ads of one kind: `small` has letters of 9 to 12 px, `low contrast` a ratio of about 1.6."""
    chance = random.Random(f"{kind}{seed}")
    for _ in range(count):
        size = chance.choice(sizes)
        picture = background(size, photos, chance)
        lines = chance.sample(LINES, 4 if size[1] > 100 else 2)
        height = chance.randint(9, 12) if kind == SMALL else chance.randint(18, max(19, min(40, size[1] // 6)))
        yield Drawn(_draw(picture, lines, height, kind, chance), tuple(lines), kind)


def background(size: tuple[int, int], photos: Sequence[Path], chance: random.Random) -> Image.Image:
    """A photo, or one colour."""
    if not photos or chance.random() < 0.4:
        return Image.new("RGB", size, tuple(chance.randint(0, 255) for _ in range(3)))
    with Image.open(chance.choice(list(photos))) as photo:
        photo.draft("RGB", size)
        return photo.convert("RGB").resize(size)


def _draw(
    picture: Image.Image, lines: Sequence[str], height: int, kind: str, chance: random.Random
) -> NDArray[np.uint8]:
    drawing = ImageDraw.Draw(picture)
    name = chance.choice(FONTS)
    # What does not fit is made smaller, as a designer would.
    widest = max(drawing.textlength(line, font=font(name, 100)) for line in lines) / 100
    height = min(height, int((0.86 * picture.width - 8) / widest), int((0.8 * picture.height) / (1.9 * len(lines))))
    face = font(name, height)
    x, y = chance.randint(6, max(7, picture.width // 14)), chance.randint(4, max(5, picture.height // 8))
    for line in lines:
        left, top, right, bottom = (round(at) for at in drawing.textbbox((x, y), line, font=face))
        # Half of the lines stand on a panel, as in most ads.
        panel = kind == PALE or chance.random() < 0.5
        under = np.asarray(picture.crop((left, top, max(right, left + 1), max(bottom, top + 1))))
        level = int(under.mean())
        if panel:
            level = chance.choice((30, 70, 180, 235))
            drawing.rectangle((left - 4, top - 3, right + 4, bottom + 3), fill=(level,) * 3)
        ink = (255 if level < 128 else 0,) * 3
        if kind == PALE:
            ink = (min(255, level + 32),) * 3 if level < 128 else (level - 48,) * 3
        drawing.text((x, y), line, font=face, fill=ink)
        y = bottom + max(4, height // 2)
    return compressed(picture, chance)


def compressed(picture: Image.Image, chance: random.Random) -> NDArray[np.uint8]:
    """As a JPEG of middling quality leaves it."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=chance.choice((70, 80, 90)))
    return np.asarray(Image.open(file).convert("RGB"), dtype=np.uint8)


def prices(count: int, photos: Sequence[Path], *, seed: int = 1) -> Iterator[Drawn]:
    """Ads with one price each, most of them small and straight on a photo, where marks get lost."""
    chance = random.Random(f"prices{seed}")
    for _ in range(count):
        size = chance.choice(((300, 250), (300, 250), (600, 500), (970, 250)))
        picture = background(size, photos, chance)
        text, amount = _price(chance)
        line = chance.choice(("{}", "Now {}", "{} each", "only {}")).format(text)
        height = chance.choice((9, 11, 13, 16, 20, 28, 40))
        lines = ("Trail running shoes", line, "Shop now")
        yield Drawn(_draw(picture, lines, height, NORMAL, chance), lines, NORMAL, price=amount)


def _price(chance: random.Random) -> tuple[str, str]:
    whole, cents = chance.choice((chance.randint(1, 99), chance.randint(100, 2999))), chance.choice((99, 95, 49, 50, 0))
    form = chance.randrange(6)
    if form < 3:
        sign = "$€£"[form]
        return f"{sign}{whole:,}.{cents:02}", f"{whole}.{cents:02}"
    if form == 3:
        return f"{whole},{cents:02} €", f"{whole}.{cents:02}"
    return f"${whole:,}" if form == 4 else f"£{whole}", str(whole)
