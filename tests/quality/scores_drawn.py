"""Vertical creatives drawn with exactly known text: boxes, heights, contrasts, places beside the free zone."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from adology_scores.inputs import Line, Text
from adology_text.ink import ratio, relative_luminance
from tests.quality.ocr_drawn import FONTS, LINES, font

SIZES = ((1080, 1920), (720, 1280), (540, 960))
CALLS = ("Shop now", "Learn more", "Sign up today", "Order now")
DENSE = 0.2
"""Share of creatives that are full of large lines, as posters are."""

FLAT = 0.4
"""Share of creatives on one colour instead of a photo."""


@dataclass(frozen=True)
class Creative:
    """A picture, and what a perfect reader of text would say of it."""

    picture: NDArray[np.uint8]
    truth: Text


def creatives(count: int, photos: Sequence[Path], *, seed: int = 1) -> Iterator[Creative]:
    """Ads of 1 to 5 lines, each on a panel of its own: only so is a contrast known exactly."""
    chance = random.Random(f"scores{seed}")
    for _ in range(count):
        width, height = chance.choice(SIZES)
        picture = _background((width, height), photos, chance)
        dense = chance.random() < DENSE
        texts = chance.sample(LINES, chance.randint(9, 14) if dense else chance.randint(1, 4))
        if chance.random() < 0.6:
            texts.append(chance.choice(CALLS))
        lines: list[Line] = []
        top = int(height * chance.choice((0.05, 0.145, 0.16, 0.3)))
        for text in texts:
            line, top = _write(picture, text, top, chance, dense=dense)
            if line is not None:
                lines.append(line)
            top += height // 200 if dense else chance.randint(height // 60, height // 6)
        truth = Text(width=width, height=height, lines=tuple(lines))
        yield Creative(_compressed(picture, chance), truth)


def _background(size: tuple[int, int], photos: Sequence[Path], chance: random.Random) -> Image.Image:
    if not photos or chance.random() < FLAT:
        return Image.new("RGB", size, tuple(chance.randint(0, 255) for _ in range(3)))
    with Image.open(chance.choice(list(photos))) as photo:
        photo.draft("RGB", size)
        # Blurred: what stands in a photo by itself is in no truth.
        return photo.convert("RGB").resize(size).filter(ImageFilter.GaussianBlur(size[0] / 90))


def _write(picture: Image.Image, text: str, top: int, chance: random.Random, *, dense: bool) -> tuple[Line | None, int]:
    """One line on its panel; None where there is no more room."""
    width, height = picture.size
    name = chance.choice(FONTS)
    widest = ImageDraw.Draw(picture).textlength(text, font=font(name, 100)) / 100
    share = 0.11 if dense else chance.choice((0.02, 0.025, 0.03, 0.045, 0.07, 0.11))
    size = min(round(width * share), int(0.8 * width / widest))
    face = font(name, size)
    mask = Image.new("L", (width, size * 2))
    x = chance.randint(round(0.02 * width), max(round(0.03 * width), int(0.94 * width - widest * size)))
    ImageDraw.Draw(mask).text((x, size // 4), text, font=face, fill=255)
    box = mask.getbbox()
    assert box is not None
    left, upper, right, lower = box
    if top + size * 3 >= height or right >= width:
        return None, top
    panel, ink = _colours(chance)
    # A quarter stand on panels as tight as captions of stories; most have room, as on buttons.
    pad = round(size * 0.3 if dense else chance.choice((0.3, 0.7, 0.7, 1.1)))
    ImageDraw.Draw(picture).rectangle((left - pad, top + upper - pad, right + pad, top + lower + pad), fill=panel)
    picture.paste(ink, (0, top), mask)
    line = Line(
        text=text,
        box=(left / width, (top + upper) / height, right / width, (top + lower) / height),
        confidence=1.0,
        height_px=float(lower - upper),
        height_share=(lower - upper) / height,
        contrast=_ratio(panel, ink),
    )
    return line, top + lower + pad


def _colours(chance: random.Random) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Panel and ink with a contrast between 2 and 16, as often near WCAG's thresholds as far from them."""
    wanted = chance.choice((2.0, 2.6, 3.4, 4.0, 5.0, 7.0, 12.0))
    while True:
        panel = tuple(chance.randint(0, 255) for _ in range(3))
        towards = chance.choice((0, 255))
        for step in range(5, 101):
            ink = tuple(round(one + (towards - one) * step / 100) for one in panel)
            if _ratio(panel, ink) >= wanted:
                return panel, ink  # type: ignore[return-value]  # of three


def _ratio(a: Sequence[int], b: Sequence[int]) -> float:
    first, second = (float(relative_luminance(np.array([[one]], dtype=np.uint8))[0, 0]) for one in (a, b))
    return ratio(first, second)


def _compressed(picture: Image.Image, chance: random.Random) -> NDArray[np.uint8]:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=chance.choice((75, 85, 95)))
    return np.asarray(Image.open(file).convert("RGB"), dtype=np.uint8)
