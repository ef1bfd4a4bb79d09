"""Which price applies, and what units cost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adology.money import Price, PriceTable

DAY = date(2026, 6, 1)


def price(model: str, since: date, **units: float) -> Price:
    return Price(service="openai", model=model, since=since, usd_per_million=units)


def test_units_cost_their_share_of_a_million_exactly() -> None:
    row = price("m", DAY, input_tokens=0.25, output_tokens=2.0)
    assert row.cost({"input_tokens": 1234, "output_tokens": 56}) == Decimal("0.00042050")


def test_a_unit_without_a_price_costs_nothing() -> None:
    assert price("m", DAY, input_tokens=1).cost({"requests": 10}) == 0


@given(st.dictionaries(st.sampled_from(["input_tokens", "output_tokens"]), st.integers(0, 10**9)))
def test_costs_never_fall_when_more_is_used(units: dict[str, float]) -> None:
    row = price("m", DAY, input_tokens=0.13, output_tokens=0.6)
    assert row.cost(units) <= row.cost({name: count + 1 for name, count in units.items()})


def test_the_newest_price_that_has_begun_applies() -> None:
    table = PriceTable(
        [price("m", date(2026, 1, 1), a=1), price("m", date(2026, 5, 1), a=2), price("m", date(2027, 1, 1), a=3)]
    )
    found = [table.find("openai", "m", date(2026, month, 1)) for month in (2, 5, 6)]
    assert [row.usd_per_million["a"] for row in found if row] == [1, 2, 2]
    assert table.find("openai", "m", date(2025, 1, 1)) is None


def test_the_row_that_names_the_model_most_closely_goes_first() -> None:
    table = PriceTable([price("*", DAY, a=1), price("gpt-9-mini*", DAY, a=2), price("gpt-9-mini-2026-05-05", DAY, a=3)])
    models = ("gpt-9", "gpt-9-mini", "gpt-9-mini-2026-05-05")
    assert [row.usd_per_million["a"] for row in (table.find("openai", m, DAY) for m in models) if row] == [1, 2, 3]


def test_a_row_of_ones_own_goes_before_the_published_one() -> None:
    model = "text-embedding-3-small"
    published = PriceTable().find("openai", model, DAY)
    assert published is not None
    own = price(model, published.since, input_tokens=0.01)
    assert PriceTable([own]).find("openai", model, DAY) == own


@pytest.mark.parametrize("service", ["bedrock", "anthropic"])
def test_a_model_of_another_service_has_no_price_here(service: str) -> None:
    assert PriceTable([price("*", DAY, a=1)]).find(service, "text-embedding-3-small", DAY) is None


@pytest.mark.parametrize(
    ("service", "model", "unit"),
    [
        ("openai", "text-embedding-3-small", "input_tokens"),
        ("openai", "text-embedding-3-large", "input_tokens"),
        ("bedrock", "amazon.nova-2-multimodal-embeddings-v1:0", "input_tokens"),
        ("bedrock", "amazon.nova-2-multimodal-embeddings-v1:0", "images"),
        ("bedrock", "amazon.titan-embed-image-v1", "images"),
    ],
)
def test_the_models_that_analyzers_use_have_a_published_price(service: str, model: str, unit: str) -> None:
    found = PriceTable().find(service, model, DAY)
    assert found is not None
    assert found.cost({unit: 1_000_000}) > 0


def test_moderation_is_known_to_be_free() -> None:
    found = PriceTable().find("openai", "omni-moderation-latest", DAY)
    assert found is not None
    assert found.cost({"requests": 1000}) == 0


def test_a_row_of_ones_own_goes_before_a_newer_published_one() -> None:
    own = Price(
        service="bedrock", model="amazon.titan-embed-image-v1", since=date(2020, 1, 1), usd_per_million={"images": 50.0}
    )
    assert PriceTable((own,)).find("bedrock", own.model, DAY) == own


def test_a_batch_costs_half_unless_it_has_a_price_of_its_own() -> None:
    usual = price("m", DAY, input_tokens=0.13, output_tokens=2.0)
    half = PriceTable([usual]).find("openai-batch", "m", DAY)
    assert half is not None
    assert (half.service, half.since) == ("openai-batch", DAY)
    assert half.cost({"input_tokens": 1_000_000, "output_tokens": 1_000_000}) == Decimal("1.065")
    own = Price(service="openai-batch", model="m", since=DAY, usd_per_million={"input_tokens": 0.1})
    assert PriceTable([usual, own]).find("openai-batch", "m", DAY) == own
    assert PriceTable().find("openai-batch", "no-such-model", DAY) is None
    published = PriceTable().find("openai-batch", "text-embedding-3-small", DAY)
    assert published is not None
    assert published.usd_per_million == {"input_tokens": 0.01}
