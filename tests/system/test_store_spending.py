"""The ledger of paid calls on a real server: budgets hold for all processes together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from adology import ConfigError, Deferred
from adology.money import Bill, Payer, PriceTable, Reservation
from adology.settings import AdologySettings
from adology.settings.model import BudgetSettings
from adology.store import Database, Spending
from tests.system.batches import query as rows_of
from tests.system.batches import scalar

pytestmark = pytest.mark.anyio
TODAY = datetime.now(UTC).date()


def wanted(usd: str | None = "0.10", brand: str = "nike", owner: str | None = None, day: date = TODAY) -> Reservation:
    return Reservation(
        service="openai", model="m", plugin="labels", payer=Payer(brand=brand, owner_org_id=owner, batch_id="b1"),
        keys=("k1",), units={"input_tokens": 5}, estimate_usd=None if usd is None else Decimal(usd), day=day,
    )  # fmt: skip


def billed(usd: str) -> Bill:
    return Bill(
        outcome="billed", model="m-1", request_id="r", units={"input_tokens": 4}, cost_usd=Decimal(usd),
        price_since=TODAY,
    )  # fmt: skip


@pytest.fixture
async def database(store_settings: AdologySettings) -> AsyncIterator[Database]:
    async with Database(store_settings.postgres) as database:
        yield database


def spending(database: Database, **budgets: float) -> Spending:
    return Spending(database, PriceTable(), BudgetSettings(**budgets))


def query(settings: AdologySettings, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows_of(settings, statement)]


def used(settings: AdologySettings) -> dict[str, Decimal]:
    return dict(query(settings, "select scope, used_usd from budget_use"))


async def test_a_call_is_in_the_ledger_before_it_is_made_and_with_its_bill_after(
    database: Database, store_settings: AdologySettings
) -> None:
    purse = spending(database)
    number = await purse.reserve(wanted(owner="org"))
    assert query(store_settings, "select state, estimate_usd, cost_usd, scopes from paid_calls") == [
        ("open", Decimal("0.1"), None, ["all", "brand:nike", "organisation:org"])
    ]
    assert used(store_settings) == dict.fromkeys(("all", "brand:nike", "organisation:org"), Decimal("0.1"))
    await purse.settle(number, billed("0.04"))
    assert query(
        store_settings,
        "select state, model, request_id, units, cost_usd, plugin, brand, owner_org_id, batch_id, analysis_keys,"
        " price_since, ended_at is not null from paid_calls",
    ) == [
        ("billed", "m-1", "r", {"input_tokens": 4}, Decimal("0.04"), "labels", "nike", "org", "b1", ["k1"], TODAY, True)
    ]
    assert set(used(store_settings).values()) == {Decimal("0.04")}
    await purse.settle(number, billed("9"))
    assert set(used(store_settings).values()) == {Decimal("0.04")}, "a repeated bill changes nothing"


async def test_of_many_at_once_as_many_go_through_as_the_budget_pays_for(
    database: Database, store_settings: AdologySettings
) -> None:
    purse = spending(database, day_usd=1.0, brand_day_usd=0.55)
    asked = [purse.reserve(wanted(brand=brand)) for brand in ("nike", "puma", "asics") for _ in range(8)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    granted = [answer for answer in answers if isinstance(answer, int)]
    refused = [answer for answer in answers if isinstance(answer, Deferred)]
    assert (len(granted), len(refused)) == (10, 14)
    found = used(store_settings)
    assert found["all"] == Decimal("1.0")
    assert all(amount <= Decimal("0.55") for scope, amount in found.items() if scope != "all")
    assert scalar(store_settings, "select count(*) from paid_calls") == 10


async def test_a_used_up_budget_says_whose_how_much_and_until_when(database: Database) -> None:
    purse = spending(database, brand_day_usd=0.25)
    await purse.reserve(wanted("0.20"))
    with pytest.raises(Deferred) as caught:
        await purse.reserve(wanted("0.10"))
    assert str(caught.value) == (
        "the day's budget of 0.25 USD for brand 'nike' is used up: 0.2000 spent, 0.1000 needed. "
        "It goes on tomorrow (UTC), or when money.budgets is raised."
    )
    assert caught.value.code == "ADO-3006"
    assert 0 < caught.value.after <= 24 * 3600
    await purse.reserve(wanted("0.10", brand="puma"))


async def test_what_was_set_aside_for_a_failed_call_can_be_spent_again(database: Database) -> None:
    purse = spending(database, day_usd=0.1)
    for _ in range(5):
        number = await purse.reserve(wanted())
        await purse.settle(number, Bill(outcome="failed", cost_usd=Decimal(0)))


async def test_a_budget_that_is_set_at_noon_knows_of_the_morning(database: Database) -> None:
    await spending(database).reserve(wanted("5"))
    with pytest.raises(Deferred):
        await spending(database, organisation_day_usd=100, day_usd=5.05).reserve(wanted())


async def test_a_bill_may_pass_the_budget_and_the_next_call_may_not(
    database: Database, store_settings: AdologySettings
) -> None:
    purse = spending(database, day_usd=0.2)
    await purse.settle(await purse.reserve(wanted()), billed("0.30"))
    assert used(store_settings)["all"] == Decimal("0.30")
    with pytest.raises(Deferred):
        await purse.reserve(wanted("0.0001"))


async def test_a_model_without_a_price_is_refused_where_a_budget_is_set(database: Database) -> None:
    await spending(database).reserve(wanted(None))
    with pytest.raises(ConfigError) as caught:
        await spending(database, day_usd=1).reserve(wanted(None))
    assert str(caught.value) == (
        "setting money.prices: has no price for model 'm' of openai, and a budget is set. "
        "Add one: service = 'openai', model = 'm', since, usd_per_million."
    )


async def test_a_call_whose_process_died_stands_with_its_estimate(
    database: Database, store_settings: AdologySettings
) -> None:
    purse = spending(database)
    number = await purse.reserve(wanted())
    assert await purse.close_lost(older_s=60) == 0
    assert await purse.close_lost(older_s=0) == 1
    assert query(store_settings, "select state, cost_usd from paid_calls") == [("unknown", Decimal("0.1"))]
    await purse.settle(number, billed("0.04"))
    assert scalar(store_settings, "select state from paid_calls") == "unknown"
    assert used(store_settings)["all"] == Decimal("0.1")


async def test_each_day_has_its_own_budget(database: Database) -> None:
    purse = spending(database, day_usd=0.1)
    await purse.reserve(wanted(day=date(2026, 1, 1)))
    await purse.reserve(wanted(day=date(2026, 1, 2)))
