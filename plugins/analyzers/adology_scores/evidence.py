"""What a measurement or a verdict rests on."""

from __future__ import annotations

from adology import Struct

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of width and height, in [0, 1]."""


class Evidence(Struct, frozen=True, kw_only=True):
    """One thing that was seen.

    `line` is the index into the text analyzer's lines, `box` where it stands, `time_s` when, in
    seconds from the start of a video. `where` names the field of an ad's copy (body, title,
    description, cta), `index` which of them.
    """

    text: str = ""
    line: int | None = None
    box: Box | None = None
    time_s: float | None = None
    where: str = ""
    index: int | None = None


class Range(Struct, frozen=True, kw_only=True):
    """A value that is known to lie from `low` to `high`; `high` None: nothing bounds it above.

    Frames of a video are looked at now and then, boxes are as exact as the reader of text: what
    lies between is not made up.
    """

    low: float
    high: float | None = None
