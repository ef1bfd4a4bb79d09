"""Where to look again, larger: around small letters, of which the first look misses some."""

from __future__ import annotations

import math
from collections.abc import Sequence

from adology_text import boxes, tiles
from adology_text.settings import When
from adology_text.tiles import Place, Plan, Tile

SMALL = 28.0
"""Boxes lower than this, at the scale of looking, hold small letters: about 18 px high at most."""

LARGER = 2.0
WHOLE = 1.5
"""How much larger the whole picture is looked at again."""

WORTH = 1.25
"""Looking again less enlarged than this finds nothing new."""

FEW = 2
LIKELY = 0.5
"""With fewer places that look so much like text the whole picture is looked at again: small letters may be all."""

MOST_PIXELS = 3_200_000
"""Pixels looked at anew, at the larger scale; areas with most small places come first."""

ABOVE = 3.0
BESIDE = 5.0
"""The area around a small place, in its heights: lines that were missed are near those that were found."""


def zooms(places: Sequence[Place], whole: Tile, scale: float, when: When) -> list[tuple[Tile, Plan]]:
    """Areas of the picture and how to look at each; `scale` is that of the first look."""
    likely = sum(place.score >= LIKELY for place in places)
    if when == "never":
        return []
    if scale < WHOLE and (when == "always" or likely < FEW):
        width, height = whole.right - whole.left, whole.bottom - whole.top
        larger = WHOLE * scale if when == "always" else min(WHOLE * scale, math.sqrt(MOST_PIXELS / (width * height)))
        return [(whole, tiles.scaled(width, height, larger))] if larger >= WORTH * scale else []
    small = [place for place in places if min(boxes.size(place.quad)) * scale < SMALL]
    left = MOST_PIXELS
    found: list[tuple[Tile, Plan]] = []
    for area, _ in _areas(small, whole):
        width, height = area.right - area.left, area.bottom - area.top
        larger = min(LARGER * scale, math.sqrt(max(0, left) / max(1, width * height)))
        if larger < WORTH * scale:
            continue
        plan = tiles.scaled(width, height, larger)
        left -= plan.width * plan.height
        found.append((area, plan))
    return found


def _areas(small: Sequence[Place], whole: Tile) -> list[tuple[Tile, int]]:
    """Areas apart from each other, with how many places each has, most first."""
    areas: list[tuple[Tile, int]] = []
    for place in small:
        new, count = _around(place, whole), 1
        while True:
            touching = next((one for one in areas if _touch(one[0], new)), None)
            if touching is None:
                break
            areas.remove(touching)
            new, count = _both(touching[0], new), count + touching[1]
        areas.append((new, count))
    return sorted(areas, key=lambda one: (-one[1], one[0].top, one[0].left))


def _around(place: Place, whole: Tile) -> Tile:
    left, top, right, bottom = boxes.bounds(place.quad)
    height = max(8.0, min(right - left, bottom - top))
    return Tile(
        left=max(whole.left, int(left - BESIDE * height)),
        top=max(whole.top, int(top - ABOVE * height)),
        right=min(whole.right, math.ceil(right + BESIDE * height)),
        bottom=min(whole.bottom, math.ceil(bottom + ABOVE * height)),
    )


def _touch(a: Tile, b: Tile) -> bool:
    return a.left <= b.right and b.left <= a.right and a.top <= b.bottom and b.top <= a.bottom


def _both(a: Tile, b: Tile) -> Tile:
    return Tile(
        left=min(a.left, b.left), top=min(a.top, b.top), right=max(a.right, b.right), bottom=max(a.bottom, b.bottom)
    )
