"""What is the same and what is not in two pictures that are laid over each other.

Three kinds of difference matter. *Added*: only one picture has something there, the other goes on
as around it, as under a text that was written over it. *Covered*: a whole area is another one, as
under a panel. *Replaced*: on the same ground each picture has something that the other lacks, as
when the same template holds another text, price or product. Only the last one speaks against one
origin, and it is what two ads of one template look like.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adology_likeness.align import Matrix
from adology_likeness.colours import ALIKE, SMALLEST, match_colours
from adology_likeness.covers import find_bars, find_covered, find_panels, other_ground
from adology_likeness.laying import around, in_pixels, lay, turned, unmirrored
from adology_likeness.marks import (
    STEP,
    Mask,
    all_around,
    clean,
    flatness,
    going_together,
    grey,
    outside,
    steps,
    with_tints,
)
from adology_likeness.swaps import exchanged

REACH = 2
"""Pixels around which the other picture is looked at: alignment is that exact."""
WIDE = 8
"""Pixels around a place in which its ground shows."""
UNLIKE = 0.35
INVERTED = -0.5
EDGE_STEP = 8.0
"""Levels between neighbours from which a place counts as detail."""
PLAIN_BORDER = 0.9
NO_BORDER = 0.03
MARGIN = 2


class Difference(NamedTuple):
    """All but `overlap_a` and `overlap_b` (shares of each picture that lie in the other) are of the common part.

    `kept`: of the detail of the picture that keeps more of its own, the share found in the other.
    `detail`: how much of the common part is detailed. `lost_a`, `lost_b`: only that one has
    something. `clash`: both have detail of the same colours, but another. `inverted`: what is dark
    in one is bright in the other, as black words on white for white ones on black. `covered` is
    another area altogether, of which `excused` looks like a panel or bar.
    """

    overlap_a: float
    overlap_b: float
    kept: float
    detail: float
    lost_a: float
    lost_b: float
    clash: float
    inverted: float
    covered: float
    excused: float
    colour: float
    """Mean change of colours and brightness, levels."""
    exchanged: float = 0.0
    """Detail of its own that each has in the one place where most was exchanged for something else."""
    bordered: float = 0.0
    """1 where what lies around the common part is plain in both pictures: a border, no part cut off."""


def differ(a: NDArray[np.float32], b: NDArray[np.float32], matrix: Matrix, mirror: bool) -> Difference | None:
    """`a` laid over `b` (or `b` over `a` where that needs less enlarging); None where too little is common."""
    if mirror:
        a, matrix = np.ascontiguousarray(a[:, ::-1]), unmirrored(matrix, a.shape)
    pixels = in_pixels(matrix, a.shape, b.shape)
    swap = abs(np.linalg.det(pixels[:, :2])) > 1
    if swap:
        pixels = turned(pixels)
        a, b = b, a
    laid, inside = lay(a, pixels, b.shape)
    common = float(inside.sum())
    shares = common / (abs(np.linalg.det(pixels[:, :2])) * a.shape[0] * a.shape[1]), common / inside.size
    rows, columns = np.where(inside.any(axis=1))[0], np.where(inside.any(axis=0))[0]
    if len(rows) < SMALLEST or len(columns) < SMALLEST:
        return None
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    result = _compare(laid[box], b[box], inside[box])
    if swap:
        shares = shares[::-1]
        result = result._replace(lost_a=result.lost_b, lost_b=result.lost_a)
    around_b = np.ones(b.shape[:2], bool)
    around_b[box] = False
    around_a = around(a, turned(pixels), b.shape)
    plain = _is_plain(a, around_a) and _is_plain(b, around_b)
    return result._replace(overlap_a=min(1.0, shares[0]), overlap_b=min(1.0, shares[1]), bordered=float(plain))


def _is_plain(picture: NDArray[np.float32], where: Mask) -> bool:
    if where.mean() < NO_BORDER:
        return True
    return flatness(picture, where, STEP / 2) > PLAIN_BORDER


def _compare(a: NDArray[np.float32], b: NDArray[np.float32], inside: Mask) -> Difference:
    import cv2  # noqa: PLC0415 - optional, and slow to import

    a, b = (np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.6), np.float32) for picture in (a, b))
    one, other, colour = match_colours(a, b, inside)
    inside = cv2.erode(inside.astype(np.uint8), np.ones((2 * MARGIN + 1,) * 2, np.uint8), borderValue=0) > 0
    total = float(inside.sum())
    if total < SMALLEST**2:
        return Difference(0, 0, 0, 0, 0, 0, 0, 0, 1, 0, colour)
    out_a, out_b = outside(one, other, REACH) > STEP, outside(other, one, REACH) > STEP
    bars = find_panels(one, other, find_bars(other_ground(one, other) & inside, inside))
    covered = find_covered((out_a | out_b) & inside, inside) | bars
    rest = inside & ~covered
    # Something is lost where the other goes on as it does around.
    lost_a = clean(out_a & (outside(other, one, WIDE) < STEP / 2) & rest)
    lost_b = clean(out_b & (outside(one, other, WIDE) < STEP / 2) & rest)
    details = [(steps(grey(picture)) > EDGE_STEP) & rest for picture in (a, b)]
    edges = steps(grey(one)), steps(grey(other))
    alike, strong = going_together(grey(a), grey(b))
    together = alike > ALIKE
    tints = with_tints(one), with_tints(other)
    ordinary = (outside(*tints, WIDE) < STEP) & (outside(*tints[::-1], WIDE) < STEP)
    clash = clean((alike < UNLIKE) & strong & all_around(ordinary) & rest)
    inverted = clean((alike < INVERTED) & strong & rest)
    kept = [float((together & each).sum() / max(1.0, float(each.sum()))) for each in details]
    return Difference(
        overlap_a=0,
        overlap_b=0,
        kept=max(kept),
        detail=float((details[0] & details[1] | together & (details[0] | details[1])).sum()) / total,
        lost_a=float(lost_a.sum()) / total,
        lost_b=float(lost_b.sum()) / total,
        clash=float(clash.sum()) / total,
        inverted=float(inverted.sum()) / total,
        covered=float(covered.sum()) / total,
        excused=float(find_panels(one, other, covered).sum()) / max(1.0, float(covered.sum())),
        colour=colour,
        exchanged=exchanged(one, other, edges, together, inside & ~bars),
    )
