"""What every text model looks like from here, be it in this process or asked over a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol

from adology import AdologyError, Context
from adology_embeddings.space import Space
from adology_embeddings.vectors import Vector

Role = Literal["passage", "query"]
"""What a text is for: to be found (an ad's copy), or to find by (what somebody typed)."""


class Placed(NamedTuple):
    """A vector of length 1, and the space that it is of."""

    space: Space
    vector: Vector


class Embedder(Protocol):
    """Turns texts into vectors. One per process; calls may come at the same time."""

    async def embed(
        self, ctx: Context[Any], texts: Sequence[str], role: Role = "passage"
    ) -> Sequence[Placed | AdologyError]:
        """One vector per text, in the same order; independent of what else is in the call.

        An error that is about one text stands in its place. `texts` are not empty, and bounded.
        What is paid goes through ``ctx.paid``. Raise `Retry` or `Deferred` for passing faults,
        `ConfigError` when the model is not there.
        """
        ...
