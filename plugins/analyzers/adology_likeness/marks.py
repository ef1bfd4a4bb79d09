"""Marks on pictures: where there is detail, where it agrees, what leaves the surroundings of the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
"""(height, width), 0 to 255."""
Mask = NDArray[np.bool_]
STEP = 26.0
"""Levels by which a pixel must leave the other's surroundings to count as other."""
NEARLY_ALL = 0.88
BOX = 7
STRONG = 14.0


def grey(picture: NDArray[np.float32]) -> Grey:
    """The brightness of an RGB picture."""
    return np.asarray(picture @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)


def steps(grey: Grey) -> Grey:
    """How much the brightness changes between neighbours, levels."""
    import cv2  # noqa: PLC0415 - optional, and slow to import

    return np.asarray(
        np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=0.25), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=0.25))
    )


def most(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The highest of the channels; NumPy is slow at short last axes."""
    highest: NDArray[np.float32] = values[..., 0]
    for channel in range(1, values.shape[-1]):
        highest = np.maximum(highest, values[..., channel])
    return highest


def outside(one: NDArray[np.float32], other: NDArray[np.float32], reach: int) -> Grey:
    """By how many levels a pixel leaves the range that the other picture has within `reach`, in any colour."""
    import cv2  # noqa: PLC0415 - optional, and slow to import

    window = np.ones((2 * reach + 1,) * 2, np.uint8)
    above, below = one - cv2.dilate(other, window), cv2.erode(other, window) - one
    return np.maximum(most(np.maximum(above, below)), 0)


def with_tints(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """With two more channels: between black and white lies yellow, as far as red, green and blue are concerned."""
    red, green, blue = (picture[..., i] for i in range(3))
    return np.stack([red, green, blue, red - blue, (red - green) + (blue - green)], axis=-1)


def clean(mask: Mask) -> Mask:
    """Without single pixels."""
    import cv2  # noqa: PLC0415 - optional, and slow to import

    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0)


def going_together(one: Grey, other: Grey) -> tuple[Grey, Mask]:
    """How much the detail of both goes the same way, in [-1, 1], and where both have plenty of it."""
    import cv2  # noqa: PLC0415 - optional, and slow to import

    def mean(values: Grey) -> Grey:
        return np.asarray(cv2.boxFilter(values, -1, (BOX, BOX)))

    x, y = one - mean(one), other - mean(other)
    first, second = np.maximum(mean(x * x), 0), np.maximum(mean(y * y), 0)
    alike = mean(x * y) / (np.sqrt(first * second) + 4.0)
    return np.asarray(alike), np.asarray((first > STRONG**2) & (second > STRONG**2))


def all_around(mask: Mask) -> Mask:
    """Where next to all of the surroundings are in the mask."""
    import cv2  # noqa: PLC0415 - optional, and slow to import

    return np.asarray(cv2.boxFilter(mask.astype(np.float32), -1, (BOX, BOX)) > NEARLY_ALL)


def flatness(picture: NDArray[np.float32], area: Mask, step: float = STEP) -> float:
    """The share of the area within some levels of its usual colour."""
    values = picture[area]
    if not values.size:
        return 0.0
    middle = np.median(values, axis=0)
    return float((most(np.abs(values - middle)) < step).mean())
