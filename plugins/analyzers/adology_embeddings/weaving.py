"""From the vectors of single pictures to a creative's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from adology_embeddings.space import Space
from adology_embeddings.vectors import Vector, mean, pack
from adology_embeddings.visual_model import FrameVector, VisualEmbedding


class Picture(NamedTuple):
    """One picture's vector; `flat`: it has next to no contrast. `time_s` is None for a still."""

    vector: Vector
    flat: bool
    time_s: float | None


def weave(pictures: Sequence[Picture], space: Space, frame_vectors: int) -> VisualEmbedding:
    """The result; films begin and end in black, so frames without contrast do not count."""
    telling = [picture.vector for picture in pictures if not picture.flat] or [picture.vector for picture in pictures]
    return VisualEmbedding(
        space=space.id,
        vector=pack(mean(telling), space),
        pictures=len(telling),
        flat=all(picture.flat for picture in pictures),
        frames=_frames(pictures, space, frame_vectors),
    )


def _frames(pictures: Sequence[Picture], space: Space, most: int) -> tuple[FrameVector, ...]:
    """Vectors of single frames, evenly chosen where there are more than `most`."""
    timed = [
        FrameVector(time_s=picture.time_s, vector=pack(picture.vector, space))
        for picture in pictures
        if picture.time_s is not None
    ]
    if len(timed) <= most:
        return tuple(timed)
    return tuple(timed[(2 * i + 1) * len(timed) // (2 * most)] for i in range(most))
