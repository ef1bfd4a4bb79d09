"""Money is set aside before a call; what became of the call takes its place, whatever happened inside."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adology import Context, Deferred
from adology.money import Bill, MemoryPurse, Payer, Price, PriceTable, Reservation
from tests.simulation.loop import run_virtual

TODAY = datetime.now(UTC).date()
TABLE = PriceTable(
    [
        Price(service="vendor", model="small", since=TODAY, usd_per_million={"tokens": 1.0}),
        Price(service="vendor", model="small-2026", since=TODAY - timedelta(days=1), usd_per_million={"tokens": 2.0}),
    ]
)


class Empty(MemoryPurse):
    async def reserve(self, wanted: Reservation) -> int:  # noqa: ARG002 - the interface's
        raise Deferred("used up", after=60)


def context(purse: MemoryPurse) -> Context[None]:
    return Context("labels", None, purse=purse, payer=Payer(brand="nike"), keys=("k1", "k2"))


def outcome(purse: MemoryPurse) -> tuple[Reservation, Bill]:
    ((wanted, bill),) = purse.calls
    assert bill is not None
    return wanted, bill


def test_a_call_is_billed_at_the_price_of_the_model_that_answered() -> None:
    async def story() -> None:
        purse = MemoryPurse(TABLE)
        ctx = context(purse)
        async with ctx.paid("vendor", "small", tokens=1000) as call:
            call.bill(model="small-2026", request_id="r1", tokens=400)
        wanted, bill = outcome(purse)
        assert (wanted.plugin, wanted.payer.brand, wanted.keys) == ("labels", "nike", ("k1", "k2"))
        assert wanted.estimate_usd == Decimal("0.001")
        assert bill == Bill(
            outcome="billed", model="small-2026", request_id="r1", units={"tokens": 400},
            cost_usd=Decimal("0.0008"), price_since=TODAY - timedelta(days=1),
        )  # fmt: skip
        assert [one.cost_usd for one in ctx.calls] == [Decimal("0.0008")]

    run_virtual(story())


def test_a_model_name_without_a_price_is_billed_as_the_model_that_was_asked_for() -> None:
    async def story() -> None:
        purse = MemoryPurse(TABLE)
        async with context(purse).paid("vendor", "small") as call:
            call.bill(model="small-preview-7", tokens=1_000_000)
        assert outcome(purse)[1].cost_usd == 1

    run_virtual(story())


def test_a_model_without_any_price_is_told_apart_from_one_that_costs_nothing() -> None:
    async def story() -> None:
        purse = MemoryPurse(TABLE)
        async with context(purse).paid("vendor", "unheard-of") as call:
            call.bill(tokens=5)
        wanted, bill = outcome(purse)
        assert wanted.estimate_usd is None
        assert bill.cost_usd is None
        assert call.cost_usd == 0

    run_virtual(story())


@pytest.mark.parametrize(
    ("error", "expected", "cost"),
    [
        (ValueError("refused"), "failed", Decimal(0)),
        (TimeoutError(), "unknown", Decimal("0.001")),
        (asyncio.CancelledError(), "unknown", Decimal("0.001")),
    ],
)
def test_a_call_that_raises_costs_nothing_unless_its_answer_may_be_lost(
    error: BaseException, expected: str, cost: Decimal
) -> None:
    async def story() -> None:
        purse = MemoryPurse(TABLE)
        with pytest.raises(type(error)):
            async with context(purse).paid("vendor", "small", tokens=1000):
                raise error
        bill = outcome(purse)[1]
        assert (bill.outcome, bill.cost_usd) == (expected, cost)

    run_virtual(story())


def test_what_is_raised_after_the_bill_leaves_the_bill() -> None:
    async def story() -> None:
        purse = MemoryPurse(TABLE)

        async def ask() -> None:
            async with context(purse).paid("vendor", "small", tokens=1000) as call:
                call.bill(tokens=7)
                raise ValueError("garbage in the answer")

        with pytest.raises(ValueError, match="garbage"):
            await ask()
        assert outcome(purse)[1].outcome == "billed"

    run_virtual(story())


def test_without_money_the_call_is_never_made() -> None:
    async def story() -> None:
        made: list[Any] = []
        with pytest.raises(Deferred):
            async with context(Empty(TABLE)).paid("vendor", "small"):
                made.append(1)
        assert made == []

    run_virtual(story())
