"""Keypoints of a picture: SIFT (David Lowe, 2004) with square-rooted descriptors of 4 bits a number.

SIFT and not ORB: cropped, enlarged and recoloured pictures keep enough of it, and mirroring a
picture only reorders the numbers of a descriptor, so mirrored pictures need nothing stored twice.
Square roots: Arandjelović and Zisserman, "Three things everyone should know" (2012), section 2.
"""

from __future__ import annotations

import base64
import binascii
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 400
"""Longest side of the picture in which keypoints are looked for."""
LARGEST_ZOOM = 2.0
MOST = 96
LOOKED_FOR = 400
CELLS = 4
"""The picture is divided into this many rows and columns, from each of which some keypoints are taken first."""
CONTRAST = 0.02
EDGE = 12.0
NUMBERS = 128
LEVELS = 15
HIGHEST = 0.42
"""Square roots of the numbers of unit-sum descriptors hardly exceed this."""
PLACE = 65535
RECORD = np.dtype([("x", "<u2"), ("y", "<u2"), ("size", "u1"), ("angle", "u1"), ("about", "u1", (NUMBERS // 2,))])


class Points(NamedTuple):
    """`places` (n, 2): x and y as shares of the longest side; `sizes` (n,) likewise; `angles` (n,) in radians.

    `about` (n, 128): descriptors of length 1.
    """

    places: NDArray[np.float32]
    sizes: NDArray[np.float32]
    angles: NDArray[np.float32]
    about: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.places)


NONE = Points(
    np.zeros((0, 2), np.float32),
    np.zeros(0, np.float32),
    np.zeros(0, np.float32),
    np.zeros((0, NUMBERS), np.float32),
)


def _mirror_order() -> NDArray[np.int64]:
    """Where the numbers of a descriptor stand in that of the mirrored picture: rows turn over, so do directions."""
    row, column, direction = np.meshgrid(np.arange(4), np.arange(4), np.arange(8), indexing="ij")
    order: NDArray[np.int64] = (((3 - row) * 4 + column) * 8 + (-direction) % 8).ravel()
    return order


MIRROR = _mirror_order()


@cache
def _detector() -> Any:
    import cv2  # noqa: PLC0415 - optional, and slow to import

    # Its stubs lack SIFT.
    return cv2.SIFT_create(  # type: ignore[attr-defined]
        nfeatures=LOOKED_FOR, contrastThreshold=CONTRAST, edgeThreshold=EDGE
    )


def find_points(grey: NDArray[np.uint8], most: int = MOST) -> Points:
    """The keypoints of a grey picture, strongest first, some from every part of it."""
    import cv2  # noqa: PLC0415 - optional, and slow to import

    height, width = grey.shape
    longest = max(height, width)
    zoom = min(LARGEST_ZOOM, SIDE / longest)
    size = (max(8, round(width * zoom)), max(8, round(height * zoom)))
    looked_at = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)
    found, about = _detector().detectAndCompute(looked_at, None)
    if not found:
        return NONE
    raw = np.array([(*p.pt, p.size, p.angle, p.response) for p in found], np.float64)
    chosen = _choose(raw, looked_at.shape[1], looked_at.shape[0], most)
    raw, about = raw[chosen], about[chosen]
    rooted = np.sqrt(about / np.maximum(about.sum(axis=1, keepdims=True), 1e-6))
    span = zoom * longest
    return Points(
        (raw[:, :2] / span).astype(np.float32),
        (raw[:, 2] / span).astype(np.float32),
        np.radians(raw[:, 3]).astype(np.float32),
        rooted.astype(np.float32),
    )


def _choose(raw: NDArray[np.float64], width: int, height: int, most: int) -> list[int]:
    """Strong and large ones last longest under changes; a crop or panel must not take all of them away."""
    score = raw[:, 4] * np.sqrt(raw[:, 2])
    # Ties are broken by place: the detector's order is not promised.
    order = np.lexsort((raw[:, 3], raw[:, 0], raw[:, 1], -score))
    cell = np.minimum(CELLS - 1, (raw[:, 1] / height * CELLS).astype(int)) * CELLS
    cell += np.minimum(CELLS - 1, (raw[:, 0] / width * CELLS).astype(int))
    allowed = max(1, most // (CELLS * 2))
    taken: list[int] = []
    rest: list[int] = []
    counts = np.zeros(CELLS * CELLS, int)
    for i in order:
        counts[cell[i]] += 1
        (taken if counts[cell[i]] <= allowed else rest).append(int(i))
    return (taken + rest)[:most]


def mirrored(points: Points) -> Points:
    """The keypoints of the mirrored picture, as far as detection is symmetric; x runs below 0."""
    places = points.places * np.array([-1, 1], np.float32)
    return Points(places, points.sizes, (np.pi - points.angles).astype(np.float32), points.about[:, MIRROR])


def pack(points: Points) -> str:
    """The keypoints as text: 70 bytes each, in base64."""
    records = np.zeros(len(points), RECORD)
    if len(points):
        places = np.clip(np.round(points.places * PLACE), 0, PLACE)
        records["x"], records["y"] = places[:, 0], places[:, 1]
        records["size"] = np.clip(np.round(-np.log2(np.maximum(points.sizes, 1e-6)) * 16), 0, 255)
        records["angle"] = np.round(points.angles / (2 * np.pi) * 256).astype(int) % 256
        levels = np.clip(np.round(points.about * (LEVELS / HIGHEST)), 0, LEVELS).astype(np.uint8)
        records["about"] = levels[:, ::2] << 4 | levels[:, 1::2]
    return base64.b64encode(records.tobytes()).decode("ascii")


def unpack(packed: str) -> Points:
    """The keypoints that `pack` stored.

    Raises:
        ValueError: it is no such text.
    """
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"keypoints are not stored as base64: {error}") from error
    if len(data) % RECORD.itemsize:
        raise ValueError(f"keypoints take {RECORD.itemsize} bytes each; {len(data)} are stored")
    records = np.frombuffer(data, RECORD)
    about = np.empty((len(records), NUMBERS), np.float32)
    about[:, ::2], about[:, 1::2] = records["about"] >> 4, records["about"] & LEVELS
    about /= np.maximum(np.linalg.norm(about, axis=1, keepdims=True), 1e-6)
    places = (np.stack([records["x"], records["y"]], axis=1) / PLACE).astype(np.float32)
    sizes = np.exp2(-records["size"].astype(np.float32) / 16).astype(np.float32)
    angles = (records["angle"] * (2 * np.pi / 256)).astype(np.float32)
    return Points(places, sizes, angles, about)
