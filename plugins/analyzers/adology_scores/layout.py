"""Where text stands and how well it can be seen: measures that need no pixels."""

from __future__ import annotations

from collections.abc import Sequence

from adology_scores.evidence import Box, Range
from adology_scores.inputs import Line, Text
from adology_scores.lines import (
    ASCENT,
    PHONE_PX,
    area,
    asks,
    counted,
    fullest,
    ink_box,
    shared,
    type_size_px,
    union,
)
from adology_scores.measures_model import Seen, TextLevel
from adology_scores.sheet import Sheet

GRID = 5
TOUCHED = 0.02
"""Text touches a cell when it covers this much of it."""

LOW, MEDIUM = 0.1, 0.2
"""Text density up to which the level is low, medium."""

CONTRAST, LARGE_CONTRAST = 4.5, 3.0
LARGE_PX = 24.0
"""WCAG 2: 18 points, that is 24 CSS pixels; bold from 18.7, but weight is not known here."""

MOST_CONTRAST = 21.0
GAINED = 1.05
LOST_BELOW = ((18.0, 1.45), (25.0, 1.35), (float("inf"), 1.12))
"""True contrast is at most this many times the measured one, by height of letters in pixels of the file; at least one
`GAINED`-th. Measured on creatives drawn with known truth: 5th to 95th percentile; see tests/quality/scores.py."""

BOX_OVER_EM = (1.0, 2.0)
"""Height of a level line's box over the size of its type, likewise: 2nd to 98th percentile."""

TILTED = 1.5

NEAR = 0.8
"""Lines whose gap is below this many line heights are one block."""

NO_TEXT = "no text was found"
NO_INK = "letters and background cannot be told apart"
TEXT_MEASURES = (
    "text_density", "text_cells", "text_level", "text_lines", "text_blocks", "text_contrast", "text_contrast_margin",
    "text_size_px", "cta_in_picture", "cta_share", "cta_contrast",
)  # fmt: skip


def measure_layout(text: Text, sheet: Sheet, *, exact: bool = False) -> None:
    """All measures of where text stands. `exact`: the lines are true, not read from a picture."""
    lines = counted(text)
    if not lines and text.unread:
        sheet.lack(TEXT_MEASURES, f"{text.unread} places look like text that could not be read")
        return
    frame = fullest(text, lines)
    letters = [ink_box(line, text.width, text.height) for _, line in frame]
    _density(letters, text.text_share if lines and not exact else 0.0, sheet)
    sheet.put("text_cells", cells(letters))
    sheet.put("text_lines", len(lines))
    sheet.put("text_blocks", blocks([line.box for _, line in frame], text.width, text.height))
    _contrast(lines, text, sheet, exact)
    _call(lines, sheet, exact)


def _density(letters: Sequence[Box], under_boxes: float, sheet: Sheet) -> None:
    """At least the letters alone, at most the boxes that the reader of text puts around them."""
    low = round(union(letters), 4)
    high = max(low, round(min(1.0, under_boxes), 4))
    sheet.put("text_density", Range(low=low, high=high))
    if level(low) == level(high):
        sheet.put("text_level", level(low))
    else:
        sheet.lack(("text_level",), f"between {level(low)} and {level(high)}: boxes are not exact enough")


def cells(boxes: Sequence[Box]) -> float:
    """Share of the grid's cells that text touches."""
    touched = sum(
        sum(shared(box, (x / GRID, y / GRID, (x + 1) / GRID, (y + 1) / GRID)) for box in boxes) >= TOUCHED / GRID**2
        for x in range(GRID)
        for y in range(GRID)
    )
    return round(touched / GRID**2, 4)


def level(density: float) -> TextLevel:
    """Four classes, as Meta's text check had; the edges are ours."""
    if density <= 0:
        return "none"
    return "low" if density <= LOW else "medium" if density <= MEDIUM else "high"


def blocks(boxes: Sequence[Box], width: int, height: int) -> int:
    """Groups of boxes that stand near each other."""
    group = list(range(len(boxes)))
    for i, a in enumerate(boxes):
        for j, b in enumerate(boxes[:i]):
            if group[i] != group[j] and _near(a, b, width, height):
                old, new = group[i], group[j]
                group = [new if one == old else one for one in group]
    return len(set(group))


def _near(a: Box, b: Box, width: int, height: int) -> bool:
    reach = NEAR * min(a[3] - a[1], b[3] - b[1]) * height
    right = max(a[0], b[0]) - min(a[2], b[2])
    down = max(a[1], b[1]) - min(a[3], b[3])
    return right * width <= reach and down * height <= reach


def _contrast(lines: Sequence[tuple[int, Line]], text: Text, sheet: Sheet, exact: bool) -> None:
    if not lines:
        sheet.lack(("text_contrast", "text_contrast_margin", "text_size_px"), NO_TEXT)
        return
    sizes = [type_size(line, text, exact=exact) for _, line in lines]
    smallest = min(range(len(lines)), key=lambda at: sizes[at].low)
    sheet.put("text_size_px", lowest(sizes), seen("text_size_px", *lines[smallest]))
    known = [one for one in lines if one[1].contrast is not None]
    if not known:
        sheet.lack(("text_contrast", "text_contrast_margin"), NO_INK)
        return
    ranges = [contrast(line, exact=exact) for _, line in known]
    _put_lowest("text_contrast", ranges, known, sheet)
    _put_lowest("text_contrast_margin", [margin(line, text, exact=exact) for _, line in known], known, sheet)


def _put_lowest(measure: str, ranges: Sequence[Range], lines: Sequence[tuple[int, Line]], sheet: Sheet) -> None:
    """The lowest of all, and the line that it rests on."""
    worst = min(range(len(ranges)), key=lambda at: ranges[at].low)
    sheet.put(measure, lowest(ranges), seen(measure, *lines[worst]))


def lowest(ranges: Sequence[Range]) -> Range:
    """Where the lowest of several values lies that are known to lie within these ranges."""
    highs = [one.high for one in ranges if one.high is not None]
    return Range(low=min(one.low for one in ranges), high=min(highs, default=None))


def margin(line: Line, text: Text, *, exact: bool = False) -> Range:
    """A line's contrast over what WCAG 2 asks for at its size; where that is not sure, either."""
    found, size = contrast(line, exact=exact), type_size(line, text, exact=exact)
    least = LARGE_CONTRAST if size.high is None or size.high >= LARGE_PX else CONTRAST
    most = LARGE_CONTRAST if size.low >= LARGE_PX else CONTRAST
    return Range(low=round(found.low / most, 3), high=round((found.high or MOST_CONTRAST) / least, 3))


def contrast(line: Line, *, exact: bool = False) -> Range:
    """The contrast of ink and ground: letters of few pixels are mixed with what is around them."""
    seen_ratio = line.contrast or 1.0
    if exact:
        return Range(low=round(seen_ratio, 3), high=round(seen_ratio, 3))
    lost = next(factor for height, factor in LOST_BELOW if line.height_px < height)
    low, high = max(1.0, seen_ratio / GAINED), min(MOST_CONTRAST, seen_ratio * lost)
    return Range(low=round(low, 3), high=round(high, 3))


def type_size(line: Line, text: Text, *, exact: bool = False) -> Range:
    """The size of type (em) in CSS pixels as seen on a phone, from the box that letters stand in."""
    zoom = min(1.0, PHONE_PX / text.width)
    if exact:
        size = round(type_size_px(line, text.width), 1)
        return Range(low=size, high=size)
    if line.corners:  # the box around a tilted line says nothing of its letters
        size = line.height_px / ASCENT * zoom
        return Range(low=round(size / TILTED, 1), high=round(size * TILTED, 1))
    tall = (line.box[3] - line.box[1]) * text.height * zoom
    return Range(low=round(tall / BOX_OVER_EM[1], 1), high=round(tall / BOX_OVER_EM[0], 1))


def _call(lines: Sequence[tuple[int, Line]], sheet: Sheet, exact: bool) -> None:
    asking = [(number, line) for number, line in lines if asks(line.text)]
    sheet.put("cta_in_picture", bool(asking), *(seen("cta_in_picture", *one) for one in asking))
    if not asking:
        sheet.lack(("cta_share", "cta_contrast"), "no call to action was found in the text")
        return
    number, largest = max(asking, key=lambda one: area(one[1].box))
    sheet.put("cta_share", round(area(largest.box), 4), seen("cta_share", number, largest))
    if largest.contrast is None:
        sheet.lack(("cta_contrast",), NO_INK)
    else:
        sheet.put("cta_contrast", contrast(largest, exact=exact), seen("cta_contrast", number, largest))


def seen(measure: str, number: int, line: Line) -> Seen:
    """A line as evidence."""
    time_s = line.spans[0].start_s if line.spans else None
    return Seen(measure=measure, text=line.text[:200], line=number, box=line.box, time_s=time_s)
