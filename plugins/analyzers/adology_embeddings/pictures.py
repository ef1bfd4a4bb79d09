"""What runs in a child process: a creative's file decoded, and embedded there or made into small JPEGs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec

from adology import Struct
from adology.errors import MediaUnusableError
from adology_embeddings.space import Space, make_space
from adology_embeddings.vectors import Vector, normalise
from adology_embeddings.visual_model import VisualEmbedding
from adology_embeddings.weaving import Picture, weave
from adology_media.palette import tone
from adology_open_nsfw import POOL_SIZE, Sights, look, model_version, read

MODEL = "open-nsfw-pool"
SIDE = 640
"""Longest side of what a vendor is sent."""
LOCAL_SIDE = 320
"""Longest side of a video's frames for the local model, which looks at 256."""
QUALITY = 90


class Looking(Struct, frozen=True, kw_only=True):
    """Which file, how much of it; `plugin` is whose settings errors name."""

    path: str
    scratch: str | None = None
    plugin: str = "visual_embedding"
    frames: int = 6
    max_pixels: int = 64_000_000


class Shot(Struct, frozen=True, kw_only=True):
    """One picture as a JPEG of at most 640 pixels a side; `time_s` seconds from the start, None for a still."""

    jpeg: bytes
    flat: bool
    time_s: float | None = None


def space() -> Space:
    """``open-nsfw-pool/<version of the package>/1024/f32``."""
    return make_space(MODEL, model_version(), POOL_SIZE)


def embed_file(looking: dict[str, Any], frame_vectors: int, threads: int) -> VisualEmbedding:
    """The vector of a file, by the local model; `looking` is a `Looking` as plain data.

    Raises:
        MediaUnusableError: it is no picture or video, is broken, or larger than the limits.
        ConfigError: the model's package is not installed.
    """
    wanted = msgspec.convert(looking, Looking)
    sights = _look(wanted, LOCAL_SIDE)
    return embed(sights, plugin=wanted.plugin, frame_vectors=frame_vectors, threads=threads)


def shots_of(looking: dict[str, Any]) -> list[Shot]:
    """The pictures of a file for a vendor; `looking` is a `Looking` as plain data.

    Raises:
        MediaUnusableError: it is no picture or video, is broken, or larger than the limits.
    """
    shots = []
    for sight in _look(msgspec.convert(looking, Looking), SIDE).pictures:
        data = io.BytesIO()
        sight.picture.save(data, "JPEG", quality=QUALITY)
        shots.append(Shot(jpeg=data.getvalue(), flat=tone(sight.picture)[1], time_s=sight.time_s))
    return shots


def embed(
    sights: Sights, *, plugin: str = "visual_embedding", frame_vectors: int = 6, threads: int = 1
) -> VisualEmbedding:
    """The local model's vector of what was seen.

    Raises:
        ConfigError: the model's package is not installed.
        MediaUnusableError: the model sees nothing in a picture.
    """
    readings = read([sight.picture for sight in sights.pictures], plugin=plugin, threads=threads)
    try:
        vectors: list[Vector] = [normalise(reading.pool) for reading in readings]
    except ValueError as error:
        raise MediaUnusableError(f"the model sees nothing in the picture: {error}") from error
    seen = [
        Picture(vector=vector, flat=tone(sight.picture)[1], time_s=sight.time_s)
        for sight, vector in zip(sights.pictures, vectors, strict=True)
    ]
    return weave(seen, space(), frame_vectors)


def _look(looking: Looking, side: int) -> Sights:
    return look(
        Path(looking.path),
        frames=looking.frames,
        max_pixels=looking.max_pixels,
        analyzer=looking.plugin,
        scratch=Path(looking.scratch) if looking.scratch else None,
        side=side,
    )
