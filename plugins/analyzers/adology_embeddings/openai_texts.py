"""Texts embedded by OpenAI, or by a server that speaks like it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from adology import ConfigError, Context
from adology_embeddings.embedder import Placed, Role
from adology_embeddings.providers import OPENAI_LENGTHS, Choice, openai_space

if TYPE_CHECKING:
    from adology.vendors.openai_forms import Form
    from adology.vendors.vectors import Embedded

ENDPOINT = "/v1/embeddings"


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
        return self._placed(ctx, answer)

    def form(self, text: str) -> tuple[Form, str]:
        """One text as a request of its own, and the model that is asked."""
        from adology.vendors.openai_forms import embeddings_form  # noqa: PLC0415 - as above

        return embeddings_form([text], self._choice.model, self._choice.dimensions), self._choice.model

    def read(self, ctx: Context[Any], answer: bytes) -> Placed:
        """The vector in the answer to such a request.

        Raises:
            UnusableAnswerError: there is none in it.
            ConfigError: it has another length than the model has.
        """
        from adology.vendors import UnusableAnswerError  # noqa: PLC0415 - as above
        from adology.vendors.openai_forms import read_embeddings  # noqa: PLC0415 - as above
        from adology.vendors.openai_wire import Embeddings  # noqa: PLC0415 - as above

        try:
            body = msgspec.json.decode(answer, type=Embeddings)
        except (msgspec.DecodeError, RecursionError):
            raise UnusableAnswerError(f"openai: {self._choice.model} answered with no embeddings") from None
        (placed,) = self._placed(ctx, read_embeddings(ctx, body, 1, self._choice.model, self._choice.dimensions))
        return placed

    def _placed(self, ctx: Context[Any], answer: Embedded) -> list[Placed]:
        length = answer.vectors.shape[1]
        usual = OPENAI_LENGTHS.get(self._choice.model, length)
        if self._choice.dimensions is None and length != usual:
            problem = f"{self._choice.model} gave vectors of {length} numbers, not of {usual}"
            hint = "They would be another space. Say which length is wanted."
            raise ConfigError(f"analyzers.{ctx.plugin}.dimensions", problem, hint, code="ADO-3209")
        return [Placed(openai_space(answer.model, length), row) for row in answer.vectors]
