"""What was paid is shown by what one asks for; what is not known is not shown as nothing."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from adology.money import Bill, Payer, PriceTable, Reservation
from adology.settings import AdologySettings
from adology.settings.model import BudgetSettings
from adology.store import Catalogue, Database, Spending
from adology.types import Brand
from tests.unit.cli.conftest import Run

pytestmark = pytest.mark.stack
WithDatabase = Callable[[Callable[[Database], Awaitable[Any]]], Any]
TODAY = datetime.now(UTC).date()


@pytest.fixture
def brand(stack: AdologySettings, with_database: WithDatabase) -> str:
    """A brand of this test's own, and an empty ledger."""
    name = f"b-{uuid.uuid4().hex[:8]}"
    with_database(lambda database: Catalogue(database).put_brand(Brand(id=name)))
    with psycopg.connect(stack.postgres.url, autocommit=True) as link:
        link.execute("delete from paid_calls")
        link.execute("delete from budget_use")
    return name


def pay(with_database: WithDatabase, brand: str, *bills: tuple[str, str, str | None, str, int]) -> None:
    """Calls as (plugin, model, price, outcome, days ago); outcome open leaves the call under way."""

    async def work(database: Database) -> None:
        purse = Spending(database, PriceTable(), BudgetSettings())
        for plugin, model, price, outcome, ago in bills:
            usd = None if price is None else Decimal(price)
            number = await purse.reserve(
                Reservation(
                    service="openai", model=model, plugin=plugin, payer=Payer(brand=brand), estimate_usd=usd,
                    day=TODAY - timedelta(days=ago),
                )
            )  # fmt: skip
            if outcome != "open":
                cost = Decimal(0) if outcome == "failed" else usd
                await purse.settle(number, Bill(outcome=outcome, model=model, cost_usd=cost))  # type: ignore[arg-type]  # as given

    with_database(work)


@pytest.mark.usefixtures("brand")
def test_without_paid_calls_it_says_so(run: Run) -> None:
    result = run("costs")
    assert (result.code, result.out) == (0, "")
    assert "No paid call in the last 30 days. Local analyzers cost nothing." in result.err


def test_calls_are_grouped_and_summed(run: Run, with_database: WithDatabase, brand: str) -> None:
    pay(
        with_database, brand, ("labels", "m-1", "0.25", "billed", 0), ("labels", "m-2", "0.5", "unknown", 1),
        ("labels", "m-1", "0.125", "failed", 0), ("labels", "m-1", "0.125", "open", 0),
        ("embeddings", "e-1", None, "billed", 0), ("embeddings", "e-1", "9", "billed", 90),
    )  # fmt: skip
    by_analyzer = {line["name"]: line for line in run("costs", "--json").json["lines"]}
    assert by_analyzer == {
        "labels": {
            "name": "labels", "calls": 4, "failed": 1, "unknown": 1, "unpriced": 0, "open_usd": 0.125,
            "paid_usd": 0.75, "spared_usd": 0.0,
        },
        "embeddings": {
            "name": "embeddings", "calls": 1, "failed": 0, "unknown": 0, "unpriced": 1, "open_usd": 0.0,
            "paid_usd": 0.0, "spared_usd": 0.0,
        },
    }  # fmt: skip
    by_model = [line["name"] for line in run("costs", "--by", "model", "--json").json["lines"]]
    assert by_model == ["openai m-2", "openai m-1", "openai e-1"]
    by_day = [(line["name"], line["paid_usd"]) for line in run("costs", "--by", "day", "--json").json["lines"]]
    assert by_day == [(str(TODAY), 0.25), (str(TODAY - timedelta(days=1)), 0.5)]
    long_ago = run("costs", "--days", "100", "--brand", brand, "--json").json["lines"]
    assert sum(line["paid_usd"] for line in long_ago) == 9.75


def test_the_table_warns_of_calls_without_a_price(run: Run, with_database: WithDatabase, brand: str) -> None:
    pay(with_database, brand, ("labels", "m", None, "billed", 0), ("scores", "n", "0.5", "billed", 0))
    result = run("costs")
    assert "scores" in result.out
    assert "0.5000 USD" in result.out
    assert "warning: 1 calls have no price: add their models to money.prices." in result.err


def test_budgets_of_today_are_shown_with_what_is_used(
    run: Run, with_database: WithDatabase, brand: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(with_database, brand, ("labels", "m", "0.5", "billed", 0))
    monkeypatch.setenv("ADOLOGY_MONEY__BUDGETS__DAY_USD", "2")
    monkeypatch.setenv("ADOLOGY_MONEY__BUDGETS__BRAND_DAY_USD", "1")
    result = run("costs")
    assert "Budget of today for all: 0.5000 of 2 USD used." in result.err
    assert f"Budget of today for brand:{brand}: 0.5000 of 1 USD used." in result.err


def test_an_unknown_brand_is_an_error(run: Run, brand: str) -> None:
    assert run("costs", "--brand", f"{brand}x").code == 1


@pytest.mark.usefixtures("stack")
def test_a_quote_on_an_empty_catalogue_has_a_line_for_each_analyzer(run: Run) -> None:
    result = run("reanalyze", "--json", "--stale")
    assert result.code == 0, result.err
    lines = {(line["analyzer"], line["subject"]) for line in result.json["lines"]}
    assert {("media", "asset"), ("copy", "ad")} <= lines
    assert result.json["queued"] == 0


@pytest.mark.usefixtures("stack")
def test_an_analyzer_that_is_not_there_is_named_with_those_that_are(run: Run) -> None:
    result = run("reanalyze", "labls")
    assert result.code == 2
    assert "no analyzer of creatives or copies is called 'labls'; there are copy, media. See" in result.err


@pytest.mark.usefixtures("stack")
def test_to_go_one_says_what_is_to_be_renewed(run: Run) -> None:
    result = run("reanalyze", "--go")
    assert result.code == 2
    assert "--go needs --stale, --missing or --errors" in result.err


def test_nothing_runs_where_no_stack_runs(run: Run) -> None:
    for command in ("costs", "reanalyze"):
        assert run(command).code == 1
