"""Lines of text: which count, how large they are, what they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from adology_copy.cta import find_cta
from adology_copy.model import Piece
from adology_scores.evidence import Box
from adology_scores.inputs import Line, Text

SURE = 0.7
"""Lines that were read worse do not count: ornaments look like them."""

READABLE_LETTERS = 2

PHONE_PX = 390
"""A phone's width in CSS pixels; pictures that are narrower are shown as they are."""

DESCENDING = frozenset("gjpqyQ,;()[]{}|ç")
LOW = frozenset("acemnorsuvwxzgpqy.,;:-_ \u2013\u2014")
ASCENT, X_HEIGHT, DESCENT = 0.73, 0.52, 0.21
"""Heights over the type size in common typefaces."""

MOST_PAD = 0.25


def counted(text: Text) -> list[tuple[int, Line]]:
    """The lines that count, with their numbers."""
    return [(number, line) for number, line in enumerate(text.lines) if is_readable(line)]


def is_readable(line: Line) -> bool:
    """Read surely, and more than a sign."""
    return line.confidence >= SURE and sum(c.isalnum() for c in line.text) >= READABLE_LETTERS


def asks(text: str) -> bool:
    """Whether it says a call to action that the copy analyzer knows."""
    found = find_cta("", [Piece(where="body", index=0, text=text)])
    return found is not None and found.family != "none"


def type_size_px(line: Line, width: int) -> float:
    """The size of type (em) in CSS pixels, as seen on a phone."""
    tall = any(c not in LOW for c in line.text)
    ems = (ASCENT if tall else X_HEIGHT) + DESCENT * any(c in DESCENDING for c in line.text)
    return line.height_px / ems * min(1.0, PHONE_PX / width)


def ink_box(line: Line, width: int, height: int) -> Box:
    """The box without the margin that the reader of text leaves around letters."""
    left, top, right, bottom = line.box
    tall = (bottom - top) * height
    pad = min(max(0.0, (tall - line.height_px) / 2), MOST_PAD * tall, MOST_PAD * (right - left) * width)
    return (left + pad / width, top + pad / height, right - pad / width, bottom - pad / height)


def area(box: Box) -> float:
    """Share of the picture."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def shared(a: Box, b: Box) -> float:
    """Area that both cover, as a share of the picture."""
    return area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def union(boxes: Sequence[Box]) -> float:
    """Area under the boxes, overlaps once: strips between edges, merged top to bottom."""
    edges = sorted({edge for box in boxes for edge in (box[0], box[2])})
    covered = 0.0
    for left, right in pairwise(edges):
        reach = tall = 0.0
        for top, bottom in sorted((box[1], box[3]) for box in boxes if box[0] <= left and box[2] >= right):
            tall += max(0.0, bottom - max(top, reach))
            reach = max(reach, bottom)
        covered += tall * (right - left)
    return min(1.0, covered)


def shown_at(lines: Sequence[tuple[int, Line]], time_s: float) -> list[tuple[int, Line]]:
    """Those that stand at a time at which a frame was looked at."""
    return [one for one in lines if any(s.start_s <= time_s <= s.end_s for s in one[1].spans)]


def fullest(text: Text, lines: Sequence[tuple[int, Line]]) -> list[tuple[int, Line]]:
    """Of a video the lines of the frame with most text, of an image all."""
    if not text.sampled_s:
        return list(lines)
    frames = [shown_at(lines, time_s) for time_s in text.sampled_s]
    return max(frames, key=lambda frame: union([line.box for _, line in frame]), default=[])
