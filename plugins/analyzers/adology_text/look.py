"""One picture looked through: found, joined, read, put in reading order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from adology_text import boxes, tiles
from adology_text.between import signs_between
from adology_text.boxes import Pixels
from adology_text.ctc import Reading
from adology_text.order import reading_order
from adology_text.recognise import Reads, read_places, read_whole
from adology_text.rows import Piece, put_together, without_doubles
from adology_text.scripts import tidied
from adology_text.settings import When
from adology_text.tiles import Place, Plan, Tile
from adology_text.unreadable import doubted, readable
from adology_text.zoom import zooms

LOOKS_LIKE_TEXT = 0.5
"""Places that look less like it must read well to count."""

READS_WELL = 0.9
SHORT = 2
SHORT_READS = 0.85
"""Texts of at most `SHORT` letters must read this well: ornaments look like them."""

MOST_PLACES = 1500
"""Places read per picture; the likeliest ones count."""

LEAST_SIDE = 3
FAINT = 8
"""A picture in which no channel spans this much of 255 shows nothing, as black frames do."""


@dataclass(frozen=True)
class Seen:
    """What one picture shows. `scale` is that of looking, `unread` counts places without a reading."""

    pieces: tuple[Piece, ...]
    unread: int
    scale: float


def look(
    picture: Pixels, reader: Reads, *, most_pixels: int, least_confidence: float, second_look: When = "small"
) -> Seen:
    """The lines of a picture in reading order; boxes in the picture's own pixels."""
    height, width = picture.shape[:2]
    plan = tiles.plan(width, height, most_pixels)
    if int(np.ptp(picture.reshape(-1, 3), axis=0).max()) < FAINT:
        return Seen(pieces=(), unread=0, scale=plan.scale)
    places = _find(picture, plan, reader, second_look)
    read = read_places(picture, places, reader)
    counts = [_counts(piece.reading, place, least_confidence) for piece, place in zip(read, places, strict=True)]
    real = without_doubles([piece for piece, one in zip(read, counts, strict=True) if one])
    left = [place for place, one in zip(places, counts, strict=True) if not one and place.score >= LOOKS_LIKE_TEXT]
    unread = [p.quad for p in left if not any(boxes.overlap(p.quad, piece.quad) > 0 for piece in real)]
    known = readable(real, unread)
    lines, ornaments = tidied(read_whole(picture, put_together(known), reader))
    lines = doubted([*lines, *signs_between(picture, lines, reader)])
    order = reading_order([line.quad for line in lines])
    return Seen(
        pieces=tuple(lines[at] for at in order),
        unread=len(unread) + len(real) - len(known) + ornaments,
        scale=plan.scale,
    )


def _counts(reading: Reading, place: Place, least_confidence: float) -> bool:
    """Whether what was read there is text."""
    least = SHORT_READS if len(reading.text) <= SHORT else least_confidence
    if not reading.text or reading.confidence < least:
        return False
    return place.score >= LOOKS_LIKE_TEXT or reading.confidence >= READS_WELL


def _find(picture: Pixels, plan: Plan, reader: Reads, second_look: When) -> list[Place]:
    """Places that look like text: in the whole picture, then, larger, around the small ones."""
    whole = Tile(left=0, top=0, right=picture.shape[1], bottom=picture.shape[0])
    places = _find_in(picture, whole, plan, reader)
    for area, zoomed in zooms(places, whole, plan.scale, second_look):
        places += _find_in(picture, area, zoomed, reader)
    real = [place for place in places if min(boxes.size(place.quad)) >= LEAST_SIDE]
    return sorted(real, key=lambda place: (-place.score, place.quad.tolist()))[:MOST_PLACES]


def _find_in(picture: Pixels, area: Tile, plan: Plan, reader: Reads) -> list[Place]:
    """Places in one area of the picture, looked at as planned; in the picture's pixels."""
    part = picture[area.top : area.bottom, area.left : area.right]
    shown = part
    if (plan.height, plan.width) != part.shape[:2]:
        how = cv2.INTER_AREA if plan.scale < 1 else cv2.INTER_CUBIC
        shown = np.asarray(cv2.resize(part, (plan.width, plan.height), interpolation=how), dtype=np.uint8)
    found: list[Place] = []
    for tile in plan.tiles:
        quads, scores = reader.find(shown[tile.top : tile.bottom, tile.left : tile.right])
        for quad, score in zip(tiles.moved(list(quads), tile), scores, strict=True):
            if not tiles.is_theirs(quad, tile, plan):
                found.append(Place(quad=quad, score=round(float(score), 4), cut=tiles.is_cut(quad, tile, plan)))
    places = tiles.joined(found) if len(plan.tiles) > 1 else found
    back = np.array([part.shape[1] / plan.width, part.shape[0] / plan.height])
    return _inside(places, area, back, picture.shape[1::-1])


def _inside(
    places: Sequence[Place], area: Tile, back: np.ndarray[tuple[int], np.dtype[np.float64]], size: Sequence[int]
) -> list[Place]:
    """Places in the picture's pixels, without those that the area's own border cuts."""
    around = tiles.Plan(scale=1.0, width=size[0], height=size[1], tiles=())
    moved = [Place(quad=place.quad * back + (area.left, area.top), score=place.score) for place in places]
    return [place for place in moved if not tiles.is_cut(place.quad, area, around)]
