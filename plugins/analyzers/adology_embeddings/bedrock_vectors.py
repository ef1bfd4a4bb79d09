"""Texts and pictures embedded by Amazon Bedrock, in one space."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from adology import AdologyError, Context
from adology_embeddings.embedder import Placed, Role
from adology_embeddings.providers import Choice, bedrock_space
from adology_embeddings.vectors import Vector

AT_ONCE = 8
"""Calls under way: these models take one input each."""


class BedrockTexts:
    """An `Embedder`. What was paid for is kept: an error stands in the place of its own text alone."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice

    async def embed(
        self, ctx: Context[Any], texts: Sequence[str], role: Role = "passage"
    ) -> list[Placed | AdologyError]:
        """See `Embedder`. Nova is told whether a text is stored or asks for texts; Titan makes no difference."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(text: str) -> Placed | AdologyError:
            async with gate:
                try:
                    return await embed_text(ctx, self._choice, text, role)
                except AdologyError as error:
                    return error

        return list(await asyncio.gather(*map(one, texts)))


async def embed_text(
    ctx: Context[Any], choice: Choice, text: str, role: Role = "passage", *, of_pictures: bool = False
) -> Placed:
    """One text; as a query it asks for texts, or with `of_pictures` for pictures."""
    from adology.vendors import bedrock  # noqa: PLC0415 - the SDK, which a local model does without

    asks: bedrock.Purpose = "IMAGE_RETRIEVAL" if of_pictures else "TEXT_RETRIEVAL"
    length = choice.dimensions or 0
    answer = await bedrock.embed_text(
        ctx, choice.model, text, dimensions=length, purpose=asks if role == "query" else "GENERIC_INDEX"
    )
    return Placed(bedrock_space(answer.model, length), answer.vectors[0])


async def embed_pictures(ctx: Context[Any], choice: Choice, pictures: Sequence[bytes]) -> list[Vector]:
    """The vectors of JPEGs, one after the other: the first error ends it before more is paid."""
    from adology.vendors import bedrock  # noqa: PLC0415 - as above

    vectors: list[Vector] = []
    for picture in pictures:
        answer = await bedrock.embed_image(ctx, choice.model, picture, dimensions=choice.dimensions or 0)
        vectors.append(answer.vectors[0])
    return vectors
