"""One picture looked through: found, joined, read, put in reading order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from adology_text import boxes, tiles
from adology_text.boxes import Pixels
from adology_text.ctc import Reading
from adology_text.order import reading_order
from adology_text.rows import Piece, put_together
from adology_text.tiles import Place

LOOKS_LIKE_TEXT = 0.5
"""Places that look less like it must read well to count."""

READS_WELL = 0.9
SURE = 0.97
"""Lines below this are looked at again: upside down, and without the space above and below."""

BETTER = 0.05
"""Upside down must read better by this much."""

TRIMMED = 0.12
"""Share of the height cut off above and below for the second look."""

UPRIGHT = 1.5
"""From this height over width on, letters may stand on their side."""

SHORT = 2
SHORT_READS = 0.85
"""Texts of at most `SHORT` letters must read this well: ornaments look like them."""

MOST_PLACES = 1500
"""Places read per picture; the likeliest ones count."""

LEAST_SIDE = 3


class Reads(Protocol):
    """What is needed of `engine.Reader`."""

    def find(self, picture: Pixels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Boxes and scores."""
        ...

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """One reading per crop."""
        ...


@dataclass(frozen=True)
class Seen:
    """What one picture shows. `scale` is that of looking, `unread` counts places without a reading."""

    pieces: tuple[Piece, ...]
    unread: int
    scale: float


def look(picture: Pixels, reader: Reads, *, most_pixels: int, least_confidence: float) -> Seen:
    """The lines of a picture in reading order; boxes in the picture's own pixels."""
    height, width = picture.shape[:2]
    plan = tiles.plan(width, height, most_pixels)
    places = _find(picture, plan, reader)
    read = _read(picture, places, reader)
    kept = [
        piece
        for piece, place in zip(read, places, strict=True)
        if piece.reading.text
        and piece.reading.confidence >= least_confidence
        and (place.score >= LOOKS_LIKE_TEXT or piece.reading.confidence >= READS_WELL)
    ]
    likely = sum(place.score >= LOOKS_LIKE_TEXT for place in places)
    known = sum(
        place.score >= LOOKS_LIKE_TEXT
        for piece, place in zip(read, places, strict=True)
        if any(piece is one for one in kept)
    )
    lines = put_together(kept)
    order = reading_order([line.quad for line in lines])
    return Seen(pieces=tuple(lines[at] for at in order), unread=likely - known, scale=plan.scale)


def _find(picture: Pixels, plan: tiles.Plan, reader: Reads) -> list[Place]:
    height, width = picture.shape[:2]
    shown = picture
    if (plan.width, plan.height) != (width, height):
        how = cv2.INTER_AREA if plan.scale < 1 else cv2.INTER_CUBIC
        shown = np.asarray(cv2.resize(picture, (plan.width, plan.height), interpolation=how), dtype=np.uint8)
    found: list[Place] = []
    for tile in plan.tiles:
        quads, scores = reader.find(shown[tile.top : tile.bottom, tile.left : tile.right])
        for quad, score in zip(tiles.moved(list(quads), tile), scores, strict=True):
            if tiles.is_theirs(quad, tile, plan):
                continue
            found.append(Place(quad=quad, score=round(float(score), 4), cut=tiles.is_cut(quad, tile, plan)))
    places = tiles.joined(found) if len(plan.tiles) > 1 else found
    back = np.array([width / plan.width, height / plan.height])
    scaled = [Place(quad=place.quad * back, score=place.score) for place in places]
    real = [place for place in scaled if min(boxes.size(place.quad)) >= LEAST_SIDE]
    return sorted(real, key=lambda place: (-place.score, place.quad.tolist()))[:MOST_PLACES]


def _read(picture: Pixels, places: Sequence[Place], reader: Reads) -> list[Piece]:
    """The best reading of each place, its quad turned the way the letters stand."""
    crops = [boxes.cut_out(picture, place.quad) for place in places]
    lying = [crop.shape[0] >= UPRIGHT * crop.shape[1] for crop in crops]
    # Letters on their side mostly climb, as on the spine of a French book.
    first = [3 if lies else 0 for lies in lying]
    readings = reader.read(
        [np.ascontiguousarray(np.rot90(crop, -turn)) for crop, turn in zip(crops, first, strict=True)]
    )
    best = [
        Piece(quad=boxes.turned(place.quad, -turn), reading=reading)
        for place, turn, reading in zip(places, first, readings, strict=True)
    ]
    again = [
        (at, turn, trim)
        for at, piece in enumerate(best)
        if piece.reading.confidence < SURE
        for turn, trim in _others(lying[at])
    ]
    others = reader.read([_trimmed(np.ascontiguousarray(np.rot90(crops[at], -turn)), trim) for at, turn, trim in again])
    for (at, turn, _), reading in zip(again, others, strict=True):
        margin = 0.0 if turn == first[at] else BETTER
        if reading.confidence > best[at].reading.confidence + margin and _says_as_much(reading, best[at].reading):
            best[at] = Piece(quad=boxes.turned(places[at].quad, -turn), reading=reading)
    return best


def _others(lies: bool) -> tuple[tuple[int, bool], ...]:
    """Other ways of looking: clockwise quarter turns, and whether to trim."""
    return ((3, True), (1, False), (1, True), (0, False)) if lies else ((0, True), (2, False))


def _trimmed(crop: Pixels, trim: bool) -> Pixels:
    margin = round(TRIMMED * crop.shape[0]) if trim else 0
    return crop[margin : crop.shape[0] - margin] if margin else crop


def _says_as_much(new: Reading, old: Reading) -> bool:
    """A surer reading of fewer letters is no better: it has left the difficult ones out."""
    return 5 * len(new.text) >= 4 * len(old.text)
