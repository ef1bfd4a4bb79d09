from __future__ import annotations

import pytest

from adology.store.naming import LONGEST_ID, clean_id, clean_text, payload_id


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("plain", "plain"),
        ("\0a\0b\0", "ab"),
        ("ünïcödé \U0001f600", "ünïcödé \U0001f600"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\ud83d", "\ufffd"),
        ("x\udfffy", "x\ufffdy"),
        ("", ""),
    ],
)
def test_text_keeps_what_utf8_can_hold(given: str, kept: str) -> None:
    assert clean_text(given) == kept
    clean_text(given).encode()


def test_text_has_a_longest_length() -> None:
    assert clean_text("é" * 50, 10) == "é" * 10


def test_text_cut_within_a_surrogate_pair_is_still_text() -> None:
    clean_text("a\ud83d\ude00", 2).encode()


@pytest.mark.parametrize("length", [LONGEST_ID, LONGEST_ID + 1, 100_000])
def test_ids_are_bounded_and_stay_apart(length: int) -> None:
    one, two = clean_id("x" * (length - 1) + "1"), clean_id("x" * (length - 1) + "2")
    assert one != two
    assert len(one) <= LONGEST_ID
    assert clean_id(one) == one


def test_payload_ids_cannot_be_made_to_collide() -> None:
    parts = [
        payload_id("b", "s/x", "1"),
        payload_id("b", "s", "x/1"),
        payload_id("b", "s", "x", "1"),
        payload_id("b", "s", "x%2F1"),
        payload_id("b", "s", "x", ""),
        payload_id("b", "s", "x"),
    ]
    assert len(set(parts)) == len(parts)


def test_long_payload_ids_are_hashed_behind_their_batch() -> None:
    one = payload_id("b1", "facebook", "\U0001f600" * 290 + "1")
    assert one.startswith("b1/sha256:")
    assert one != payload_id("b1", "facebook", "\U0001f600" * 290 + "2")
