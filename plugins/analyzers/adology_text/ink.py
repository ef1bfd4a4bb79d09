"""Letters against what is around them: contrast by WCAG 2, and how high the letters are."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from adology import Struct
from adology_text.boxes import Pixels

LOOKED_AT = 96
"""Crops are measured at most this high."""

FAR = 50
"""Of the letters' pixels those count that are further from the background than this many percent."""

LEAST_RATIO = 1.05
"""Below this there is nothing that stands out."""

ROW_OF_LETTERS = 0.15
"""A row belongs to the letters when it has this much of what the fuller rows have."""

HIGHEST = 0.92
BOX_OVER_LETTERS = 1.45
"""How much higher the finder's boxes are than letters, for lines whose letters cannot be told apart."""


class Ink(Struct, frozen=True, kw_only=True):
    """`height` of the letters as a share of the crop's; contrast None where nothing stands out."""

    height: float
    contrast: float | None


def measure(crop: Pixels) -> Ink:
    """Contrast and letter height of one level line."""
    scale = min(1.0, LOOKED_AT / crop.shape[0])
    if scale < 1.0:
        wanted = (max(1, round(crop.shape[1] * scale)), LOOKED_AT)
        crop = np.asarray(cv2.resize(crop, wanted, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    luminance = relative_luminance(crop)
    letters = find_letters(crop)
    if letters is None:
        return Ink(height=1 / BOX_OVER_LETTERS, contrast=None)
    around = float(np.median(luminance[~letters]))
    distance = np.abs(luminance[letters] - around)
    far = luminance[letters][distance >= np.percentile(distance, FAR)]
    contrast = ratio(float(np.median(far)), around)
    if contrast < LEAST_RATIO:
        return Ink(height=1 / BOX_OVER_LETTERS, contrast=None)
    return Ink(height=_height(letters), contrast=round(contrast, 2))


def find_letters(crop: Pixels) -> NDArray[np.bool_] | None:
    """Which pixels are letters: of the two classes of brightness the one that the rim is not."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    if grey.min() == grey.max():
        return None
    _, split = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    light = np.asarray(split, dtype=bool)
    rim = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    letters = ~light if rim.mean() >= 0.5 else light  # noqa: PLR2004 - the majority
    return letters if 0 < letters.mean() < 1 else None


def relative_luminance(picture: Pixels) -> NDArray[np.float64]:
    """WCAG 2 relative luminance in [0, 1] of sRGB pixels."""
    share = np.arange(256) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 - sRGB's
    values: NDArray[Any] = linear[picture]
    return np.asarray(values @ np.array([0.2126, 0.7152, 0.0722]), dtype=np.float64)


def ratio(a: float, b: float) -> float:
    """WCAG 2 contrast ratio of two luminances, in [1, 21]."""
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


def _height(letters: NDArray[np.bool_]) -> float:
    rows = letters.sum(axis=1)
    full = float(np.percentile(rows, 75))
    inside = np.flatnonzero(rows >= max(1.0, ROW_OF_LETTERS * full))
    share = float(inside[-1] - inside[0] + 1) / len(rows) if len(inside) else 1.0
    # Letters that fill the box are a background that could not be told apart.
    return share if share <= HIGHEST else 1 / BOX_OVER_LETTERS
