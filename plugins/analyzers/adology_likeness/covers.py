"""Whole areas that are another one in one of two pictures: panels over it, or other pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from adology_likeness.marks import NEARLY_ALL, STEP, Mask, flatness, most

COVER = 15
"""Pixels: strokes of text are thinner than this, panels are wider."""
MOSTLY = 0.6
BAR = 0.9
"""A panel may be large where it goes across the picture."""
LARGEST_PANEL = 0.42
ROUGH = 0.7
"""The share of a bar's border along which there is a step."""
ALL_ALONG = 0.97
"""The same for a faint one."""
EVEN = 0.75
"""The share of a line just within a bar that has the bar's colour."""
EDGE = 4
"""Pixels on either side of where a bar begins."""
DEEPER = 2
"""The line so many pixels farther in is looked at as well."""
SOLID = 0.75
FLAT = 0.5
GROUND_STEP = 16.0
"""Levels by which the ground of a panel is another."""


def find_covered(differs: Mask, inside: Mask) -> Mask:
    """Areas that differ nearly everywhere: a panel with the words on it, another picture."""
    import cv2  # noqa: PLC0415 - optional, and slow to import

    there = cv2.boxFilter(inside.astype(np.float32), -1, (COVER, COVER), borderType=cv2.BORDER_CONSTANT)
    share = cv2.boxFilter(differs.astype(np.float32), -1, (COVER, COVER), borderType=cv2.BORDER_CONSTANT)
    core = (share / np.maximum(there, 0.05) > NEARLY_ALL).astype(np.uint8)
    grown = cv2.dilate(core, np.ones((COVER, COVER), np.uint8)) > 0
    return np.asarray(grown & inside)


def other_ground(one: NDArray[np.float32], other: NDArray[np.float32]) -> Mask:
    """Where the pictures differ in the large, whatever their texture."""
    import cv2  # noqa: PLC0415 - optional, and slow to import

    return np.asarray(most(np.abs(cv2.GaussianBlur(one - other, (0, 0), 2))) > GROUND_STEP)


def find_bars(differs: Mask, inside: Mask) -> Mask:
    """Rows or columns that differ mostly, several of them beside each other."""
    bars = np.zeros_like(inside)
    for axis in (0, 1):
        share = differs.sum(axis=1 - axis) / np.maximum(1, inside.sum(axis=1 - axis))
        mostly = share > MOSTLY
        run = np.convolve(mostly, np.ones(COVER), "same") >= NEARLY_ALL * COVER
        wide = (np.convolve(run, np.ones(COVER), "same") > 0) & mostly
        bars |= wide[:, None] if axis == 0 else wide[None, :]
    return bars & inside


def find_panels(one: NDArray[np.float32], other: NDArray[np.float32], covered: Mask) -> Mask:
    """Those covered areas that may be panels: bars across the picture, in one of the two mostly of one colour."""
    import cv2  # noqa: PLC0415 - optional, and slow to import

    count, labels, stats, _ = cv2.connectedComponentsWithStats(covered.astype(np.uint8))
    height, width = covered.shape
    panels = np.zeros_like(covered)
    for label in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[label])
        if area < SOLID * w * h or area > LARGEST_PANEL * covered.size:
            continue
        where = labels == label
        across = w >= BAR * width or h >= BAR * height
        flat = max(flatness(one, where), flatness(other, where)) >= FLAT
        if across and flat and bounded_once(one, other, (x, y, w, h)):
            panels |= where
    return panels


def bounded_once(one: NDArray[np.float32], other: NDArray[np.float32], box: tuple[int, int, int, int]) -> bool:
    """Whether one picture has a bar there, and the other goes on as around it: not two bars in one place."""
    x, y, w, h = box
    height, width = one.shape[:2]
    across, down = slice(x, x + w), slice(y, y + h)
    borders = [
        *((0, at, height, -(at == y), across) for at in (y, y + h)),
        *((1, at, width, -(at == x), down) for at in (x, x + w)),
    ]
    for axis, at, end, inner, along in borders:
        if EDGE < at < end - EDGE:
            over = slice(max(0, at - EDGE - DEEPER), at + EDGE + DEEPER)
            where = (over, along) if axis == 0 else (along, over)
            if sum(begins(picture[where], axis, inner) for picture in (one, other)) != 1:
                return False
    return True


def begins(border: NDArray[np.float32], axis: int, inner: int) -> bool:
    """Whether a bar begins across this strip: a step all along, and one colour on the inner side of it."""
    step = most(np.abs(border.take(-1 - DEEPER, axis) - border.take(DEEPER, axis)))
    # Near to where it begins a bar that lies a little aslant is not of one colour; farther in its words may begin.
    rows = (inner, inner + (-DEEPER if inner else DEEPER))
    even = max(_evenness(np.asarray(border.take(at, axis), np.float32)) for at in rows) > EVEN
    stepped = float((step > GROUND_STEP).mean()) > ROUGH or float((step > GROUND_STEP / 2).mean()) > ALL_ALONG
    return stepped and even


def _evenness(line: NDArray[np.float32]) -> float:
    """The share of a line that has its usual colour."""
    return float((most(np.abs(line - np.median(line, axis=0))) < STEP).mean())
