"""Embeddings: float32 little-endian bytes inside, lists of numbers for people."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

FLOAT_BYTES = 4
FEWEST_DIGITS = 6
MOST_DIGITS = 9
"""Nine significant digits tell any two float32 apart."""
_EXACT_POWER = 22
"""Powers of ten up to this one are exact in double precision."""

Doubles = npt.NDArray[np.float64]


def pack_floats(values: bytes | list[float] | None) -> bytes | None:
    """`values` as float32 little-endian bytes; bytes are taken to be that already.

    Raises:
        ValueError: naming the field `embedding`: not whole floats, or not finite as float32.
    """
    if values is None:
        return None
    if isinstance(values, list):
        try:
            values = struct.pack(f"<{len(values)}f", *values)
        except OverflowError:
            raise ValueError("`embedding` has a number that is too large for float32") from None
    elif len(values) % FLOAT_BYTES:
        raise ValueError(f"`embedding` has {len(values)} bytes, which is no whole number of float32 (4 bytes each)")
    if not np.isfinite(np.frombuffer(values, dtype="<f4")).all():
        raise ValueError("`embedding` has a number that is not finite")
    return values


def unpack_floats(data: bytes) -> list[float]:
    """The numbers with as few digits as tell the float32 apart: what went in as 0.1 comes out as 0.1."""
    exact = np.frombuffer(data, dtype="<f4")
    wide = exact.astype(np.float64)
    magnitude = np.floor(np.log10(np.abs(wide), out=np.zeros_like(wide), where=wide != 0)).astype(np.int64)
    short = wide.copy()
    open_: Any = wide != 0
    for digits in range(FEWEST_DIGITS, MOST_DIGITS + 1):
        rounded = _round(wide, digits - 1 - magnitude)
        fits = open_ & (rounded.astype(np.float32) == exact)
        short[fits] = rounded[fits]
        open_ &= ~fits
    return short.tolist()  # type: ignore[no-any-return]  # numpy's stub says Any


def _round(values: Doubles, places: npt.NDArray[np.int64]) -> Doubles:
    """`values` rounded to decimal `places` (negative: tens, hundreds …), each as the nearest double.

    An integer divided or multiplied by an exact power of ten is rounded correctly once. Where the
    power is not exact the value stays as it is.
    """
    up = 10.0 ** np.clip(places, 0, _EXACT_POWER)
    down = 10.0 ** np.clip(-places, 0, _EXACT_POWER)
    rounded = np.rint(values * up / down) * down / up
    return np.where(np.abs(places) <= _EXACT_POWER, rounded, values)
