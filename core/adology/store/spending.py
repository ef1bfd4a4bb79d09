"""The ledger of paid calls, and the budgets that it is held against."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from psycopg.types.json import Jsonb

from adology.errors import ConfigError, Deferred
from adology.money.calls import Bill, Payer, Reservation
from adology.money.prices import PriceTable
from adology.settings.model import BudgetSettings
from adology.store.database import Connection, Database

NOTHING = Decimal(0)


class Spending:
    """Implements `adology.money.Purse` for all processes together."""

    def __init__(self, database: Database, prices: PriceTable, budgets: BudgetSettings) -> None:
        self._database = database
        self._budgets = budgets
        self.prices = prices

    async def reserve(self, wanted: Reservation) -> int:
        """A number for the call; its estimate counts against the budgets until the bill comes.

        Raises:
            Deferred: a budget of the day would be passed.
            ConfigError: budgets are set, and the model has no price to hold against them.
        """
        async with (
            self._database.connection("spending.reserve", vendor=wanted.service) as connection,
            connection.transaction(),
        ):
            return await self.reserve_in(connection, wanted)

    async def reserve_in(self, connection: Connection, wanted: Reservation) -> int:
        """As `reserve`, within somebody's transaction, which holds the budgets of the payer from here on."""
        limits = self._limits(wanted.payer)
        if wanted.estimate_usd is None and any(limit is not None for limit in limits.values()):
            raise ConfigError(
                "money.prices",
                f"has no price for model {wanted.model!r} of {wanted.service}, and a budget is set",
                f"Add one: service = {wanted.service!r}, model = {wanted.model!r}, since, usd_per_million.",
                code="ADO-1008",
            )
        # In one order for all: two that share scopes wait for each other, never in a ring.
        for scope, limit in sorted(limits.items()):
            await _set_aside(connection, wanted.day, scope, wanted.estimate_usd or NOTHING, limit)
        return await _open_call(connection, wanted, sorted(limits))

    async def left_in(self, connection: Connection, payer: Payer, day: date) -> Decimal | None:
        """What the tightest budget of the payer has left of the day; None where none is set."""
        limits = {scope: limit for scope, limit in self._limits(payer).items() if limit is not None}
        found = await connection.execute(
            "select scope, used_usd from budget_use where day = %s and scope = any(%s)", [day, list(limits)]
        )
        used: dict[str, Decimal] = dict(await found.fetchall())
        return min((limit - used.get(scope, NOTHING) for scope, limit in limits.items()), default=None)

    async def settle(self, number: int, bill: Bill) -> None:
        """Put the bill in the place of the estimate, in the ledger and in the budgets. Safe to repeat."""
        async with (
            self._database.connection("spending.settle", call=number) as connection,
            connection.transaction(),
        ):
            await settle_in(connection, number, bill)

    async def close_lost(self, *, older_s: float) -> int:
        """Calls whose process died in the middle: their outcome is unknown, their estimate stands.

        Those of a vendor's batch end with the batch.
        """
        async with self._database.connection("spending.close_lost") as connection:
            done = await connection.execute(
                "update paid_calls set state = 'unknown', cost_usd = estimate_usd, ended_at = now()"
                " where state = 'open' and began_at < now() - %s and vendor_batch is null",
                [timedelta(seconds=older_s)],
            )
            return done.rowcount

    def _limits(self, payer: Payer) -> dict[str, Decimal | None]:
        """Scope → limit of the day. All are counted: a budget that is set at noon knows of the morning."""
        own = self._budgets
        limits = {"all": own.day_usd}
        if payer.brand:
            limits[f"brand:{payer.brand}"] = own.brand_day_usd
        if payer.owner_org_id is not None:
            limits[f"organisation:{payer.owner_org_id}"] = own.organisation_day_usd
        return {scope: None if limit is None else Decimal(str(limit)) for scope, limit in limits.items()}


async def settle_in(connection: Connection, number: int, bill: Bill) -> None:
    """As `Spending.settle`, within somebody's transaction."""
    found = await connection.execute(
        "update paid_calls set state = %s, model = coalesce(nullif(%s, ''), model), request_id = %s,"
        " units = %s, cost_usd = %s, price_since = %s, ended_at = now()"
        " where id = %s and state = 'open' returning day, scopes, coalesce(estimate_usd, 0)",
        [
            bill.outcome,
            bill.model,
            bill.request_id,
            Jsonb(bill.units),
            bill.cost_usd,
            bill.price_since,
            number,
        ],
    )
    row = await found.fetchone()
    if row is not None:
        await _correct(connection, row[0], row[1], (bill.cost_usd or NOTHING) - row[2])


async def _set_aside(connection: Connection, day: date, scope: str, amount: Decimal, limit: Decimal | None) -> None:
    await connection.execute("insert into budget_use (day, scope) values (%s, %s) on conflict do nothing", [day, scope])
    taken = await connection.execute(
        "update budget_use set used_usd = used_usd + %(amount)s where day = %(day)s and scope = %(scope)s"
        " and (%(limit)s::numeric is null or used_usd + %(amount)s <= %(limit)s)",
        {"amount": amount, "day": day, "scope": scope, "limit": limit},
    )
    if limit is None or taken.rowcount:
        return
    found = await connection.execute("select used_usd from budget_use where day = %s and scope = %s", [day, scope])
    row = await found.fetchone()
    used = row[0] if row else NOTHING
    raise Deferred(
        f"the day's budget of {limit:f} USD for {_named(scope)} is used up: {used:.4f} spent, {amount:.4f} needed",
        after=_until_tomorrow_s(day),
        hint="It goes on tomorrow (UTC), or when money.budgets is raised.",
        code="ADO-3006",
    )


async def _open_call(connection: Connection, wanted: Reservation, scopes: list[str]) -> int:
    payer = wanted.payer
    found = await connection.execute(
        "insert into paid_calls (day, service, model, plugin, brand, owner_org_id, batch_id, analysis_keys, units,"
        " estimate_usd, scopes, vendor_batch) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning id",
        [
            wanted.day,
            wanted.service,
            wanted.model,
            wanted.plugin,
            payer.brand or None,
            payer.owner_org_id,
            payer.batch_id,
            list(wanted.keys),
            Jsonb(wanted.units),
            wanted.estimate_usd,
            scopes,
            wanted.vendor_batch,
        ],
    )
    row = await found.fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return int(row[0])


async def _correct(connection: Connection, day: date, scopes: Sequence[str], difference: Decimal) -> None:
    """A bill is not refused: it was spent, even if it passes the budget."""
    for scope in sorted(scopes):
        await connection.execute(
            "update budget_use set used_usd = greatest(0, used_usd + %s) where day = %s and scope = %s",
            [difference, day, scope],
        )


def _named(scope: str) -> str:
    kind, _, name = scope.partition(":")
    return "everything" if kind == "all" else f"{kind} {name!r}"


def _until_tomorrow_s(day: date) -> float:
    tomorrow = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    return max(60.0, (tomorrow - datetime.now(UTC)).total_seconds())
