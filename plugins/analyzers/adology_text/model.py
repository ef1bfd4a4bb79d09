"""What the text analyzer says. Stored as it is: fields are only ever added."""

from __future__ import annotations

from typing import Literal

from adology import Struct

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of width and height, in [0, 1]."""

Point = tuple[float, float]
"""Right and down from the upper left corner, as shares of width and height."""

Doubt = Literal[
    "second_look_differs",
    "mark_between_digits",
    "small_digits_beside",
    "raised_digits",
    "no_decimals",
    "ungrouped",
    "odd_grouping",
    "unsure_letters",
    "tiny",
    "cut_off",
]


class Span(Struct, frozen=True, kw_only=True):
    """A stretch of a video, seconds from its start.

    `start_s` and `end_s` are the first and last frames that were looked at and show the line; it
    may have stood up to the neighbouring entries of `TextFacts.sampled_s`.
    """

    start_s: float
    end_s: float


class TextLine(Struct, frozen=True, kw_only=True):
    """One line of text, NFKC.

    `box` bounds it; `corners` (from the line's own upper left, clockwise) are given where it does
    not stand level. `confidence` is the recogniser's mean over letters, in [0, 1]. `height_px` is
    the distance from the top of the highest letter to the bottom of the lowest in pixels of the
    file, `height_share` the same over the picture's height. `contrast` is the WCAG 2 ratio of
    letters to what is around them, in [1, 21]; None where the two cannot be told apart.
    `spans` are the times at which a video shows the line.
    """

    text: str
    box: Box
    confidence: float
    height_px: float
    height_share: float
    contrast: float | None = None
    corners: tuple[Point, ...] = ()
    spans: tuple[Span, ...] = ()


class PicturePrice(Struct, frozen=True, kw_only=True):
    """One amount of money that stands in the picture.

    `amount` is a plain decimal, `currency` an ISO 4217 code, empty where unknown; `assumed` as in
    the copy analyzer's `Price`. `line` is the index into `TextFacts.lines`. `off`: it is taken off
    ("save $20"), not asked for. `confidence` in [0, 1] is that the amount is right. `suspect`: a
    mark or digit may be lost; `doubts` say why, `other` is what a second look read instead.
    """

    amount: str
    currency: str
    raw: str
    line: int
    confidence: float
    assumed: bool = False
    starting: bool = False
    off: bool = False
    suspect: bool = False
    doubts: tuple[Doubt, ...] = ()
    other: str = ""


class PicturePercent(Struct, frozen=True, kw_only=True):
    """One percentage taken off; `percent` is a plain decimal."""

    percent: str
    raw: str
    line: int
    confidence: float
    up_to: bool = False


class PictureDate(Struct, frozen=True, kw_only=True):
    """One calendar date.

    `values` are ISO dates, "--11-28" where the year is not written: two where day and month
    cannot be told apart.
    """

    values: tuple[str, ...]
    raw: str
    line: int
    confidence: float


class TextFacts(Struct, frozen=True, kw_only=True):
    """The text in one creative, in reading order.

    `width` and `height` are pixels as people see them. `text_share` is the area under the boxes
    (overlaps once) over the picture's; for videos that of the fullest frame, `mean_text_share`
    the mean over frames. `smallest_height_px` and `_share` are those of the smallest line, and
    `lowest_contrast` is that of the palest; None where there is no text. `unread` counts places
    that look like text and could not be read: scripts that the model does not know (it knows
    Latin, Chinese and Japanese, and Greek in part), ornaments, pieces too small. `sampled_s` are the times of
    the frames that were looked at. `scale` below 1: the picture was larger than the setting
    `read_pixels` and was looked at at this scale. `truncated`: there are more lines than the
    setting `max_lines` keeps.
    """

    kind: Literal["image", "video"]
    width: int
    height: int
    lines: tuple[TextLine, ...] = ()
    text_share: float = 0.0
    mean_text_share: float | None = None
    smallest_height_px: float | None = None
    smallest_height_share: float | None = None
    lowest_contrast: float | None = None
    prices: tuple[PicturePrice, ...] = ()
    percents: tuple[PicturePercent, ...] = ()
    dates: tuple[PictureDate, ...] = ()
    unread: int = 0
    sampled_s: tuple[float, ...] = ()
    scale: float = 1.0
    truncated: bool = False
