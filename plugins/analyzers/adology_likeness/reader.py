"""From a creative's file to its signature."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adology_likeness import pictures, words
from adology_likeness.limits import IMAGE_TOKENS, VIDEO_TOKENS
from adology_likeness.model import RECIPE, Shot, Signature
from adology_likeness.settings import LikenessSettings
from adology_open_nsfw import Sight, Sights, look

FRAME_SIDE = 128
FRAME_BYTES = 1200
FRAME_POINTS = 48
"""Keypoints per frame that tokens come from."""
CHANGE = 12.0
"""Mean change of those third of the pixels that change most, levels of 255, from which another frame is kept.

Not of all pixels: letterboxes and frames of templates never change."""
RAISED = 1.3
"""Where too many frames are kept, the change is raised by this factor until few enough are."""
SMALL = 24
PLAIN = 4.0
"""Standard deviation, levels, below which a frame shows nothing that could be found again."""


def read(
    path: Path, settings: LikenessSettings, *, analyzer: str = "likeness", scratch: Path | None = None
) -> Signature:
    """The signature of an image or a video file; animated images count as videos.

    Raises:
        MediaUnusableError: it is no picture or video, is broken, or larger than the limits.
    """
    sights = look(path, frames=settings.moments, max_pixels=settings.max_pixels, analyzer=analyzer, scratch=scratch)
    return remember(sights, settings)


def remember(sights: Sights, settings: LikenessSettings) -> Signature:
    """The signature of what was seen."""
    if len(sights.pictures) == 1 and sights.pictures[0].time_s is None:
        return remember_picture(sights.pictures[0].picture)
    return _remember_film(sights, settings)


def remember_picture(picture: Image.Image) -> Signature:
    """The signature of one RGB picture."""
    points = pictures.find(picture)
    return Signature(
        recipe=RECIPE,
        kind="image",
        tokens=words.first_words([pictures.picture_words(picture, points)], IMAGE_TOKENS),
        shots=(pictures.remember(picture, points),),
    )


def _remember_film(sights: Sights, settings: LikenessSettings) -> Signature:
    runs = _runs(sights.pictures, settings.shots)
    ends = [run[0].time_s or 0.0 for run in runs[1:]]
    last = sights.pictures[-1].time_s or 0.0
    ends.append(max(last, sights.duration_s or last))
    shots, ranked = [], []
    for run, end in zip(runs, ends, strict=True):
        picture = run[len(run) // 2].picture
        shots.append(_frame(picture, run[0].time_s or 0.0, end))
        ranked.append(pictures.picture_words(picture, pictures.find(picture, FRAME_POINTS)))
    return Signature(
        recipe=RECIPE,
        kind="video",
        tokens=words.first_words(ranked, VIDEO_TOKENS),
        shots=tuple(shots),
        duration_s=None if sights.duration_s is None else round(sights.duration_s, 3),
        damaged=sights.damaged,
    )


def _frame(picture: Image.Image, start_s: float, end_s: float) -> Shot:
    """A frame is kept small and without keypoints: these are found anew in the few videos that are compared."""
    return Shot(
        picture=pictures.shrunk(picture, FRAME_SIDE, FRAME_BYTES),
        width=picture.width,
        height=picture.height,
        start_s=round(start_s, 3),
        end_s=round(max(start_s, end_s), 3),
    )


def _runs(sights: tuple[Sight, ...], most: int) -> list[list[Sight]]:
    """Moments in a row that look alike, at most `most` rows; what shows nothing is left out unless all is so."""
    small = [_small(sight.picture) for sight in sights]
    telling = [i for i, values in enumerate(small) if values.std() >= PLAIN] or [0]
    change = CHANGE
    while True:
        runs: list[list[int]] = []
        for i in telling:
            new = not runs or _changed(small[i], small[runs[-1][0]]) > change
            if new or i != runs[-1][-1] + 1:
                runs.append([i])
            else:
                runs[-1].append(i)
        if len(runs) <= most:
            return [[sights[i] for i in run] for run in runs]
        if change > 255:  # noqa: PLR2004 - gaps alone make so many
            return [[sights[i] for i in runs[j * len(runs) // most]] for j in range(most)]
        change *= RAISED


def _changed(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    by = np.sort(np.abs(one - other), axis=None)
    return float(by[-by.size // 3 :].mean())


def _small(picture: Image.Image) -> NDArray[np.float32]:
    return np.asarray(picture.convert("L").resize((SMALL, SMALL), Image.Resampling.BOX), dtype=np.float32)
