"""Changes of shot that take their time: the middle is a mixture of what was and what comes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from adology_video.compare import CHANGED, alike, block_differences, changed_share, live_pixels

Small = NDArray[np.uint8]
Times = NDArray[np.float64]

DISSOLVED = 0.6
"""Share of the living blocks that a dissolve changes at least."""
OTHER_SCENE = 0.7
"""Above this correlation a slow change is taken for movement or light."""

HALVES_S = (0.15, 0.25, 0.4, 0.6, 0.9)
"""Half lengths of the dissolves that are looked for."""
STRIDE_S = 0.05
MIXED = 0.25
"""Most of the difference between both ends that a mixture of them may leave unexplained."""
JUMP = 0.5
"""A dissolve has no single step of more than this share of the whole."""
APART_S = 0.5


def find_dissolves(
    times: Times,
    small: Small,
    steps: NDArray[np.float64],
    live: NDArray[np.bool_],
    blocked: Sequence[int],
) -> list[int]:
    """Frames in the middle of dissolves. None reaches over a frame in `blocked`."""
    walls = np.array(sorted(blocked), dtype=np.int64)
    middles = _stride(times)
    candidates: list[tuple[float, int, float]] = []
    for half in HALVES_S:
        left = np.searchsorted(times, times[middles] - half - 1e-6)
        right = np.searchsorted(times, times[middles] + half + 1e-6, side="right") - 1
        whole = (times[middles] - half >= times[0] - 1e-6) & (times[middles] + half <= times[-1] + 1e-6)
        free = np.searchsorted(walls, left, side="right") == np.searchsorted(walls, right, side="right")
        wide = (middles - left >= 2) & (right - middles >= 2)  # noqa: PLR2004 - quarters must be frames of their own
        for at in np.flatnonzero(whole & free & wide):
            unexplained = _mixture(small, steps, live, int(left[at]), int(middles[at]), int(right[at]))
            if unexplained is not None:
                candidates.append((unexplained, int(middles[at]), half))
    return _best_apart(times, candidates)


def _stride(times: Times) -> NDArray[np.int64]:
    """Frames at least STRIDE_S apart."""
    wanted = np.arange(times[0], times[-1], STRIDE_S)
    return np.unique(np.searchsorted(times, wanted)).astype(np.int64)


def _mixture(
    small: Small, steps: NDArray[np.float64], live: NDArray[np.bool_], left: int, middle: int, right: int
) -> float | None:
    """How badly the middle is a mixture of both ends, in [0, MIXED]; None where it is none."""
    pixels = live_pixels(live)
    old, new = (small[i][:, pixels].astype(np.float32) for i in (left, right))
    way = new - old
    size = float(np.square(way).sum())
    if (
        np.abs(way).sum(axis=0).mean() < CHANGED
        or steps[left + 1 : right + 1].max() > JUMP * np.abs(way).sum(axis=0).mean()
    ):
        return None
    worst, weights = 0.0, []
    for index in ((left + middle) // 2, middle, (middle + right + 1) // 2):
        gone = small[index][:, pixels].astype(np.float32) - old
        weight = float((gone * way).sum()) / size
        weights.append(weight)
        worst = max(worst, float(np.square(gone - weight * way).sum() / size) ** 0.5)
    first, half, last = weights
    if worst > MIXED or not (0.3 <= half <= 0.7 and first < half - 0.08 and last > half + 0.08):  # noqa: PLR2004 - rising
        return None
    share = float(changed_share(block_differences(small[left : left + 1], small[right : right + 1]), live)[0])
    if share < DISSOLVED or alike(small[left], small[right], live, OTHER_SCENE):
        return None
    return worst + abs(half - 0.5)


def _best_apart(times: Times, candidates: Sequence[tuple[float, int, float]]) -> list[int]:
    """The best of those that mean the same change: (what it leaves unexplained, frame, half length)."""
    kept: list[tuple[int, float]] = []
    for _, index, half in sorted(candidates):
        if all(abs(times[index] - times[other]) >= APART_S + max(half, taken) / 2 for other, taken in kept):
            kept.append((index, half))
    return sorted(index for index, _ in kept)
