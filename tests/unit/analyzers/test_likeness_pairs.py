"""Proposals and groups, and what holds for every pair of creatives."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from adology_likeness import (
    IMAGE_TOKENS,
    Creative,
    Evidence,
    Group,
    Likeness,
    Pair,
    Signature,
    Span,
    compare,
    find,
    groups,
    tokens,
)
from adology_likeness.judge import turned_round
from adology_likeness.keypoints import Points, mirrored, pack, unpack
from adology_likeness.pairs import MOST_PROPOSED, MOST_SHARING, proposals
from adology_likeness.reader import remember_picture
from adology_likeness.words import first_words, words

from .media_files import scene

slow = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def creative(picture: Image.Image) -> Creative:
    return Creative(signature=remember_picture(picture))


def holding(*held: str) -> Creative:
    return Creative(signature=Signature(recipe=1, kind="image", tokens=held, shots=()))


def pair(a: str, b: str, confidence: float) -> Pair:
    return Pair(a=a, b=b, likeness=Likeness(kind="same", changes=("same",), confidence=confidence, evidence=Evidence()))


@slow
@given(
    seed=st.integers(0, 40),
    other=st.integers(0, 40),
    width=st.integers(60, 500),
    mirror=st.booleans(),
    cut=st.integers(0, 20),
)
def test_comparing_is_symmetric(seed: int, other: int, width: int, mirror: bool, cut: int) -> None:
    one = creative(scene(320, 240, seed=seed))
    changed = scene(320, 240, seed=seed if other % 2 else other).crop((cut, cut, 320 - cut, 240)).resize((width, 200))
    two = creative(ImageOps.mirror(changed) if mirror else changed)
    there, back = compare(one, two, least=0.0), compare(two, one, least=0.0)
    assert (there is None) == (back is None)
    if there is not None and back is not None:
        assert msgspec.structs.replace(there, evidence=Evidence()) == msgspec.structs.replace(back, evidence=Evidence())
        scale = there.evidence.scale * back.evidence.scale
        assert scale == pytest.approx(1.0, rel=0.02)
        assert msgspec.structs.replace(there.evidence, scale=1.0) == msgspec.structs.replace(back.evidence, scale=1.0)
        assert 0 <= there.confidence <= 1


@slow
@given(st.integers(1, 700), st.integers(1, 700), st.integers(0, 2**32 - 1))
def test_any_picture_has_a_bounded_signature(width: int, height: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    of = remember_picture(Image.fromarray(noise, "RGB"))
    assert len(tokens(of)) <= IMAGE_TOKENS
    assert len(msgspec.json.encode(of)) < 20_000
    assert of == remember_picture(Image.fromarray(noise, "RGB"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text("ab", max_size=3), max_size=9), max_size=6), st.integers(0, 12))
def test_tokens_are_taken_in_turns_and_bounded(ranked: list[list[str]], most: int) -> None:
    taken = first_words(ranked, most)
    assert len(taken) <= most
    assert len(set(taken)) == len(taken)
    assert set(taken) <= {token for one in ranked for token in one}
    if most >= len(ranked):
        assert {one[0] for one in ranked if one} <= set(taken)


def some_points(count: int) -> Points:
    rng = np.random.default_rng(1)
    about = rng.random((count, 128)).astype(np.float32)
    about /= np.linalg.norm(about, axis=1, keepdims=True)
    return Points(
        rng.random((count, 2)).astype(np.float32),
        rng.uniform(0.01, 0.2, count).astype(np.float32),
        rng.uniform(0, 6.28, count).astype(np.float32),
        about,
    )


def test_keypoints_survive_packing_nearly() -> None:
    points, again = some_points(20), unpack(pack(some_points(20)))
    np.testing.assert_allclose(again.places, points.places, atol=1e-4)
    np.testing.assert_allclose(again.sizes, points.sizes, rtol=0.03)
    assert np.abs(np.angle(np.exp(1j * (again.angles - points.angles)))).max() < 0.02
    assert (again.about * points.about).sum(axis=1).min() > 0.99


def test_mirroring_keypoints_twice_changes_nothing_and_tokens_never_change() -> None:
    points = some_points(20)
    twice = mirrored(mirrored(points))
    np.testing.assert_array_equal(twice.about, points.about)
    np.testing.assert_allclose(twice.places, points.places)
    assert words(mirrored(points)) == words(points)


def test_keypoints_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="70 bytes each; 3 are stored"):
        unpack("AAAA")
    with pytest.raises(ValueError, match="not stored as base64"):
        unpack("é")


def test_a_token_that_many_hold_proposes_nothing() -> None:
    many = {f"{i:04}": holding("common", f"own {i}") for i in range(MOST_SHARING + 1)}
    assert proposals(many) == []
    assert proposals({"a": holding("x"), "b": holding("x"), "c": holding("y")}) == [("a", "b")]


def test_those_that_share_most_are_compared_first_and_not_all() -> None:
    crowd = {f"n{i:03}": holding("x", *(f"{i} {j}" for j in range(2))) for i in range(MOST_PROPOSED + 20)}
    crowd["a"] = holding("x", "69 0", "69 1")
    proposed = proposals(crowd)
    assert ("a", "n069") in proposed
    assert sum("a" in names for names in proposed) <= len(crowd) - 1


def test_find_and_groups_bring_a_folder_together() -> None:
    folder = {
        "a": creative(scene(400, 300, seed=1)),
        "b": creative(scene(400, 300, seed=1).resize((200, 150))),
        "c": creative(ImageOps.mirror(scene(400, 300, seed=1))),
        "d": creative(scene(400, 300, seed=8)),
    }
    pairs = list(find(folder))
    assert [(pair.a, pair.b) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    (group,) = groups(pairs)
    assert group.members == ("a", "b", "c")


def test_a_groups_confidence_is_that_of_its_weakest_needed_link() -> None:
    pairs = [pair("a", "b", 0.9), pair("b", "c", 0.7), pair("a", "c", 0.6), pair("x", "y", 0.4), pair("m", "n", 0.95)]
    assert groups(pairs, least=0.5) == [
        Group(members=("a", "b", "c"), confidence=0.7),
        Group(members=("m", "n"), confidence=0.95),
    ]
    assert groups([]) == []


def test_turning_a_likeness_round_swaps_its_sides() -> None:
    spans = (
        Span(a_start_s=0, a_end_s=2, b_start_s=10, b_end_s=12),
        Span(a_start_s=5, a_end_s=6, b_start_s=3, b_end_s=4),
    )
    likeness = Likeness(
        kind="trim", changes=("trim",), confidence=0.8, evidence=Evidence(scale=0.5, points=9), spans=spans
    )
    turned = turned_round(likeness)
    assert turned.evidence.scale == 2.0
    assert turned.spans[0] == Span(a_start_s=3, a_end_s=4, b_start_s=5, b_end_s=6)
    assert turned_round(turned) == likeness
