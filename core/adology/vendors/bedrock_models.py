"""Which embedding models of Bedrock are known, and what they give. Imports nothing: settings are checked with it."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Family = Literal["titan", "nova"]

TITAN = "amazon.titan-embed-image-v1"
NOVA = "amazon.nova-2-multimodal-embeddings-v1:0"
DEFAULT_LENGTH = 1024
"""Numbers of a vector where none are asked for; both models have it."""

_LENGTHS: dict[Family, tuple[int, ...]] = {"titan": (256, 384, 1024), "nova": (256, 384, 1024, 3072)}
_NAME = re.compile(r"(amazon\.(titan-embed-image|nova-2-multimodal-embeddings))-v(\d+)(?::(\d+))?")


class EmbeddingModel(NamedTuple):
    """A model as its id names it: `name` and `version` without the region of an inference profile."""

    family: Family
    name: str
    version: str
    lengths: tuple[int, ...]


def find_model(model_id: str) -> EmbeddingModel | None:
    """The model that an id, an inference profile's id or an ARN names; None for one that is not known here."""
    found = _NAME.search(model_id)
    if found is None:
        return None
    family: Family = "titan" if found.group(2).startswith("titan") else "nova"
    version = found.group(3) if found.group(4) is None else f"{found.group(3)}.{found.group(4)}"
    return EmbeddingModel(family, found.group(1), version, _LENGTHS[family])
