"""Pictures kept on the way, since only the end tells where the shots were."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adology_media.palette import tone

MOST = 400
"""Stills kept at once; beyond, every other one is dropped and fewer are taken from then on."""
EVERY_S = 0.5
GAP_S = 0.2
OTHER = 20.0
"""Mean difference of the summed channels, of 765, from which a picture is another one."""


@dataclass(frozen=True)
class Still:
    """A picture of the film at `time_s`, as JPEG. `flat`: without contrast, as black is."""

    time_s: float
    jpeg: bytes
    small: NDArray[np.uint8]
    flat: bool

    def open(self) -> Image.Image:
        """The picture."""
        return Image.open(io.BytesIO(self.jpeg))


class Stills:
    """Takes a still twice a second, and as soon as the picture is another one. Memory is bounded."""

    def __init__(self, side: int, quality: int) -> None:
        self.kept: list[Still] = []
        self._side = side
        self._quality = quality
        self._every_s, self._gap_s = EVERY_S, GAP_S

    def wants(self, time_s: float, small: NDArray[np.uint8]) -> bool:
        """Whether a still of this frame is worth its cost."""
        if not self.kept:
            return True
        last = self.kept[-1]
        since = time_s - last.time_s
        return since >= self._every_s or (since >= self._gap_s and _difference(small, last.small) > OTHER)

    def keep(self, time_s: float, small: NDArray[np.uint8], picture: Image.Image) -> None:
        """Keep it; the picture is as large as it is to be written."""
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=self._quality, optimize=True)
        self.kept.append(Still(time_s, buffer.getvalue(), small, tone(picture)[1]))
        if len(self.kept) > MOST:
            self.kept = self.kept[::2]
            self._every_s, self._gap_s = 2 * self._every_s, 2 * self._gap_s

    def within(self, start_s: float, end_s: float) -> Still | None:
        """The still nearest to the middle of a stretch, one with contrast where there is one."""
        inside = [still for still in self.kept if start_s <= still.time_s < end_s]
        middle = (start_s + end_s) / 2
        return min(inside, key=lambda still: (still.flat, abs(still.time_s - middle)), default=None)

    def spread(self, chosen: list[Still], count: int) -> list[Still]:
        """`chosen` and others that look different, each as far as can be from those before it, in order of time."""
        found = list(chosen)
        while len(found) < count:
            others = [
                still
                for still in self.kept
                if not still.flat and all(_difference(still.small, one.small) > OTHER for one in found)
            ]
            if not others:
                break
            found.append(max(others, key=lambda still: min((abs(still.time_s - o.time_s) for o in found), default=0.0)))
        return sorted(found, key=lambda still: still.time_s)


def _difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(np.int16) - b).sum(axis=0).mean())
