"""What a vendor's batch may use, and what its answers cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec

from adology.engine.vendor_batch import Asked, VendorBatch
from adology.money.calls import Bill
from adology.money.prices import PriceTable
from adology.settings.prices import Price
from adology.store.database import Connection
from adology.store.spending import settle_in
from adology.store.vendor_requests import usage


def sum_units(asked: Sequence[Asked]) -> dict[str, float]:
    """What the requests use at most, together."""
    units: dict[str, float] = {}
    for one in asked:
        for unit, count in one.units.items():
            units[unit] = units.get(unit, 0.0) + count
    return units


def most_for(purse: Decimal, group: Sequence[Asked], price: Price) -> int:
    """How many of the first ones the purse pays for."""
    low, high = 0, len(group)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if price.cost(sum_units(group[:middle])) <= purse else (low, middle - 1)
    return low


def bill_of(prices: PriceTable, batch: VendorBatch, day: date, used: dict[str, dict[str, float]]) -> Bill:
    """What the answers of one payer cost; nothing where none came."""
    if not used:
        return Bill(outcome="failed", cost_usd=Decimal(0))
    units: dict[str, float] = {}
    cost: Decimal | None = Decimal(0)
    since: date | None = None
    for model, part in used.items():
        for unit, count in part.items():
            units[unit] = units.get(unit, 0.0) + count
        price = (prices.find(batch.service, model, day) if model else None) or prices.find(
            batch.service, batch.model, day
        )
        since = price.since if price else since
        cost = None if cost is None or price is None else cost + price.cost(part)
    named = max(used, key=lambda model: sum(used[model].values()))
    return Bill(outcome="billed", model=named or batch.model, units=units, cost_usd=cost, price_since=since)


async def settle_batch(connection: Connection, prices: PriceTable, batch: VendorBatch, *, lost: bool) -> Decimal | None:
    """The bills of the batch's payers by what the answers used; together, None without prices."""
    used = await usage(connection, batch.id)
    found = await connection.execute(
        "select id, day, coalesce(brand, ''), estimate_usd, units from paid_calls"
        " where vendor_batch = %s and state = 'open' order by id",
        [batch.id],
    )
    total: Decimal | None = Decimal(0)
    for number, day, brand, estimate, units in await found.fetchall():
        if lost:
            bill = Bill(outcome="unknown", units=units, cost_usd=estimate)
        else:
            bill = bill_of(prices, batch, day, used.get(brand, {}))
        bill = msgspec.structs.replace(bill, request_id=batch.vendor_id or "")
        await settle_in(connection, number, bill)
        total = None if total is None or bill.cost_usd is None else total + bill.cost_usd
    return total
