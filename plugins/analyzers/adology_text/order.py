"""The order in which people read: blocks from the top, in each its rows, in each from the left."""

from __future__ import annotations

from collections.abc import Sequence

from adology_text import boxes
from adology_text.boxes import Quad

ROW = 0.5
"""Share of the lower one's height that two pieces of a row have in common."""

BESIDE = 1.2
"""Widest space inside a row, in heights."""

BELOW = 0.9
"""Widest space between lines of a block, in heights of the smaller."""

UNDER = 0.3
"""Share of the shorter one's width that lines of a block have in common."""

ALIKE = 2.0
"""Heights in one block differ by no more than this factor."""


def reading_order(quads: Sequence[Quad]) -> list[int]:
    """Indices in reading order."""
    groups = _blocks(quads)
    arounds = [boxes.from_bounds(*boxes.bounds(boxes.around([quads[at] for at in group]))) for group in groups]
    return [at for number in _cut(list(range(len(groups))), arounds) for at in _rows(groups[number], quads)]


def _blocks(quads: Sequence[Quad]) -> list[list[int]]:
    """Lines that belong together."""
    parent = list(range(len(quads)))

    def root(at: int) -> int:
        while parent[at] != at:
            at = parent[at]
        return at

    for a in range(len(quads)):
        for b in range(a):
            if root(a) != root(b) and _is_near(quads[a], quads[b]):
                parent[root(a)] = root(b)
    groups: dict[int, list[int]] = {}
    for at in range(len(quads)):
        groups.setdefault(root(at), []).append(at)
    return list(groups.values())


def _is_near(a: Quad, b: Quad) -> bool:
    low, high = sorted((_height(a), _height(b)))
    if high > ALIKE * max(low, 1.0):
        return False
    if boxes.share_along(a, b, 1) >= ROW:
        return boxes.gap(a, b, 0) < BESIDE * high
    return boxes.share_along(a, b, 0) >= UNDER and boxes.gap(a, b, 1) < BELOW * low


def _height(quad: Quad) -> float:
    _, top, _, bottom = boxes.bounds(quad)
    return bottom - top


def _cut(numbers: list[int], arounds: Sequence[Quad]) -> list[int]:
    """Blocks in order: cut along empty stripes across, else down, else by where they begin."""
    if len(numbers) <= 1:
        return numbers
    for axis in (1, 0):
        parts = _split(numbers, arounds, axis)
        if len(parts) > 1:
            return [number for part in parts for number in _cut(part, arounds)]
    return sorted(numbers, key=lambda n: (boxes.bounds(arounds[n])[1], boxes.bounds(arounds[n])[0], n))


def _split(numbers: list[int], arounds: Sequence[Quad], axis: int) -> list[list[int]]:
    parts: list[list[int]] = []
    end = float("-inf")
    for number in sorted(numbers, key=lambda n: (arounds[n][:, axis].min(), n)):
        start, stop = float(arounds[number][:, axis].min()), float(arounds[number][:, axis].max())
        # Boxes are a little larger than their text, so touching ones are apart.
        slack = 0.25 * min(stop - start, end - start) if end > start else 0.0
        if not parts or start >= end - slack:
            parts.append([number])
        else:
            parts[-1].append(number)
        end = max(end, stop)
    return parts


def _rows(block: list[int], quads: Sequence[Quad]) -> list[int]:
    rows: list[list[int]] = []
    for at in sorted(block, key=lambda at: (float(quads[at][:, 1].mean()), at)):
        if rows and boxes.share_along(quads[rows[-1][0]], quads[at], 1) >= ROW:
            rows[-1].append(at)
        else:
            rows.append([at])
    return [at for row in rows for at in sorted(row, key=lambda at: (boxes.bounds(quads[at])[0], at))]
