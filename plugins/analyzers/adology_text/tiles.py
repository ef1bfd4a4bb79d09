"""Pieces in which a picture is looked through, and putting together what they show.

Boxes are joined before anything is read: a line that a border cuts becomes one place again and
is then read whole from the picture itself, so that none comes twice or in halves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from adology import Struct
from adology_text import boxes
from adology_text.boxes import Quad

SIDE = 1280
"""Longest side of a tile, pixels at the scale of looking."""

ALONE = 2_300_000
"""Pictures of at most so many pixels are looked at in one piece, whatever their shape."""

LONGEST = 6000
"""A piece is never longer than this."""

OVERLAP = 192
"""Neighbouring tiles share this much: more than most lines are high."""

ENOUGH = 736
"""Shorter sides below this are enlarged up to it, as far as `LARGER` allows."""

LARGER = 8.0
EDGE = 0.7
"""A box this near to an inner border, in heights, may be cut: the finder is shy at borders."""

SAME = 0.6
"""Overlap over the smaller box from which two boxes of neighbouring tiles are one place."""

SAME_ROW = 0.6
SAME_HEIGHT = 1.8


class Tile(Struct, frozen=True, kw_only=True):
    """A piece, in pixels at the scale of looking."""

    left: int
    top: int
    right: int
    bottom: int


class Plan(Struct, frozen=True, kw_only=True):
    """The scale at which to look, and the pieces at that scale."""

    scale: float
    width: int
    height: int
    tiles: tuple[Tile, ...]


class Place(Struct, frozen=True, kw_only=True):
    """A box, how much it looks like text in [0, 1], and whether a tile's border may cut it."""

    quad: Quad
    score: float
    cut: bool = False


def plan(width: int, height: int, most_pixels: int) -> Plan:
    """How to look through a picture of this size; `most_pixels` bounds the work."""
    scale = min(1.0, math.sqrt(most_pixels / (width * height)))
    if scale == 1.0 and min(width, height) < ENOUGH:
        room = math.sqrt(min(ALONE, most_pixels) / (width * height))
        scale = max(1.0, min(ENOUGH / min(width, height), LARGER, room))
    return scaled(width, height, scale)


def scaled(width: int, height: int, scale: float) -> Plan:
    """Looking through an area of this size at this scale."""
    shown = (max(1, round(width * scale)), max(1, round(height * scale)))
    alone = shown[0] * shown[1] <= ALONE and max(shown) <= LONGEST
    tiles = tuple(
        Tile(left=left, top=top, right=right, bottom=bottom)
        for top, bottom in ([(0, shown[1])] if alone else _stretches(shown[1]))
        for left, right in ([(0, shown[0])] if alone else _stretches(shown[0]))
    )
    return Plan(scale=scale, width=shown[0], height=shown[1], tiles=tiles)


def _stretches(length: int) -> Iterator[tuple[int, int]]:
    if length <= SIDE:
        yield 0, length
        return
    count = math.ceil((length - OVERLAP) / (SIDE - OVERLAP))
    side = math.ceil((length + OVERLAP * (count - 1)) / count)
    for at in range(count):
        start = round(at * (length - side) / (count - 1))
        yield start, start + side


def is_cut(quad: Quad, tile: Tile, plan: Plan) -> bool:
    """Whether the box reaches a border of the tile that is not one of the picture."""
    left, top, right, bottom = boxes.bounds(quad)
    edge = max(3.0, EDGE * min(right - left, bottom - top))
    return (
        (tile.left > 0 and left <= tile.left + edge)
        or (tile.top > 0 and top <= tile.top + edge)
        or (tile.right < plan.width and right >= tile.right - edge)
        or (tile.bottom < plan.height and bottom >= tile.bottom - edge)
    )


def is_theirs(quad: Quad, tile: Tile, plan: Plan) -> bool:
    """Whether the tile above or below sees the box better: it lies nearer to that one's middle."""
    _, top, _, bottom = boxes.bounds(quad)
    if bottom - top > OVERLAP:
        return False
    middle = (top + bottom) / 2
    above = max((t.bottom for t in plan.tiles if t.top < tile.top), default=None)
    below = min((t.top for t in plan.tiles if t.top > tile.top), default=None)
    return (above is not None and middle < (above + tile.top) / 2) or (
        below is not None and middle >= (below + tile.bottom) / 2
    )


def joined(places: Sequence[Place]) -> list[Place]:
    """Each place once: doubles dropped, pieces of one line put together."""
    rest = sorted(places, key=lambda place: (-_length(place), place.quad.tolist()))
    kept: list[Place] = []
    for place in rest:
        merged = place
        changed = True
        while changed:
            changed = False
            for other in kept:
                if _is_one(merged, other):
                    kept = [one for one in kept if one is not other]
                    merged = _together(merged, other)
                    changed = True
                    break
        kept.append(merged)
    return kept


def _length(place: Place) -> float:
    return boxes.size(place.quad)[0]


def _is_one(a: Place, b: Place) -> bool:
    heights = sorted((boxes.size(a.quad)[1], boxes.size(b.quad)[1]))
    shared = boxes.overlap(a.quad, b.quad)
    if shared >= SAME and (heights[1] <= SAME_HEIGHT * heights[0] or a.cut or b.cut):
        return True
    level = boxes.is_level(a.quad) and boxes.is_level(b.quad)
    return (
        level
        and (a.cut and b.cut)
        and shared > 0
        and heights[1] <= SAME_HEIGHT * heights[0]
        and boxes.share_along(a.quad, b.quad, 1) >= SAME_ROW
    )


def _together(a: Place, b: Place) -> Place:
    if not (a.cut or b.cut):
        return max((a, b), key=lambda place: (place.score, place.quad.tolist()))
    if a.cut != b.cut and boxes.overlap(a.quad, b.quad) >= SAME:
        # A whole box beats a piece of it, which may be cut across its letters.
        whole, piece = (b, a) if a.cut else (a, b)
        if _length(whole) >= _length(piece):
            return whole
    return Place(quad=boxes.around([a.quad, b.quad]), score=max(a.score, b.score), cut=a.cut and b.cut)


def moved(quads: Sequence[Quad], tile: Tile) -> list[Quad]:
    """Boxes found in a tile, in the coordinates of the whole."""
    corner = np.array([tile.left, tile.top], dtype=np.float64)
    return [np.asarray(quad, dtype=np.float64) + corner for quad in quads]
