"""Two pictures laid over each other in the way that fits best."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adology_likeness import keypoints, pictures
from adology_likeness.align import Alignment, align
from adology_likeness.differ import Difference, differ
from adology_likeness.keypoints import Points
from adology_likeness.laying import settle
from adology_likeness.model import Shot

KEPT_ENOUGH = 0.93
"""Of the detail; below that the transformation is moved a little to see whether more is."""
SURE_POINTS = 8
WORTH_SETTLING = 5
FEW_POINTS = 24
"""With more keypoints in both, some would agree if one lay squarely over the other."""
HALF = 0.5
PARTLY = 0.8
"""With less in common than this, laying one squarely over the other is tried as well."""
LEAST_DETAIL = 0.01
KEPT_SQUARELY = 0.6
"""Of the detail: where so much lies in its place already, no other way of laying it counts."""
REMEMBERED = 512
FRAME_POINTS = 64
"""Keypoints found anew in a frame."""


class Seen(NamedTuple):
    """A remembered picture, ready to compare."""

    points: Points
    turned: Points
    """Those of the mirrored picture."""
    pixels: NDArray[np.float32]


class Overlay(NamedTuple):
    """One picture over another: how it lies there, and what differs."""

    alignment: Alignment
    difference: Difference


@lru_cache(REMEMBERED)
def see(shot: Shot) -> Seen:
    """What is kept of a picture, unpacked.

    Raises:
        ValueError: it is damaged.
    """
    pixels = pictures.shown(shot)
    if shot.points:
        points = keypoints.unpack(shot.points)
    else:
        points = pictures.find(Image.fromarray(pixels.astype(np.uint8), "RGB"), FRAME_POINTS)
    return Seen(points, keypoints.mirrored(points), pixels)


def lay_over(a: Seen, b: Seen) -> Overlay | None:
    """The best of what the keypoints say, and of laying one squarely over the other; None: nothing fits."""
    alignments = align(a.points, b.points)
    worth = [one for one in alignments if one.inliers * 2 >= alignments[0].inliers]
    found = [one for alignment in worth if (one := _try(a, b, alignment)) is not None]
    if min(len(a.points), len(b.points)) < FEW_POINTS and not any(_is_sure(one) for one in found):
        found += [one for mirror in (False, True) if (one := _try(a, b, squarely(a, b, mirror))) is not None]
    best = max(found, key=_fit, default=None)
    if best is None or best.difference.bordered or min(best.difference[:2]) >= PARTLY:
        return best
    return _in_its_place(a, b) or best


def _in_its_place(a: Seen, b: Seen) -> Overlay | None:
    """One squarely over the other, where they agree that way: a template whose symmetric product also fits turned."""
    square = squarely(a, b, mirror=False)
    difference = differ(a.pixels, b.pixels, square.matrix, mirror=False)
    if difference is None or difference.kept < KEPT_SQUARELY or difference.detail < LEAST_DETAIL:
        return None
    return Overlay(square, difference)


def _is_sure(one: Overlay) -> bool:
    return one.alignment.inliers >= SURE_POINTS and one.difference.kept > HALF


def _fit(one: Overlay) -> float:
    difference = one.difference
    return difference.kept * (1 - difference.covered) * min(1.0, 0.3 + one.alignment.inliers / SURE_POINTS)


def _try(a: Seen, b: Seen, alignment: Alignment) -> Overlay | None:
    difference = differ(a.pixels, b.pixels, alignment.matrix, alignment.mirror)
    if difference is None:
        return None
    best = Overlay(alignment, difference)
    if difference.kept < KEPT_ENOUGH and (alignment.inliers >= WORTH_SETTLING or alignment.inliers == 0):
        matrix = settle(a.pixels, b.pixels, alignment.matrix, alignment.mirror)
        settled = None if matrix is None else differ(a.pixels, b.pixels, matrix, alignment.mirror)
        if matrix is not None and settled is not None and settled.kept > difference.kept:
            best = Overlay(alignment._replace(matrix=matrix), settled)
    return best


def squarely(a: Seen, b: Seen, mirror: bool) -> Alignment:
    """Corner on corner, stretched where the shapes differ."""
    (height, width), (other_height, other_width) = a.pixels.shape[:2], b.pixels.shape[:2]
    x = other_width / max(other_height, other_width) * max(height, width) / width
    y = other_height / max(other_height, other_width) * max(height, width) / height
    shift = width / max(height, width) * x if mirror else 0.0
    return Alignment(np.array([[x, 0.0, shift], [0.0, y, 0.0]]), mirror, 0, 1.0)
