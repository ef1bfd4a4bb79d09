"""What messages say of an ad: ours within the size of a message, others' in the best reading."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adology import Ad, Media
from adology.engine.manifest import Item
from adology.engine.metadata import ItemMetadata, item_body, read_metadata
from adology.queues.messages import MAX_BODY_BYTES, AcquireMessage, decode

URL = "https://cdn.example/a.jpg"


def make_item(**over: Any) -> Item:
    ad = Ad(id="42", bodies=("Half price",), media=(Media(url=URL),), raw={"everything": "else"})
    fields = {
        "url": URL,
        "source": "library",
        "ad": ad,
        "media": ad.media[0],
        "carries": True,
        "part": "batches/b1/manifest/library/000000.jsonl",
        "line": 3,
    }
    return Item(**{**fields, **over})


def read(body: str) -> tuple[AcquireMessage, ItemMetadata]:
    message = decode(body, AcquireMessage)
    return message, read_metadata(message.metadata, message.url)


def test_a_message_carries_the_ad_without_its_raw_record() -> None:
    message, metadata = read(item_body("nike", "b1", make_item()))
    assert (message.brand, message.batch, message.url, message.again) == ("nike", "b1", URL, False)
    assert metadata.ad == Ad(id="42", bodies=("Half price",))
    assert (metadata.source, metadata.media, metadata.carries) == ("library", Media(url=URL), True)


def test_a_message_of_the_steward_says_so() -> None:
    assert read(item_body("nike", "b1", make_item(), again=True))[0].again


@pytest.mark.parametrize("text", ["x", "é", "🛒", "\0", "\u202e"])
def test_an_ad_too_large_for_a_message_goes_by_reference(text: str) -> None:
    body = item_body("nike", "b1", make_item(ad=Ad(id="42", bodies=(text * MAX_BODY_BYTES,))))
    assert len(body.encode()) < 1000
    _, metadata = read(body)
    assert metadata == ItemMetadata(
        source="library",
        ad_id="42",
        media=Media(url=URL),
        carries=True,
        part="batches/b1/manifest/library/000000.jsonl",
        line=3,
    )


def test_the_limit_counts_bytes_not_characters() -> None:
    item = make_item(ad=Ad(id="42", bodies=("é" * (MAX_BODY_BYTES // 2 + 1),)))
    assert read(item_body("nike", "b1", item))[1].part


@given(st.lists(st.text(), max_size=5), st.text(), st.integers(0, 3))
def test_whatever_an_ad_says_its_message_fits_and_comes_back(bodies: list[str], cta: str, grow: int) -> None:
    # Lone surrogates never come this far: see `clean_ad`.
    safe = tuple(text.encode("utf-8", "replace").decode() for text in bodies)
    ad = Ad(id="42", bodies=(*safe, "word " * (grow * 20_000)), cta=cta.encode("utf-8", "replace").decode())
    body = item_body("nike", "b1", make_item(ad=ad))
    assert len(body.encode()) <= MAX_BODY_BYTES
    _, metadata = read(body)
    assert metadata.ad == ad or (metadata.ad is None and metadata.part)


@pytest.mark.parametrize(
    ("value", "kind"), [("text", "str"), ([1], "list"), (5, "int"), (1.5, "float"), (True, "bool")]
)
def test_metadata_that_is_no_object_is_refused(value: Any, kind: str) -> None:
    with pytest.raises(ValueError, match=f"metadata is a JSON {kind}; allowed: an object"):
        read_metadata(value, URL)


def test_a_foreign_message_without_metadata_is_an_ad_known_by_its_url() -> None:
    one, same, other = read_metadata(None, URL), read_metadata({}, URL), read_metadata(None, URL + "?2")
    assert one == same
    assert one.ad is not None
    assert other.ad is not None
    assert one.ad.id != other.ad.id
    assert (one.source, one.carries) == ("external", True)


def test_a_foreign_message_is_read_by_the_names_people_use() -> None:
    metadata = read_metadata(
        {
            "source_ad_id": 4711,
            "source": "crawler",
            "text": "Half price",
            "title": "Sale",
            "cta": "Shop",
            "landing_url": "https://acme.example",
            "advertiser": "Acme",
            "anything": {"else": 1},
        },
        URL,
    )
    assert metadata.source == "crawler"
    assert metadata.ad is not None
    assert (metadata.ad.id, metadata.ad.bodies, metadata.ad.titles) == ("4711", ("Half price",), ("Sale",))
    assert (metadata.ad.cta, metadata.ad.landing_url, metadata.ad.advertiser) == (
        "Shop",
        "https://acme.example",
        "Acme",
    )
    assert metadata.ad.raw["anything"] == {"else": 1}


@pytest.mark.parametrize(
    "found",
    [
        {"ad": {"bodies": "not a list"}},
        {"ad": {"no": "id"}},
        {"part": 5},
        {"part": None},
        {"part": "two of three"},
        {"ad": "a word"},
        {"body": 5},
    ],
)
def test_metadata_that_only_looks_like_ours_is_read_as_foreign(found: dict[str, Any]) -> None:
    metadata = read_metadata(found, URL)
    assert metadata.source == "external"
    assert metadata.ad is not None
    assert metadata.ad.raw == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(["ad", "part", "line", "source", "ad_id", "id", "body", "title", "media", "carries"])
        | st.text(),
        JSON,
        max_size=6,
    )
)
def test_any_object_is_read(found: dict[str, Any]) -> None:
    metadata = read_metadata(found, URL)
    assert metadata.ad is not None or metadata.part is not None
    if metadata.ad is not None:
        assert isinstance(metadata.ad.id, str)
    msgspec.to_builtins(metadata)
