from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.postgres import types

from adology import Ad, CommittedAd, ItemResult, Media, Spend
from adology.engine.model import hash_url
from adology_postgres.rows import AD_COLUMNS, RESULT_COLUMNS, ad_row, result_row

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)


def fields_of(columns: dict[str, str], row: tuple[Any, ...]) -> dict[str, Any]:
    """The row's values by column, lists as psycopg reads them from a table."""
    loader = Transformer().get_loader
    return {
        name: loader(types[kind.removesuffix("[]")].array_oid, pq.Format.BINARY).load(value)
        if kind.endswith("[]")
        else value
        for (name, kind), value in zip(columns.items(), row, strict=True)
    }


def ad_fields(ad: Ad, at: datetime = NOON) -> dict[str, Any]:
    return fields_of(AD_COLUMNS, ad_row(CommittedAd(source="s", ad=ad, gathered_at=at)))


def result_fields(**fields: Any) -> dict[str, Any]:
    return fields_of(RESULT_COLUMNS, result_row(ItemResult(url="http://cdn/1.jpg", **fields)))


def test_media_are_named_by_the_hash_of_their_url() -> None:
    row = ad_fields(Ad(id="1", media=(Media(url="http://cdn/1.jpg", position=3, role="preview"),)))
    assert (row["media_hashes"], row["media_positions"], row["media_roles"]) == (
        [hash_url("http://cdn/1.jpg")],
        [3],
        ["preview"],
    )
    assert result_fields()["url_hash"] == hash_url("http://cdn/1.jpg")


@pytest.mark.parametrize(
    ("spend", "impressions", "currency"),
    [(Spend(currency="EUR"), Spend(currency="USD"), "EUR"), (None, Spend(currency="USD"), "USD"), (None, None, None)],
)
def test_the_currency_is_that_of_the_spend_first(
    spend: Spend | None, impressions: Spend | None, currency: str | None
) -> None:
    assert ad_fields(Ad(id="1", spend=spend, impressions=impressions))["currency"] == currency


def test_an_ad_was_seen_when_its_source_saw_it() -> None:
    earlier = NOON - timedelta(days=3)
    assert ad_fields(Ad(id="1"))["seen_at"] == NOON
    assert ad_fields(Ad(id="1", seen_at=earlier))["seen_at"] == earlier
    assert ad_fields(Ad(id="1", seen_at=NOON + timedelta(seconds=1)))["seen_at"] == NOON


def test_the_stated_media_outcome_goes_before_the_list() -> None:
    assert ad_fields(Ad(id="1", media_outcome="removed"))["media_outcome"] == "removed"
    assert ad_fields(Ad(id="1"))["media_outcome"] == "text_only"


@pytest.mark.parametrize(
    "fields",
    [
        {"sha256": "a" * 64},
        {"s3_path": "s3://b/k"},
        {"sha256": "a" * 64, "s3_path": "s3://b/k", "status": "failed"},
        {"sha256": "g" * 64, "s3_path": "s3://b/k"},
        {"sha256": "a" * 63, "s3_path": "s3://b/k"},
    ],
)
def test_only_archived_bytes_with_their_hash_are_an_asset(fields: dict[str, Any]) -> None:
    row = result_fields(**fields, analyses={"media": "k"})
    assert (row["sha256"], row["keys"]) == (None, [])


def test_a_hash_in_capitals_is_the_same_hash() -> None:
    row = result_fields(sha256="AB" * 32, s3_path="s3://b/k", analyses={"media": "k"})
    assert (row["sha256"], row["analyzers"], row["keys"]) == ("ab" * 32, ["media"], ["k"])


def test_a_failure_always_has_a_code_and_a_reason() -> None:
    row = result_fields(status="failed")
    assert (row["ok"], row["error_code"], row["error"]) == (False, "ADO-5000", "no reason was given")


def test_labels_that_come_again_are_the_same_and_long_ones_are_cut() -> None:
    for platforms in ((), ("face\0book",), ("a", "b"), ("x" * 600, "y")) * 2:
        row = ad_fields(Ad(id="1", platforms=platforms))
        assert row["platforms"] == [name.replace("\0", "")[:500] for name in platforms]


@settings(max_examples=200, deadline=None)
@given(
    text=ANY_TEXT,
    number=st.integers() | st.none(),
    real=st.floats(allow_nan=True) | st.integers() | st.none(),
    seen=st.datetimes(timezones=st.timezones() | st.none()) | st.none(),
)
def test_no_value_is_beyond_what_columns_hold(
    text: str, number: int | None, real: float | None, seen: datetime | None
) -> None:
    spend = Spend(lower=real, upper=real, currency=text)
    ad = Ad(
        id=text,
        bodies=(text,),
        platforms=(text,),
        landing_url=text,
        reach=number,
        spend=spend,
        seen_at=seen,
        owner_org_id=text,
    )
    row = ad_fields(ad)
    texts = [
        row["source_ad_id"],
        row["owner_org_id"],
        *row["bodies"],
        *row["platforms"],
        row["landing_url"],
        row["currency"] or "",
    ]
    for value in texts:
        assert "\0" not in value
        value.encode()
    assert row["reach"] is None or 0 <= row["reach"] < 2**63
    assert row["seen_at"].tzinfo is not None
    assert row["seen_at"] <= NOON
    assert row["spend_lower"] is None or abs(row["spend_lower"]) < float("inf")
