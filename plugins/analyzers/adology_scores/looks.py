"""Measures of pixels: colourfulness, clutter, contrast, and where the eye may go first.

Everything is measured on pictures made small, so that an ad in two sizes measures alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adology_scores.evidence import Box

SIDE = 256
"""Longest side of what is measured."""

EDGE_LOW, EDGE_HIGH = 60, 140
"""Canny's thresholds, on 8-bit grey smoothed a little."""

MAP = 64
"""Side of the saliency map; Hou and Zhang 2007 work at this scale."""

SMOOTH = 2.5
FLAT = 2.0
"""A picture whose grey values spread less than this (of 255) has nothing that stands out."""

Pixels = NDArray[np.uint8]
Map = NDArray[np.float64]


@dataclass(frozen=True)
class Looks:
    """Pixel measures of one picture; `saliency` sums to 1, None where nothing stands out."""

    colourfulness: float
    edge_density: float
    luminance_contrast: float
    saliency: Map | None


def measure_looks(picture: Image.Image) -> Looks:
    """The measures of one upright RGB picture of any size."""
    pixels = small(picture)
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    return Looks(
        colourfulness=colourfulness(pixels),
        edge_density=edge_density(grey),
        luminance_contrast=float(grey.std()) / 255,
        saliency=saliency(grey),
    )


def small(picture: Image.Image) -> Pixels:
    """The picture at its working size; smaller ones are enlarged, as screens do."""
    scale = SIDE / max(picture.size)
    wanted = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    pixels = np.asarray(picture.convert("RGB"), dtype=np.uint8)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, wanted, interpolation=how), dtype=np.uint8)


def colourfulness(pixels: Pixels) -> float:
    """Hasler and Süsstrunk 2003: spread of opponent colours, plus 0.3 of how far their mean is from grey."""
    red, green, blue = (pixels[..., channel].astype(np.float64) for channel in range(3))
    across, along = red - green, 0.5 * (red + green) - blue
    return float(np.hypot(across.std(), along.std()) + 0.3 * np.hypot(across.mean(), along.mean()))


def edge_density(grey: Pixels) -> float:
    """Share of pixels on an edge."""
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.0)
    return float((cv2.Canny(smooth, EDGE_LOW, EDGE_HIGH) > 0).mean())


def saliency(grey: Pixels) -> Map | None:
    """Spectral residual (Hou and Zhang 2007): what the log spectrum has beyond its local mean. Sums to 1."""
    scaled = cv2.resize(grey, (MAP, MAP), interpolation=cv2.INTER_AREA).astype(np.float64)
    if scaled.std() < FLAT:
        return None
    spectrum = np.fft.fft2(scaled)
    amplitude = np.log1p(np.abs(spectrum))
    residual = amplitude - cv2.blur(amplitude, (3, 3), borderType=cv2.BORDER_REPLICATE)
    back = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    found = cv2.GaussianBlur(back, (0, 0), SMOOTH)
    total = float(found.sum())
    return np.asarray(found / total, dtype=np.float64) if total > 0 else None


def entropy(found: Map) -> float:
    """Entropy of the map over that of an even one, in [0, 1]."""
    shares = found[found > 0]
    return float(-(shares * np.log(shares)).sum() / np.log(found.size))


def mass(found: Map, boxes: Sequence[Box]) -> float:
    """Share of the map under the boxes, overlaps once."""
    under = np.zeros(found.shape, dtype=bool)
    height, width = found.shape
    for left, top, right, bottom in boxes:
        under[round(top * height) : max(round(top * height) + 1, round(bottom * height)),
              round(left * width) : max(round(left * width) + 1, round(right * width))] = True  # fmt: skip
    return float(found[under].sum())
