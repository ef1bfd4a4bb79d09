"""What the visual embedding analyzer says. Stored as it is: fields are only ever added."""

from __future__ import annotations

from adology import Struct


class FrameVector(Struct, frozen=True, kw_only=True):
    """One frame of a video, `time_s` seconds from the start; `vector` is of the result's space."""

    time_s: float
    vector: str


class VisualEmbedding(Struct, frozen=True, kw_only=True):
    """One picture, or the sampled frames of one video together, as a vector of length 1.

    `space` is the id of the embedding space, ``model/version/dimensions/precision``; `vector` is
    base64 of float32, little-endian. `pictures` went into `vector`: 1 for an image;
    for a video the frames that are not flat, or all where every one is. `flat`: there was next to
    no contrast to look at, so it resembles everything that is blank. `frames` are the vectors of
    single frames in order of time, at most as many as the setting frame_vectors allows.
    """

    space: str
    vector: str
    pictures: int = 1
    flat: bool = False
    frames: tuple[FrameVector, ...] = ()
