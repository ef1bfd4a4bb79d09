"""Vectors as numbers and as text: base64 of float32, little-endian, in the order of the dimensions.

Text, since results are JSON: it comes back from a queue, from jsonb and from MongoDB bit by bit,
at four thirds of the bytes. A list of numbers would take five times as much and lose its type.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from adology_embeddings.space import Space, SpacesDifferError, parse_space

Vector = NDArray[np.float32]
"""Shape (dimensions,), length 1."""

STORED = np.dtype("<f4")
LEAST_LENGTH = 1e-12


class Embedded(Protocol):
    """What can be compared: any result that names its space and holds a packed vector."""

    @property
    def space(self) -> str:
        """The id of its space."""
        ...

    @property
    def vector(self) -> str:
        """The packed vector."""
        ...


def normalise(vector: NDArray[np.floating]) -> Vector:
    """The vector at length 1, as float32.

    Raises:
        ValueError: it has no direction: all zeros, or a number that is not finite.
    """
    exact = vector.astype(np.float64)
    length = float(np.linalg.norm(exact))
    if not np.isfinite(length) or length < LEAST_LENGTH:
        raise ValueError(f"a vector of length {length} has no direction")
    return (exact / length).astype(np.float32)


def mean(vectors: Sequence[Vector]) -> Vector:
    """The direction between vectors, at length 1: what stands for several pictures of one film.

    Raises:
        ValueError: there are none, or they cancel each other out.
    """
    return normalise(np.mean(np.stack(vectors).astype(np.float64), axis=0))


def pack(vector: NDArray[np.floating], space: Space) -> str:
    """The vector as it is stored.

    Raises:
        ValueError: it does not have the space's dimensions, or a number is not finite.
    """
    if vector.shape != (space.dimensions,):
        raise ValueError(f"a vector of shape {vector.shape} does not belong to {space.id}")
    if not np.isfinite(vector).all():
        raise ValueError(f"a vector for {space.id} holds a number that is not finite")
    return base64.b64encode(vector.astype(STORED).tobytes()).decode("ascii")


def unpack(packed: str, space: str | Space) -> Vector:
    """The vector that `pack` stored, bit by bit; a copy that may be written to.

    Raises:
        ValueError: it is no base64, or not of the space's size.
    """
    of = parse_space(space) if isinstance(space, str) else space
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"a vector of {of.id} is not stored as base64: {error}") from error
    if len(data) != of.size_bytes:
        raise ValueError(f"a vector of {of.id} takes {of.size_bytes} bytes; {len(data)} are stored")
    return np.frombuffer(data, STORED).astype(np.float32)


def cosine(a: Embedded, b: Embedded) -> float:
    """How alike two results are, in [-1, 1]; 1: the same direction.

    Raises:
        SpacesDifferError: they are of two spaces.
        ValueError: a stored vector is damaged.
    """
    if a.space != b.space:
        raise SpacesDifferError(a.space, b.space)
    one, other = normalise(unpack(a.vector, a.space)), normalise(unpack(b.vector, b.space))
    return float(np.clip(np.dot(one.astype(np.float64), other.astype(np.float64)), -1.0, 1.0))
