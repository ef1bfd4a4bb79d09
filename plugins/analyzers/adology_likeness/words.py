"""Tokens: short hashes of keypoints that creatives of one origin share, and others hardly do.

The signs of a descriptor's lowest frequencies (over rows, columns and directions) are close to
what a learned codebook would keep, and need no table. A mirrored keypoint has the same token: of
the two hashes, of it and of its mirror image, the smaller one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from adology_likeness.keypoints import MIRROR, NUMBERS, Points

FREQUENCIES = (
    # Rows, columns, directions, phase; and about which value half of all keypoints are above.
    (0, 0, 1, 0, 0.077), (0, 0, 2, 0, 0.125), (0, 1, 1, 0, -0.004), (0, 0, 1, 1, 0.0), (1, 0, 1, 1, 0.003),
    (0, 3, 1, 0, 0.001), (1, 0, 2, 0, 0.0), (0, 2, 1, 0, -0.062), (0, 1, 0, 0, 0.006), (0, 1, 2, 0, -0.003),
    (2, 0, 1, 1, 0.0), (1, 0, 0, 0, 0.0), (0, 0, 2, 1, 0.0), (1, 0, 2, 1, 0.002), (3, 0, 1, 1, 0.0),
    (1, 1, 1, 1, 0.027), (0, 1, 1, 1, 0.0), (0, 2, 2, 0, -0.034), (0, 1, 2, 1, 0.0), (1, 1, 1, 0, 0.0),
    (1, 2, 1, 1, -0.001), (2, 1, 1, 1, 0.0), (0, 2, 0, 0, -0.115), (1, 2, 1, 0, 0.0), (1, 0, 1, 0, 0.0),
)  # fmt: skip
BITS = 22


@cache
def _waves() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    row, column, direction = np.meshgrid(np.arange(4), np.arange(4), np.arange(8), indexing="ij")
    waves = np.empty((NUMBERS, BITS), np.float64)
    for i, (rows, columns, turns, phase, _) in enumerate(FREQUENCIES[:BITS]):
        wave = np.cos(np.pi * rows * (2 * row + 1) / 8) * np.cos(np.pi * columns * (2 * column + 1) / 8)
        wave = wave * (np.sin if phase else np.cos)(2 * np.pi * turns * direction / 8)
        waves[:, i] = wave.ravel() / np.linalg.norm(wave)
    return waves.astype(np.float32), np.array([f[4] for f in FREQUENCIES[:BITS]], np.float32)


def words(points: Points) -> list[str]:
    """The token of every keypoint, in their order."""
    waves, middles = _waves()
    weights = 1 << np.arange(BITS, dtype=np.int64)
    one, other = (((about @ waves) > middles) @ weights for about in (points.about, points.about[:, MIRROR]))
    return [f"{token:x}" for token in np.minimum(one, other).tolist()]


def first_words(ranked: Sequence[Sequence[str]], most: int) -> tuple[str, ...]:
    """At most `most` different tokens, in turns from the pictures, the first of each before the second of any."""
    longest = max(map(len, ranked), default=0)
    turns: Iterable[str] = (tokens[i] for i in range(longest) for tokens in ranked if i < len(tokens))
    return tuple(islice(dict.fromkeys(turns), most))
