"""Embeddings keep every float32, and are shown with no digit too many."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adology_registry.floats import pack_floats, unpack_floats

float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(float32))
@example([0.0, -0.0, 1.401298464324817e-45, -3.4028234663852886e38, 16777216.0])
def test_every_float32_survives_the_way_through_numbers(numbers: list[float]) -> None:
    packed = struct.pack(f"<{len(numbers)}f", *numbers)
    assert pack_floats(unpack_floats(packed)) == packed


@given(st.integers(-999_999, 999_999), st.integers(-12, 12))
def test_short_decimals_come_back_as_they_were_written(digits: int, exponent: int) -> None:
    number = float(f"{digits}e{exponent}")
    packed = pack_floats([number])
    assert packed is not None
    assert unpack_floats(packed) == [number]


def test_embeddings_of_models_are_shown_as_short_as_numpy_shows_them() -> None:
    numbers = np.random.default_rng(7).normal(scale=0.05, size=4096).astype("<f4")
    shown = unpack_floats(numbers.tobytes())
    assert [len(repr(number)) for number in shown] == [len(str(float(str(number)))) for number in numbers]


def test_nothing_and_empty_are_kept_apart() -> None:
    assert pack_floats(None) is None
    assert pack_floats([]) == b""
    assert unpack_floats(b"") == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([3.5e38], "too large for float32"),
        ([1.0, math.inf], "not finite"),
        ([math.nan], "not finite"),
        (struct.pack("<f", math.nan), "not finite"),
        (b"12345", "5 bytes"),
    ],
)
def test_what_is_no_embedding_is_refused(value: bytes | list[float], words: str) -> None:
    with pytest.raises(ValueError, match=f"`embedding` .*{words}"):
        pack_floats(value)
