from __future__ import annotations

import json
from typing import Any

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adology import Ad, CommittedAd, Media
from adology.engine.manifest import item_url
from adology.testing import MemoryBatch
from adology.testing.items import BEGAN
from adology_mongo import documents
from adology_mongo.documents import TOO_DEEP, clean, encode_document
from adology_mongo.sink import _payload

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.dates()
    | st.datetimes(timezones=st.timezones() | st.none())
    | st.decimals()
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=())) | st.integers(), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(value=ANYTHING)
def test_anything_becomes_a_document(value: Any) -> None:
    decoded = bson.decode(encode_document({"_id": "1", "raw": clean(value)}, "raw"))
    assert set(decoded) == {"_id", "raw"}


@settings(max_examples=100, deadline=None)
@given(value=st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1), st.lists, max_leaves=20))
def test_what_bson_can_hold_is_kept_as_it_is(value: Any) -> None:
    assert clean(value) == value


def test_keys_that_mean_something_to_mongo_are_written_in_full_width() -> None:
    assert clean({"$set": {"a.b": {"c$d": 1}}}) == {"\uff04set": {"a\uff0eb": {"c$d": 1}}}


def test_keys_that_become_alike_are_all_kept() -> None:
    assert clean({1: "a", "1": "b", "1\0": "c"}) == {"1": "a", "1_": "b", "1__": "c"}


def test_structs_become_plain_data() -> None:
    assert clean(Media(url="u", position=2)) == {"url": "u", "position": 2}


def test_what_is_nested_too_deeply_is_cut_with_a_word() -> None:
    value: Any = []
    for _ in range(5000):
        value = [value]
    kept = json.dumps(clean(value))
    assert TOO_DEEP in kept
    assert kept.count("[") == documents.DEEPEST


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LARGEST_BYTES", 128 * 1024)


@pytest.mark.usefixtures("small")
def test_the_largest_entries_go_first() -> None:
    raw = {"a": "x" * 10_000, "b": "x" * 200_000, "c": "x" * 30_000}
    decoded = bson.decode(encode_document({"_id": "1", "raw": raw}, "raw"))
    assert set(decoded["raw"]) == {"a", "c"}
    assert decoded["truncated"]["dropped"] == ["b"]
    assert decoded["truncated"]["size_bytes"] > 240_000


@pytest.mark.usefixtures("small")
def test_many_small_entries_are_cut_as_well() -> None:
    raw = {f"key {n}": "x" * 100 for n in range(5000)}
    data = encode_document({"_id": "1", "raw": raw}, "raw")
    assert len(data) <= documents.LARGEST_BYTES
    decoded = bson.decode(data)
    assert decoded["truncated"]["entries"] == 5000 - len(decoded["raw"])
    assert len(decoded["truncated"]["dropped"]) == 100


@pytest.mark.usefixtures("small")
def test_a_part_that_is_no_mapping_is_left_out_whole() -> None:
    decoded = bson.decode(encode_document({"_id": "1", "result": ["x" * 200_000]}, "result"))
    assert decoded["result"] == {}
    assert decoded["truncated"]["entries"] == 1


def test_an_ad_of_endless_addresses_fits_a_document() -> None:
    urls = ["https://cdn.acme.example/a.png", *(f"https://cdn.acme.example/{n}{'a' * 4_000_000}" for n in range(6))]
    ad = Ad(id="1", media=tuple(Media(url=url) for url in urls), raw={"text": "x"})
    data = _payload(MemoryBatch(), CommittedAd(source="library", ad=ad, gathered_at=BEGAN))
    assert len(data) < documents.LARGEST_BYTES
    decoded = bson.decode(data)
    assert [media["url"] for media in decoded["media"]] == [item_url(media) for media in ad.media]
    assert decoded["media"][0]["url"] == urls[0]
    assert "truncated" not in decoded
