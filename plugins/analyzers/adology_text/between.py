# ruff: noqa: RUF001 - letters that look alike are what this is about
"""Lone signs between two pieces of one line: the plus of "this + that", which the finder passes over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import structs

from adology_text import boxes
from adology_text.boxes import Pixels, Quad
from adology_text.recognise import Reads
from adology_text.rows import ALIKE, ROW, Piece

SIGNS = {"+": "+", "＋": "+", "十": "+"}
"""What the recogniser makes of a plus when it stands alone."""

SURE = 0.5
LONGEST_READING = 4
"""Letters: a mark or a shadow beside the sign may be read as well."""

NEAREST, FARTHEST = 0.5, 3.0
"""Width of the space, in heights of the higher piece."""

FAINT = 30
"""A space in which no channel spans this much of 255 is empty."""


def signs_between(picture: Pixels, pieces: Sequence[Piece], reader: Reads) -> list[Piece]:
    """The signs that stand alone between neighbours of one row."""
    spaces = [space for piece in pieces if (space := _space_after(piece, pieces)) is not None]
    crops = [boxes.cut_out(picture, space) for space in spaces]
    inked = [at for at, crop in enumerate(crops) if int(np.ptp(crop.reshape(-1, 3), axis=0).max()) >= FAINT]
    found: list[Piece] = []
    for at, reading in zip(inked, reader.read([crops[at] for at in inked]), strict=True):
        first = reading.letters[0] if reading.letters else None
        if first is None or len(reading.text) > LONGEST_READING or first.sure < SURE or first.text not in SIGNS:
            continue
        sign = structs.replace(
            reading, text=SIGNS[first.text], confidence=first.sure, letters=(structs.replace(first, text="+"),)
        )
        found.append(Piece(quad=spaces[at], reading=sign))
    return found


def _space_after(piece: Piece, pieces: Sequence[Piece]) -> Quad | None:
    """The space up to the next piece on its right, where it is as wide as a sign with air around it."""
    if not boxes.is_level(piece.quad):
        return None
    _, top, right, bottom = boxes.bounds(piece.quad)
    beside = [
        other
        for other in pieces
        if boxes.is_level(other.quad)
        and boxes.bounds(other.quad)[0] > right
        and boxes.share_along(piece.quad, other.quad, 1) >= ROW
    ]
    if not beside:
        return None
    following = min(beside, key=lambda other: boxes.bounds(other.quad)[0])
    start, other_top, _, other_bottom = boxes.bounds(following.quad)
    low, high = sorted((boxes.size(piece.quad)[1], boxes.size(following.quad)[1]))
    if high > ALIKE * low or not NEAREST * high < start - right < FARTHEST * high:
        return None
    return boxes.from_bounds(right, min(top, other_top), start, max(bottom, other_bottom))
