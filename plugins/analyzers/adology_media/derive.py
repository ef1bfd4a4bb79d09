"""Derived JPEGs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

GAP = 1.0
"""Whole multiples of the wanted size are averaged, which is exact and fast; the rest is the filter's."""

Derive = Callable[[str, str], Path]
"""`Context.derive`: name and content type → the path to write to."""


def save_jpeg(derive: Derive, name: str, picture: Image.Image, side: int, quality: int) -> str:
    """Write an RGB picture with its longest side at most `side`; never enlarged. Gives `name` back."""
    small = picture.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=GAP)
    small.save(derive(name, "image/jpeg"), "JPEG", quality=quality, optimize=True)
    return name
