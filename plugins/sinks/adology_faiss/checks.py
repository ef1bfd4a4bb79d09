"""What every index checks before it does anything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from adology_faiss.errors import VectorIndexError, VectorRefusedError
from adology_faiss.interface import MOST_MATCHES
from adology_faiss.model import LONGEST_TEXT, Entry, Match, Vector

LENGTH_ERROR = 1e-3
"""Rounding to float32, and to what a vendor sends, stays far below."""
MOST_DIMENSIONS = 16_000
"""What a pgvector column takes."""
_BY_ID, _BY_SIMILARITY = itemgetter(0), itemgetter(1)


def check_space(space: str, dimensions: int) -> None:
    """Raise VectorIndexError for a space that no index can be made of."""
    if not 0 < len(space) <= LONGEST_TEXT:
        raise VectorIndexError(f"an embedding space needs an id of 1 to {LONGEST_TEXT} characters; seen: {len(space)}")
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise VectorIndexError(f"space {space!r}: dimensions must be 1 to {MOST_DIMENSIONS}; seen: {dimensions}")


def check_k(k: int) -> None:
    """Raise VectorIndexError for a number of matches that is out of range."""
    if not 1 <= k <= MOST_MATCHES:
        raise VectorIndexError(f"k must be 1 to {MOST_MATCHES}; seen: {k}")


def check_query(space: str, dimensions: int, vector: Vector) -> Vector:
    """The vector, contiguous; VectorRefusedError when it is not of the space."""
    return _check(space, dimensions, "the query", vector)


def last_of_each(space: str, dimensions: int, entries: Sequence[Entry]) -> list[Entry]:
    """The entries, each id once; VectorRefusedError when a vector is not of the space."""
    for entry in entries:
        _check(space, dimensions, f"entry {entry.id!r}", entry.vector)
    return list({entry.id: entry for entry in entries}.values())


def in_order(matches: list[Match]) -> list[Match]:
    """Matches by falling similarity, with those that are equally alike by id, and all within [-1, 1]."""
    if matches and (matches[0][1] > 1.0 or matches[-1][1] < -1.0):
        matches = [Match(name, min(1.0, max(-1.0, value))) for name, value in matches]
    # Sorting keeps the order of equal ones, also in reverse; one key of two parts takes twice as long.
    matches.sort(key=_BY_ID)
    matches.sort(key=_BY_SIMILARITY, reverse=True)
    return matches


def _check(space: str, dimensions: int, whose: str, vector: NDArray[np.float32]) -> Vector:
    if not isinstance(vector, np.ndarray) or vector.dtype != np.float32:
        seen = vector.dtype if isinstance(vector, np.ndarray) else type(vector).__name__
        raise VectorRefusedError(space, whose, f"it must be an array of float32; seen: {seen}")
    if vector.shape != (dimensions,):
        raise VectorRefusedError(space, whose, f"it must have {dimensions} dimensions; seen: shape {vector.shape}")
    # `np.linalg.norm` takes ten times as long, which shows beside a search of a tenth of a millisecond.
    length = math.sqrt(vector @ vector)
    if not math.isfinite(length):
        raise VectorRefusedError(space, whose, "it holds a number that is not finite")
    if abs(length - 1.0) > LENGTH_ERROR:
        raise VectorRefusedError(space, whose, f"its length must be 1 within {LENGTH_ERROR}; seen: {length:.6g}")
    return np.ascontiguousarray(vector)
