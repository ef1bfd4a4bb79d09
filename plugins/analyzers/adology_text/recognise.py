"""Reading what was found: each place the way its letters stand, unsure ones more than once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from adology_text import boxes
from adology_text.boxes import Pixels
from adology_text.ctc import Reading
from adology_text.rows import Piece
from adology_text.tiles import Place

SURE = 0.99
"""Lines below this are looked at again, without the space above and below."""

DOUBTFUL = 0.9
"""Lines below this are also looked at upside down."""

BETTER = 0.05
"""Upside down must read better by this much."""

TRIMMED = 0.12
"""Share of the height cut off above and below for the second look."""

UPRIGHT = 1.5
"""From this height over width on, letters may stand on their side."""

CLIMBING, FALLING, UPSIDE_DOWN = 3, 1, 2
"""Quarters by which the upper left corner of such lines is further on, clockwise."""

Way = tuple[int, bool]
"""A quarter turn, and whether to trim."""


class Reads(Protocol):
    """What is needed of `engine.Reader`."""

    def find(self, picture: Pixels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Boxes and scores."""
        ...

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """One reading per crop."""
        ...


def read_places(picture: Pixels, places: Sequence[Place], reader: Reads) -> list[Piece]:
    """The best reading of each place, its quad turned the way the letters stand."""
    crops = [boxes.cut_out(picture, place.quad) for place in places]
    # Letters on their side mostly climb, as on the spine of a French book.
    first = [CLIMBING if crop.shape[0] >= UPRIGHT * crop.shape[1] else 0 for crop in crops]
    readings = reader.read([_seen(crop, (turn, False)) for crop, turn in zip(crops, first, strict=True)])
    best = [
        Piece(quad=boxes.turned(place.quad, turn), reading=reading)
        for place, turn, reading in zip(places, first, readings, strict=True)
    ]
    again = [(at, way) for at, reading in enumerate(readings) for way in _others(first[at], reading.confidence)]
    others = reader.read([_seen(crops[at], way) for at, way in again])
    for (at, (turn, _)), reading in zip(again, others, strict=True):
        margin = 0.0 if turn == first[at] else BETTER
        known = best[at].reading
        if reading.confidence > known.confidence + margin and _says_as_much(reading, known):
            best[at] = Piece(quad=boxes.turned(places[at].quad, turn), reading=reading)
    return best


def _others(first: int, confidence: float) -> tuple[Way, ...]:
    """Other ways of looking at a line that reads so well."""
    if confidence >= SURE:
        return ()
    if confidence >= DOUBTFUL:
        return ((first, True),)
    return ((first, True), (FALLING, False), (0, False)) if first else ((0, True), (UPSIDE_DOWN, False))


def _seen(crop: Pixels, way: Way) -> Pixels:
    turn, trim = way
    turned = np.ascontiguousarray(np.rot90(crop, turn))
    margin = round(TRIMMED * turned.shape[0]) if trim else 0
    return turned[margin : turned.shape[0] - margin] if margin else turned


def read_whole(picture: Pixels, lines: Sequence[Piece], reader: Reads) -> list[Piece]:
    """Lines of several pieces read anew as one, where that reads well: pieces overlap, and double letters."""
    several = [at for at, line in enumerate(lines) if line.parts > 1]
    readings = reader.read([boxes.cut_out(picture, lines[at].quad) for at in several])
    whole = list(lines)
    for at, reading in zip(several, readings, strict=True):
        known = lines[at].reading
        if reading.confidence >= known.confidence - BETTER and _says_as_much(reading, known):
            whole[at] = Piece(quad=lines[at].quad, reading=reading, parts=lines[at].parts)
    return whole


def _says_as_much(new: Reading, old: Reading) -> bool:
    """A surer reading of fewer letters is no better: it has left the difficult ones out."""
    return 5 * len(new.text) >= 4 * len(old.text)
