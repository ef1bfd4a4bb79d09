"""Vectors as vendors send them, checked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

NO_LENGTH = 1e-6
UNIT_WITHIN = 1e-3


class Embedded(NamedTuple):
    """What was embedded. `vectors`: float32 (n, dimensions), unit length, in the order of the inputs.

    `model` is named as the vendor returned it: part of the name of the embedding space.
    """

    vectors: Vectors
    model: str
    input_tokens: int
    request_id: str


def to_unit(rows: Vectors) -> Vectors | None:
    """The rows at unit length; None when one is not finite or has no direction."""
    if not np.isfinite(rows).all():
        return None
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    if (lengths < NO_LENGTH).any():
        return None
    # Vendors send unit vectors; those are left as they are, to the bit.
    return rows if np.abs(lengths - 1).max(initial=0) < UNIT_WITHIN else (rows / lengths).astype(np.float32)
