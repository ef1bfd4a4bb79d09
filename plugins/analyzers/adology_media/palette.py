"""The colours that make up a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adology_media.model import Colour

SIDE = 128
COLOURS = 5
BIN_BITS = 4
CELLS = 1 << 3 * BIN_BITS
MERGE_WITHIN = 48.0
"""Euclidean RGB distance under which two colours are one to a reader of a palette."""
LEADERS = 64
LEVELS = np.arange(256, dtype=np.int64)
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
    # By counts of the 256 levels: the same numbers as by the pixels, without an array of them.
    counts = np.asarray(picture.convert("L").histogram(), dtype=np.int64)
    total = int(counts.sum())
    mean = int(counts @ LEVELS) / total
    variance = int(counts @ LEVELS**2) / total - mean**2
    return round(mean / 255.0, 4), variance < FLAT_BELOW**2


def _bins(pixels: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean colour and count of each occupied cell of a coarse RGB grid, commonest first."""
    cell = pixels.astype(np.int64) >> (8 - BIN_BITS)
    keys = (cell[:, 0] << 2 * BIN_BITS) | (cell[:, 1] << BIN_BITS) | cell[:, 2]
    # There are few cells: counting all of them takes less than sorting the pixels.
    every = np.bincount(keys, minlength=CELLS)
    taken = np.flatnonzero(every)
    counts = every[taken]
    sums = np.stack([np.bincount(keys, weights=pixels[:, c], minlength=CELLS)[taken] for c in range(3)], axis=1)
    order = np.argsort(-counts, kind="stable")
    return (sums / counts[:, None])[order], counts[order]


def _merge(means: NDArray[np.float64], counts: NDArray[np.int64]) -> list[tuple[int, NDArray[np.float64]]]:
    """Pixel count and colour sum of groups of near colours; each joins the nearest commoner one."""
    leaders = np.empty((LEADERS, 3))
    leaders[0] = means[0]
    groups: list[tuple[int, NDArray[np.float64]]] = [(int(counts[0]), means[0] * counts[0])]
    for mean, count in zip(means[1:], counts[1:], strict=True):
        apart = leaders[: len(groups)] - mean
        squares = np.einsum("ij,ij->i", apart, apart)
        nearest = int(squares.argmin())
        if squares[nearest] <= MERGE_WITHIN**2:
            have, total = groups[nearest]
            groups[nearest] = (have + int(count), total + mean * count)
        elif len(groups) < LEADERS:
            leaders[len(groups)] = mean
            groups.append((int(count), mean * count))
    return groups


def _hex(colour: NDArray[np.float64]) -> str:
    return "#" + "".join(f"{min(255, round(float(channel))):02x}" for channel in colour)
