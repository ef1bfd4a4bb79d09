"""Where one shot ends and the next begins, from small pictures of every frame.

Cuts: most of the picture differs from the frame before, far more than among its neighbours, and
what was there does not come back within the blink of a flash. Dissolves: a frame in the middle is
a mixture of one before and one after, which no camera movement makes. Fades: a stretch without
any picture. What never changes (bars, a frame around the film) does not count. Compared by block
with the nearest of nine positions, so that slow cameras and shaking hands change little.

Pure functions over arrays. The thresholds were set on films drawn with known cuts, over drawn pictures
and photographs, and on joined real clips (see the documentation), not on ads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from adology import Struct
from adology_video.compare import (
    CHANGED,
    alike,
    block_differences,
    changed_share,
    live_blocks,
    live_pixels,
    unlike_everywhere,
)
from adology_video.dissolves import find_dissolves

Small = NDArray[np.uint8]
"""Small pictures of consecutive frames, (n, 3, SIDE, SIDE), YUV."""
Times = NDArray[np.float64]

CUT_SHARE = 0.36
"""Share of the living blocks that a cut changes at least: some pictures are white for the most part."""
EVEN = 0.35
"""The quarter of the picture with the least of a change has so much of it; a window in the picture has none."""
WHOLE = 0.8
"""From this share on it need not be even."""
FEWEST_BLOCKS = 6
OTHER_TEXTURE = 0.75
"""A cut between pictures of the same colours: no quarter of the one correlates more with that of the other."""
SMALLEST_STEP = 6.0
CUT_RATIO = 3.0
CALM = 2.0
"""A cut differs so many times more than its neighbours do in the middle; this much is added to theirs."""
NEIGHBOURS_S = 0.3
FEWEST_NEIGHBOURS = 2
"""On each side, where frames are far apart."""
FLASH_S = 0.3
NEAREST = 3
STANDS_OUT = 1.8
BACK_SHARE = 0.35
"""After a flash, less than this share of the blocks differs from before."""
SHORTEST_S = 0.15
"""Of two cuts within this time only the later counts."""
SAME_SCENE = 0.85
"""Correlation from which two pictures show the same, however light or dark."""

BRIGHT, DARK, PLAIN = 225.0, 26.0, 24
"""Mean light from and up to which a picture without contrast is white or black; light's range in such a one."""
AFTER_FADE_S = 0.7
"""A dissolve so near to black or white is part of the fade."""
LONGEST_BLINK_S = 0.6
"""The same scene before and after so much black is one shot."""
AROUND_S = 0.4

Kind = Literal["cut", "dissolve", "fade"]


class Change(Struct, frozen=True, kw_only=True):
    """A new shot begins `time_s` from the start; in a dissolve that is where both weigh the same."""

    time_s: float
    kind: Kind


def find_changes(times: Times, small: Small) -> list[Change]:
    """The changes of shot, in order of time.

    Args:
        times: seconds from the start, rising, (n,).
        small: the pictures at these times.
    """
    if len(times) < 2:  # noqa: PLR2004 - nothing to compare
        return []
    live = live_blocks(small)
    differences = block_differences(small[:-1], small[1:])
    steps = np.concatenate([[0.0], differences.mean(axis=(1, 2))])
    shares = np.concatenate([[0.0], changed_share(differences, live)])
    shares[1:][~_is_even(differences, live)] = 0.0
    flats = _flat_stretches(small, live)
    cuts = _cuts(times, small, live, _jumps(times, small, live, steps, shares), flats)
    fades = _fades(times, small, live, flats)
    blocked = {*cuts, *fades, *(index for start, end in flats for index in _reach(times, start, end))}
    dissolves = find_dissolves(times, small, steps, live, sorted(blocked))
    kinds: tuple[tuple[Kind, list[int]], ...] = (("cut", cuts), ("fade", fades), ("dissolve", dissolves))
    found = [Change(time_s=float(times[index]), kind=kind) for kind, indexes in kinds for index in indexes]
    return sorted(found, key=lambda change: change.time_s)


def _cuts(
    times: Times,
    small: Small,
    live: NDArray[np.bool_],
    jumps: Sequence[int],
    flats: Sequence[tuple[int, int]],
) -> list[int]:
    """The jumps that are cuts: to another scene, without return, not into or out of black or white."""
    real = [index for index in jumps if not alike(small[index - 1], small[index], live, SAME_SCENE)]
    lasting = _without_flashes(times, small, live, real)
    return _not_too_close(times, [index for index in lasting if not _is_near(index, flats, times)])


def _is_even(differences: NDArray[np.float32], live: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each change is found all over the picture, as far as that lives."""
    share = changed_share(differences, live)
    changed = _quarters(differences > CHANGED)
    living = _quarters(live[None])[0]
    counted = living >= FEWEST_BLOCKS
    if not counted.any():
        return np.ones(len(differences), np.bool_)
    least = (changed[:, counted] / living[counted]).min(axis=1)
    even: NDArray[np.bool_] = (share >= WHOLE) | (least >= EVEN * share)
    return even


def _quarters(blocks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How many blocks of each quarter are set: (n, 4)."""
    half = blocks.shape[1] // 2
    counts: NDArray[np.float64] = (
        blocks.reshape(-1, 2, half, 2, half).sum(axis=(2, 4)).reshape(-1, 4).astype(np.float64)
    )
    return counts


def _jumps(
    times: Times, small: Small, live: NDArray[np.bool_], steps: NDArray[np.float64], shares: NDArray[np.float64]
) -> list[int]:
    """Frames that differ far more from the one before than their neighbours do, and all over the picture."""
    found = []
    for index in map(int, np.flatnonzero(steps >= SMALLEST_STEP)):
        ratio = steps[index] / (_usual(times, steps, index) + CALM)
        if ratio < CUT_RATIO or not _stands_out(steps, index):
            continue
        if shares[index] >= CUT_SHARE or unlike_everywhere(small[index - 1], small[index], live, OTHER_TEXTURE):
            found.append(index)
    return found


def _usual(times: Times, steps: NDArray[np.float64], index: int) -> float:
    """How much the frames around `index` differ from each other."""
    low = max(1, min(index - FEWEST_NEIGHBOURS, int(np.searchsorted(times, times[index] - NEIGHBOURS_S))))
    high = int(np.searchsorted(times, times[index] + NEIGHBOURS_S, side="right"))
    around = np.delete(steps[low : max(index + 1 + FEWEST_NEIGHBOURS, high)], index - low)
    return float(np.median(around)) if len(around) else 0.0


def _stands_out(steps: NDArray[np.float64], index: int) -> bool:
    """Whether all but one of the nearest frames change less by far: fast movement lasts longer than that.

    One may change as much: a flash goes as it came, and interlaced films have a frame that is half old, half new.
    """
    nearest = np.delete(steps[max(1, index - NEAREST) : index + NEAREST + 1], min(NEAREST, index - 1))
    return len(nearest) < 2 or steps[index] >= STANDS_OUT * float(np.partition(nearest, -2)[-2])  # noqa: PLR2004 - all but one


def _without_flashes(times: Times, small: Small, live: NDArray[np.bool_], cuts: Sequence[int]) -> list[int]:
    """Cuts after which the picture from before does not come back."""
    kept: list[int] = []
    until = -1
    for index in cuts:
        if index <= until:
            continue
        back = _comes_back(times, small, live, index)
        if back is None:
            kept.append(index)
        else:
            until = back
    return kept


def _comes_back(times: Times, small: Small, live: NDArray[np.bool_], index: int) -> int | None:
    """The frame that shows again what was there before `index`; None when there is none soon."""
    end = int(np.searchsorted(times, times[index] + FLASH_S, side="right"))
    later = small[index + 1 : end]
    if not len(later):
        return None
    before = np.broadcast_to(small[index - 1], later.shape)
    shares = changed_share(block_differences(before, later), live)
    for ahead in map(int, np.flatnonzero(shares < BACK_SHARE)):
        if not unlike_everywhere(small[index - 1], later[ahead], live, OTHER_TEXTURE):
            return index + 1 + ahead
    return None


def _not_too_close(times: Times, cuts: Sequence[int]) -> list[int]:
    """Of cuts that follow each other at once, the last: what is between them is no shot."""
    return [
        index
        for index, following in zip(cuts, [*cuts[1:], None][: len(cuts)], strict=True)
        if following is None or times[following] - times[index] >= SHORTEST_S
    ]


# Fades


def _flat_stretches(small: Small, live: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last frame of each stretch that is all black or all white."""
    light = small[:, 0][:, live_pixels(live)]
    level, spread = light.mean(axis=1), np.ptp(light, axis=1)
    flat = (spread <= PLAIN) & ((level < DARK) | (level > BRIGHT))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]).astype(np.int8)))
    return [(int(start), int(end) - 1) for start, end in edges.reshape(-1, 2)]


def _fades(times: Times, small: Small, live: NDArray[np.bool_], flats: Sequence[tuple[int, int]]) -> list[int]:
    """The frames at which a picture is back after black or white, unless it is the one from before.

    Black at the very beginning or end belongs to the shot beside it.
    """
    found = []
    for start, end in flats:
        if start == 0 or end == len(times) - 1:
            continue
        before = max(0, int(np.searchsorted(times, times[start] - AROUND_S)))
        after = min(len(times) - 1, int(np.searchsorted(times, times[end] + AROUND_S)))
        brief = times[end] - times[start] <= LONGEST_BLINK_S
        if not (brief and alike(small[before], small[after], live, SAME_SCENE)):
            found.append(end + 1)
    return found


def _reach(times: Times, start: int, end: int) -> range:
    """The frames of a flat stretch and of the fades around it."""
    low = int(np.searchsorted(times, times[start] - AFTER_FADE_S / 2))
    return range(low, int(np.searchsorted(times, times[end] + AFTER_FADE_S / 2)) + 1)


def _is_near(index: int, flats: Sequence[tuple[int, int]], times: Times) -> bool:
    """Whether a cut is only the way into or out of a flat stretch."""
    return any(
        times[start] - SHORTEST_S <= times[index] <= times[min(end + 1, len(times) - 1)] + SHORTEST_S
        for start, end in flats
    )
