"""Things that were exchanged for others in one place: another product on the same ground, other words.

Shares of the whole picture do not tell of them: a small pale product on white is next to nothing of
it. Here each place that differs is looked at by itself. It speaks against one origin where its
surroundings are plain and the same in both pictures, each has detail of its own, and neither keeps
any of the other's. Words over a photograph are not such a place, nor words on an empty ground.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adology_likeness.marks import Grey, Mask, clean, most, outside

FAINT = 9.0
"""Levels by which a pixel must leave the other's surroundings: pale things on white differ by little more."""
FAINT_EDGE = 6.0
"""Levels between neighbours from which a place counts as detail here."""
REACH = 2
JOINED = 9
"""Pixels: parts of one thing are no farther apart."""
AROUND = 2
"""Pixels that a place is grown by, and twice as many of its surroundings are looked at."""
SMALLEST_PLACE = 40
LEAST_AROUND = 20
"""Pixels."""
LARGEST_PLACE = 0.5
"""Share of the picture: what is larger is no thing in a place."""
GROUND = 12.0
"""Levels within which surroundings are of one colour."""
PLAIN = 0.35
"""Share of the surroundings of one colour: a thing that fills its white ground touches what lies around that."""
SAME_GROUND = 40.0
"""Levels by which the two grounds may differ."""
OWN = 0.25
"""Share of a place's detail that the other picture has as well, below which it is another thing."""


class _Pair(NamedTuple):
    """Two pictures, their detail, where it goes together, and where they lie over each other."""

    one: NDArray[np.float32]
    other: NDArray[np.float32]
    detail: Mask
    other_detail: Mask
    together: Mask
    inside: Mask

    def part(self, where: tuple[slice, slice]) -> _Pair:
        """The same of a window."""
        return _Pair(
            self.one[where],
            self.other[where],
            self.detail[where],
            self.other_detail[where],
            self.together[where],
            self.inside[where],
        )


def exchanged(
    one: NDArray[np.float32], other: NDArray[np.float32], edges: tuple[Grey, Grey], together: Mask, inside: Mask
) -> float:
    """Detail that each has of its own in the place where most was exchanged, as a share of the common part.

    `one` and `other` lie over each other, with their colours matched; `edges` are their `steps`.
    `inside` is the common part without what is a panel.
    """
    import cv2  # noqa: PLC0415 - optional, and slow to import

    total = float(inside.sum())
    differs = clean((_leaves(one, other) | _leaves(other, one)) & inside).astype(np.uint8)
    whole = cv2.morphologyEx(differs, cv2.MORPH_CLOSE, np.ones((JOINED, JOINED), np.uint8))
    whole = cv2.dilate(whole, np.ones((2 * AROUND + 1,) * 2, np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(whole)
    pair = _Pair(one, other, edges[0] > FAINT_EDGE, edges[1] > FAINT_EDGE, together, inside)
    most_of_all = 0.0
    for label in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[label])
        if SMALLEST_PLACE <= area <= LARGEST_PLACE * total:
            pad = 4 * AROUND
            window = slice(max(0, y - pad), y + h + pad), slice(max(0, x - pad), x + w + pad)
            places = np.asarray(labels[window])
            most_of_all = max(most_of_all, _own_detail(pair.part(window), places == label, places == 0))
    return most_of_all / total if total else 0.0


def _leaves(one: NDArray[np.float32], other: NDArray[np.float32]) -> Mask:
    return outside(one, other, REACH) > FAINT


def _own_detail(pair: _Pair, place: Mask, nothing: Mask) -> float:
    """Pixels of detail that each has of its own in this place; 0 where it is no exchange.

    `nothing` is where the two do not differ.
    """
    import cv2  # noqa: PLC0415 - optional, and slow to import

    grown = cv2.dilate(place.astype(np.uint8), np.ones((4 * AROUND + 1,) * 2, np.uint8)) > 0
    ring = grown & nothing & pair.inside
    if ring.sum() < LEAST_AROUND:
        return 0.0
    grounds = [np.median(picture[ring], axis=0) for picture in (pair.one, pair.other)]
    for picture, ground in zip((pair.one, pair.other), grounds, strict=True):
        if (most(np.abs(picture[ring] - ground)) < GROUND).mean() < PLAIN:
            return 0.0
    if float(np.abs(grounds[0] - grounds[1]).max()) > SAME_GROUND:
        return 0.0
    details = [float((detail & place).sum()) for detail in (pair.detail, pair.other_detail)]
    shared = [float((detail & place & pair.together).sum()) for detail in (pair.detail, pair.other_detail)]
    kept = max(both / max(1.0, own) for both, own in zip(shared, details, strict=True))
    return min(details) if kept < OWN else 0.0
