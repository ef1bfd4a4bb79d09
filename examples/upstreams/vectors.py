"""Embeddings that stand for a content: unit vectors drawn from its hash, always the same."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def vector_of(space: str, content: bytes, dimensions: int) -> NDArray[np.float32]:
    """A unit vector of `dimensions` float32; equal content of one `space` (a model) gives equal vectors."""
    digest = hashlib.sha256(space.encode() + b"\0" + content).digest()
    drawn = np.random.default_rng(int.from_bytes(digest[:8], "big")).standard_normal(dimensions)
    unit: NDArray[np.float32] = (drawn / np.linalg.norm(drawn)).astype("<f4")
    return unit
