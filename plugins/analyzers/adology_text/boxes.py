"""Four-cornered places in a picture, in pixels: sizes, overlaps, cutting them out level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Quad = NDArray[np.float64]
"""4 corners x (right, down), clockwise from the line's own upper left."""

Pixels = NDArray[np.uint8]

LEVEL_DEG = 3.0
"""Up to this tilt a line counts as level."""

MASK_SIDE = 1000
"""Longest side of the raster on which areas are counted."""


def size(quad: Quad) -> tuple[float, float]:
    """Length along the line and height across it."""
    width = max(_distance(quad[0], quad[1]), _distance(quad[3], quad[2]))
    height = max(_distance(quad[0], quad[3]), _distance(quad[1], quad[2]))
    return width, height


def _distance(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(np.hypot(*(a - b)))


def bounds(quad: Quad) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    (left, top), (right, bottom) = quad.min(axis=0), quad.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def from_bounds(left: float, top: float, right: float, bottom: float) -> Quad:
    """The level quad."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], dtype=np.float64)


def tilt_deg(quad: Quad) -> float:
    """How far the upper edge is from level, in (-180, 180]."""
    right, down = quad[1] - quad[0]
    return float(np.degrees(np.arctan2(down, right)))


def is_level(quad: Quad) -> bool:
    """Whether it stands level, the right way up."""
    return abs(tilt_deg(quad)) <= LEVEL_DEG


def turned(quad: Quad, quarters: int) -> Quad:
    """The same place, its upper left being the corner `quarters` further on, clockwise."""
    return np.roll(quad, -quarters, axis=0)


def cut_out(picture: Pixels, quad: Quad) -> Pixels:
    """The place, level, at the picture's own scale."""
    width, height = (max(1, round(side)) for side in size(quad))
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float32)
    # Only the neighbourhood is warped: OpenCV refuses sources beyond 32767 pixels.
    left, top, right, bottom = bounds(quad)
    x, y = max(0, int(left) - 2), max(0, int(top) - 2)
    near = picture[y : int(bottom) + 3, x : int(right) + 3]
    if near.size == 0:
        return np.zeros((1, 1, 3), dtype=np.uint8)
    turn = cv2.getPerspectiveTransform((quad - (x, y)).astype(np.float32), target)
    crop = cv2.warpPerspective(near, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, dtype=np.uint8)


def slice_out(picture: Pixels, quad: Quad) -> Pixels:
    """The place with its pixels as they are, where it stands level; else as `cut_out` gives it."""
    if not is_level(quad):
        return cut_out(picture, quad)
    left, top, right, bottom = bounds(quad)
    part = picture[max(0, round(top)) : round(bottom) + 1, max(0, round(left)) : round(right) + 1]
    return part if part.size else cut_out(picture, quad)


def around(quads: Sequence[Quad]) -> Quad:
    """One quad around all: level if they are, else as tilted as the longest of them."""
    points = np.concatenate(list(quads))
    longest = max(quads, key=lambda quad: size(quad)[0])
    if all(is_level(quad) for quad in quads):
        return from_bounds(*bounds(points))
    angle = np.radians(tilt_deg(longest))
    spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(from_bounds(*bounds(points @ spin)) @ spin.T, dtype=np.float64)


def overlap(a: Quad, b: Quad) -> float:
    """Area that the bounding boxes share, over the smaller one's."""
    shared = _along(a, b, 0) * _along(a, b, 1)
    smaller = min(_area(a), _area(b))
    return shared / smaller if smaller > 0 else 0.0


def _area(quad: Quad) -> float:
    left, top, right, bottom = bounds(quad)
    return (right - left) * (bottom - top)


def overlap_exactly(a: Quad, b: Quad) -> float:
    """Area that the quads themselves share, over the smaller one's: tilted neighbours do not count."""
    if overlap(a, b) <= 0:
        return 0.0
    shared, _ = cv2.intersectConvexConvex(a.astype(np.float32), b.astype(np.float32))
    smaller = min(np.prod(size(a)), np.prod(size(b)))
    return float(shared / smaller) if smaller > 0 else 0.0


def _along(a: Quad, b: Quad, axis: int) -> float:
    return max(0.0, float(min(a[:, axis].max(), b[:, axis].max()) - max(a[:, axis].min(), b[:, axis].min())))


def share_along(a: Quad, b: Quad, axis: int) -> float:
    """Length that both cover along an axis (0 right, 1 down), over the shorter one's."""
    shorter = min(float(np.ptp(a[:, axis])), float(np.ptp(b[:, axis])))
    return _along(a, b, axis) / shorter if shorter > 0 else 0.0


def gap(a: Quad, b: Quad, axis: int) -> float:
    """Space between the two along an axis; negative where they overlap."""
    return float(max(a[:, axis].min(), b[:, axis].min()) - min(a[:, axis].max(), b[:, axis].max()))


def covered(quads: Sequence[Quad], width: int, height: int) -> float:
    """Share of the picture under the quads, overlaps counted once."""
    if not quads:
        return 0.0
    scale = min(1.0, MASK_SIDE / max(width, height))
    mask = np.zeros((max(1, round(height * scale)), max(1, round(width * scale))), dtype=np.uint8)
    # Sixteenths of a pixel, since ads are small and so is the raster.
    for quad in quads:
        cv2.fillConvexPoly(mask, np.round(quad * scale * 16).astype(np.int32), 1, shift=4)
    return float(mask.mean())
