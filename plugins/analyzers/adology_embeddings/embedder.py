"""What every text model looks like from here: the seam for models that are asked over a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from adology import Context
from adology_embeddings.space import Space
from adology_embeddings.vectors import Vector

Role = Literal["passage", "query"]
"""What a text is for: to be found (an ad's copy), or to find by (what somebody typed)."""


class Embedder(Protocol):
    """Turns texts into vectors of one space. One per process; calls may come at the same time."""

    @property
    def space(self) -> Space:
        """The space of all its vectors, known without asking the model."""
        ...

    async def embed(self, ctx: Context[Any], texts: Sequence[str], role: Role = "passage") -> list[Vector]:
        """One vector of length 1 per text, in the same order; independent of what else is in the call.

        `texts` are not empty, and bounded. What is paid goes through ``ctx.paid``. Raise `Retry`
        or `Deferred` for passing faults, `ConfigError` when the model is not there.
        """
        ...
