"""How much two small pictures differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 32
BLOCK = 2
BLOCKS = SIDE // BLOCK
CHUNK = 128
"""Pictures compared at once: bounds memory."""
MOVED = (-1, 0, 1)
"""Pixels by which a block may have moved without having changed."""
STIRRED = 30
"""Range over the whole film from which a block lives: above what codecs make of a still picture."""
SMALLEST_AREA = 0.28
"""Share of the picture that always counts as living: changes within less are captions, not cuts."""
CHANGED = 22.0
"""Sum of the differences of the three channels, of 765, from which a block has changed."""
SHIFT = 2
FEWEST_QUARTERS = 3
CONTRAST = 3.0
"""Standard deviation of light below which a quarter of a picture says nothing."""


def block_differences(old: NDArray[np.uint8], new: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean over each block of the summed differences of its channels: (n, BLOCKS, BLOCKS), 0 to 765.

    The nearest of nine positions counts. `old` and `new`: (n, 3, SIDE, SIDE).
    """
    found = np.empty((len(new), BLOCKS, BLOCKS), np.float32)
    for at in range(0, len(new), CHUNK):
        part = slice(at, at + CHUNK)
        found[part] = _differences(old[part].astype(np.int16), new[part].astype(np.int16))
    return found


def _differences(old: NDArray[np.int16], new: NDArray[np.int16]) -> NDArray[np.float32]:
    padded = np.pad(old, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    best = np.full((len(new), BLOCKS, BLOCKS), np.iinfo(np.int16).max, np.int16)
    for down in MOVED:
        for right in MOVED:
            moved = padded[:, :, 1 + down : 1 + down + SIDE, 1 + right : 1 + right + SIDE]
            apart = np.abs(moved - new).sum(axis=1, dtype=np.int16)
            blocks = apart[:, ::2, ::2] + apart[:, 1::2, ::2] + apart[:, ::2, 1::2] + apart[:, 1::2, 1::2]
            np.minimum(best, blocks, out=best)
    means: NDArray[np.float32] = best.astype(np.float32) / np.float32(BLOCK**2)
    return means


def live_blocks(small: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The blocks that ever change: (BLOCKS, BLOCKS). All of them where nearly nothing does."""
    reach = (small.max(axis=0).astype(np.int16) - small.min(axis=0)).sum(axis=0)
    blocks = reach.reshape(BLOCKS, BLOCK, BLOCKS, BLOCK).mean(axis=(1, 3)) > STIRRED
    return blocks if blocks.mean() >= SMALLEST_AREA / 2 else np.ones_like(blocks)


def area(live: NDArray[np.bool_]) -> float:
    """Blocks that a change is measured against."""
    return max(float(live.sum()), SMALLEST_AREA * live.size)


def changed_share(differences: NDArray[np.float32], live: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of the living blocks that have changed, for each of n differences."""
    shares: NDArray[np.float64] = (differences > CHANGED).sum(axis=(1, 2)) / area(live)
    return shares


def live_pixels(live: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The same as a mask of pixels, (SIDE, SIDE)."""
    return np.repeat(np.repeat(live, BLOCK, axis=0), BLOCK, axis=1)


def alike(a: NDArray[np.uint8], b: NDArray[np.uint8], live: NDArray[np.bool_], correlation: float) -> bool:
    """Whether the light of both pictures runs the same, however bright, also when a little moved.

    Only living blocks are compared: what stands still around a film is alike by nature.
    """
    inner = (slice(SHIFT, -SHIFT),) * 2
    seen = live_pixels(live)[inner]
    first = a[0][inner][seen].astype(np.float32)
    for down in range(-SHIFT, SHIFT + 1):
        for right in range(-SHIFT, SHIFT + 1):
            moved = np.roll(b[0], (down, right), axis=(0, 1))[inner][seen].astype(np.float32)
            if _correlation(first, moved) >= correlation:
                return True
    return False


def unlike_everywhere(a: NDArray[np.uint8], b: NDArray[np.uint8], live: NDArray[np.bool_], correlation: float) -> bool:
    """Whether every quarter that lives and has contrast runs otherwise in light; at least three must.

    Two pictures of one colour are told apart by this, as far as they have texture.
    """
    seen = live_pixels(live)
    seen[:SHIFT], seen[-SHIFT:], seen[:, :SHIFT], seen[:, -SHIFT:] = False, False, False, False
    half, judged = SIDE // 2, 0
    for part in ((slice(top, top + half), slice(left, left + half)) for top in (0, half) for left in (0, half)):
        pixels = seen[part]
        first = a[0][part][pixels].astype(np.float32)
        if pixels.sum() < pixels.size / 4 or min(first.std(), b[0][part][pixels].std()) < CONTRAST:
            continue
        judged += 1
        for down in range(-SHIFT, SHIFT + 1):
            for right in range(-SHIFT, SHIFT + 1):
                moved = np.roll(b[0], (down, right), axis=(0, 1))[part][pixels].astype(np.float32)
                if _correlation(first, moved) >= correlation:
                    return False
    return judged >= FEWEST_QUARTERS


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    x, y = a - a.mean(), b - b.mean()
    size = float(np.sqrt(np.square(x).sum() * np.square(y).sum()))
    # Pictures without any contrast are like nothing.
    return float((x * y).sum()) / size if size > a.size else 0.0
