"""Whatever a stranger says, what is stored of it can be stored."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adology import Ad, Media, Terminal
from adology.engine.clean import clean_ad, clean_plain

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**20, max_value=10**40)
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary(max_size=5)
    | st.datetimes()
    | st.decimals(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=())) | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=10,
)


def check_storable(value: Any) -> None:
    """As the manifest, the registry and Postgres' jsonb take it."""
    assert "\\u0000" not in msgspec.json.encode(value).decode()
    msgspec.msgpack.encode(value)
    json.dumps(value, allow_nan=False).encode()


@given(ANYTHING)
def test_any_value_becomes_storable(value: Any) -> None:
    cleaned = clean_plain(value)
    check_storable(cleaned)
    assert clean_plain(cleaned) == cleaned


def test_what_is_storable_already_stays_as_it_is() -> None:
    value = {"text": "Zeile\n🛒", "list": [1, 2.5, None, True, -(2**63), 2**64 - 1], "deep": {"er": {"still": []}}}
    assert clean_plain(value) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\0b", "ab"),
        ("\ud83d\uded2", "🛒"),
        ("x\ud800y", "x\ufffdy"),
        (float("inf"), None),
        (2**64, str(2**64)),
        ({1: 2, "k\0": "v\0"}, {"1": 2, "k": "v"}),
        (frozenset("a"), ["a"]),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        (Decimal("1.50"), "1.50"),
    ],
)
def test_what_no_store_takes_becomes_the_nearest_that_it_does(value: Any, expected: Any) -> None:
    assert clean_plain(value) == expected


def test_a_number_that_python_does_not_write_out_becomes_hexadecimal() -> None:
    assert clean_plain(10**5000) == hex(10**5000)


def test_what_is_nested_too_deeply_is_cut_off() -> None:
    deep: Any = "bottom"
    for _ in range(5000):
        deep = [deep]
    cleaned = clean_plain(deep)
    check_storable(cleaned)
    assert "…" in json.dumps(cleaned, ensure_ascii=False)


def test_an_ad_without_fault_is_the_same_object() -> None:
    ad = Ad(id="1", bodies=("שלום 🛒",), media=(Media(url="https://x/1"),), raw={"a": [1.5, None]})
    assert clean_ad(ad) is ad


def test_an_ads_texts_lose_what_stores_refuse_and_keep_the_rest() -> None:
    ad = Ad(
        id="i\0d\ud800",
        bodies=("x\ud800y", "fine"),
        media=(Media(url="https://x/\0\udc00", position=2),),
        started_on=date(2026, 1, 2),
        seen_at=datetime(2026, 1, 3, tzinfo=UTC),
        raw={"big": 10**40, "bad": "\ud800", "nan": float("nan")},
    )
    cleaned = clean_ad(ad)
    assert (cleaned.id, cleaned.bodies) == ("id\ufffd", ("x\ufffdy", "fine"))
    assert cleaned.media == (Media(url="https://x/\ufffd", position=2),)
    assert (cleaned.started_on, cleaned.seen_at) == (ad.started_on, ad.seen_at)
    assert cleaned.raw == {"big": str(10**40), "bad": "\ufffd", "nan": None}
    assert clean_ad(cleaned) is cleaned
    cleaned.copy_hash()


def test_a_raw_record_that_json_does_not_know_becomes_text() -> None:
    raw: dict[Any, Any] = {"when": date(2026, 1, 2), "what": object, 5: {1, 2}}
    cleaned = clean_ad(Ad(id="1", bodies=("kept",), raw=raw))
    assert cleaned.bodies == ("kept",)
    assert cleaned.raw["when"] == "2026-01-02"
    assert sorted(cleaned.raw["5"]) == [1, 2]
    check_storable(cleaned.raw)


def test_a_raw_record_of_endless_depth_does_not_stop_the_ad() -> None:
    raw: dict[str, Any] = {}
    inner = raw
    for _ in range(3000):
        inner["x"] = {}
        inner = inner["x"]
    check_storable(clean_ad(Ad(id="1", raw=raw)).raw)


def test_an_id_of_any_length_becomes_one_that_stores_and_addresses_hold() -> None:
    one, other = clean_ad(Ad(id="x" * 5000 + "1")), clean_ad(Ad(id="x" * 5000 + "2"))
    assert len(one.id) == len(other.id) == 300
    assert one.id != other.id
    assert clean_ad(one) is one


@pytest.mark.parametrize(
    ("ad", "what"),
    [
        (Ad(id="1", bodies=("x", 5)), "Expected `str`, got `int` - at `$.bodies[1]`"),  # type: ignore[arg-type]  # the fault
        (Ad(id="1", status="running"), "Invalid enum value 'running' - at `$.status`"),  # type: ignore[arg-type]  # the fault
        (Ad(id="1", bodies=None), "Expected `array`, got `null` - at `$.bodies`"),  # type: ignore[arg-type]  # the fault
        (Ad(id="1", media=("https://x",)), "Expected `object`, got `str` - at `$.media[0]`"),  # type: ignore[arg-type]  # the fault
    ],
)
def test_an_ad_of_wrong_types_names_the_field_and_is_the_sources_fault(ad: Ad, what: str) -> None:
    with pytest.raises(Terminal) as caught:
        clean_ad(ad)
    assert str(caught.value) == f"the source made an ad that does not fit, '1': {what}. See the fields of adology.Ad."
    assert caught.value.code == "ADO-2092"


def test_an_ad_without_a_text_for_an_id_is_the_sources_fault() -> None:
    with pytest.raises(Terminal, match=r"does not fit, '5': Expected `str`, got `int` - at `\$\.id`"):
        clean_ad(Ad(id=5))  # type: ignore[arg-type]  # the fault
