"""One sheet that shows a film: its pictures in order of time, each with the time below."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from adology_video.model import Box, Tile
from adology_video.stills import Still

WIDTH = 1280
GAP = 14
LABEL = 26
TALLEST = 320
"""Tallest tile, pixels: tall films get more columns."""
PAPER = (248, 248, 246)
INK = (60, 60, 58)
EDGE = (214, 214, 210)
FONT_SIZE = 15
FEWEST_COLUMNS = 2
MOST_COLUMNS = 8


def draw_sheet(stills: Sequence[Still]) -> tuple[Image.Image, tuple[Tile, ...]]:
    """The sheet, RGB, and where on it each still is. `stills`: at least one, of one size."""
    pictures = [still.open().convert("RGB") for still in stills]
    columns = _columns(len(pictures), pictures[0].width / pictures[0].height)
    wide = (WIDTH - GAP * (columns + 1)) // columns
    high = max(1, min(2 * TALLEST, round(wide * pictures[0].height / pictures[0].width)))
    rows = math.ceil(len(pictures) / columns)
    sheet = Image.new("RGB", (WIDTH, GAP + rows * (high + LABEL + GAP)), PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(FONT_SIZE)
    tiles = []
    for number, (still, picture) in enumerate(zip(stills, pictures, strict=True)):
        left = GAP + number % columns * (wide + GAP)
        top = GAP + number // columns * (high + LABEL + GAP)
        width = max(1, min(wide, round(high * picture.width / picture.height)))  # less in films like skyscrapers
        sheet.paste(picture.resize((width, high), Image.Resampling.LANCZOS), (left, top))
        draw.rectangle((left - 1, top - 1, left + width, top + high), outline=EDGE)
        draw.text((left + wide / 2, top + high + LABEL / 2 + 1), clock(still.time_s), INK, font, "mm")
        tiles.append(Tile(time_s=still.time_s, box=_shares(sheet, left, top, left + width, top + high)))
    return sheet, tuple(tiles)


def clock(time_s: float) -> str:
    """``0:07.5``."""
    tenths = math.floor(time_s * 10 + 1e-6)
    return f"{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"


def _columns(count: int, ratio: float) -> int:
    """So many that no tile is taller than TALLEST, and no more than there are tiles, or two."""
    needed = math.ceil(WIDTH / (TALLEST * ratio + GAP))
    even = 3 if count in (3, 5, 6, 9) else 4
    return min(MOST_COLUMNS, max(FEWEST_COLUMNS, needed, min(count, even)))


def _shares(sheet: Image.Image, left: int, top: int, right: int, bottom: int) -> Box:
    width, height = sheet.size
    return round(left / width, 4), round(top / height, 4), round(right / width, 4), round(bottom / height, 4)
