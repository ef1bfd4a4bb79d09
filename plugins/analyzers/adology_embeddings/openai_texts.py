"""Texts embedded by OpenAI, or by a server that speaks like it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adology import ConfigError, Context
from adology_embeddings.embedder import Placed, Role
from adology_embeddings.providers import OPENAI_LENGTHS, Choice, openai_space


class OpenAITexts:
    """An `Embedder`. All texts of a call leave in one request."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice

    async def embed(
        self,
        ctx: Context[Any],
        texts: Sequence[str],
        role: Role = "passage",  # noqa: ARG002 - these models make no difference
    ) -> list[Placed]:
        """See `Embedder`. The space names the model as the vendor does in its answer.

        Raises:
            ConfigError: the vectors have another length than the model has: they would be another space.
        """
        from adology.vendors import openai  # noqa: PLC0415 - HTTP and SDK, which a local model does without

        if not texts:
            return []
        answer = await openai.embed_texts(ctx, texts, self._choice.model, dimensions=self._choice.dimensions)
        length = answer.vectors.shape[1]
        usual = OPENAI_LENGTHS.get(self._choice.model, length)
        if self._choice.dimensions is None and length != usual:
            problem = f"{self._choice.model} gave vectors of {length} numbers, not of {usual}"
            hint = "They would be another space. Say which length is wanted."
            raise ConfigError(f"analyzers.{ctx.plugin}.dimensions", problem, hint, code="ADO-3209")
        return [Placed(openai_space(answer.model, length), row) for row in answer.vectors]
