"""The colours that make up a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adology_media.model import Colour

SIDE = 128
COLOURS = 5
BIN_BITS = 4
MERGE_WITHIN = 48.0
"""Euclidean RGB distance under which two colours are one to a reader of a palette."""
LEADERS = 64
FLAT_BELOW = 2.0
"""Standard deviation of luminance, of 255, under which a picture counts as one flat tone."""


def palette(picture: Image.Image) -> tuple[Colour, ...]:
    """The five commonest colours of an RGB picture, each the mean of its pixels, commonest first."""
    small = picture.copy()
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    pixels = np.asarray(small, dtype=np.float64).reshape(-1, 3)
    means, counts = _bins(pixels)
    groups = _merge(means, counts)
    top = sorted(groups, key=lambda group: (-group[0], tuple(group[1])))[:COLOURS]
    return tuple(Colour(hex=_hex(total / count), share=round(count / len(pixels), 4)) for count, total in top)


def tone(picture: Image.Image) -> tuple[float, bool]:
    """Mean luminance in [0, 1], and whether the picture is one flat tone."""
    values = np.asarray(picture.convert("L"), dtype=np.float64)
    return round(float(values.mean()) / 255.0, 4), bool(values.std() < FLAT_BELOW)


def _bins(pixels: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean colour and count of each occupied cell of a coarse RGB grid, commonest first."""
    cell = pixels.astype(np.int64) >> (8 - BIN_BITS)
    keys = (cell[:, 0] << 2 * BIN_BITS) | (cell[:, 1] << BIN_BITS) | cell[:, 2]
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(inverse, weights=pixels[:, c], minlength=len(counts)) for c in range(3)], axis=1)
    order = np.argsort(-counts, kind="stable")
    return (sums / counts[:, None])[order], counts[order]


def _merge(means: NDArray[np.float64], counts: NDArray[np.int64]) -> list[tuple[int, NDArray[np.float64]]]:
    """Pixel count and colour sum of groups of near colours; each joins the nearest commoner one."""
    leaders = means[:1]
    groups: list[tuple[int, NDArray[np.float64]]] = [(int(counts[0]), means[0] * counts[0])]
    for mean, count in zip(means[1:], counts[1:], strict=True):
        distances = np.linalg.norm(leaders - mean, axis=1)
        nearest = int(distances.argmin())
        if distances[nearest] <= MERGE_WITHIN:
            have, total = groups[nearest]
            groups[nearest] = (have + int(count), total + mean * count)
        elif len(groups) < LEADERS:
            leaders = np.vstack([leaders, mean])
            groups.append((int(count), mean * count))
    return groups


def _hex(colour: NDArray[np.float64]) -> str:
    return "#" + "".join(f"{min(255, round(float(channel))):02x}" for channel in colour)
