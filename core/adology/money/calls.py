"""One paid call: money is set aside before it, and the bill takes its place after it.

::

    async with ctx.paid("openai", "gpt-5-mini", input_tokens=900, output_tokens=300) as call:
        answer = await client.responses.create(…)
        call.bill(model=answer.model, request_id=answer.id, input_tokens=…, output_tokens=…)
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from types import TracebackType
from typing import Literal, Protocol, Self

import msgspec

from adology.money.prices import PriceTable
from adology.types import Struct

Outcome = Literal["billed", "failed", "unknown"]


class Payer(Struct, frozen=True, kw_only=True):
    """Whom a call is for. Empty: nobody in particular (a person at the command line)."""

    brand: str = ""
    owner_org_id: str | None = None
    batch_id: str | None = None


class Reservation(Struct, frozen=True, kw_only=True):
    """What is asked for before a call. `estimate_usd` is None where no price is known.

    `vendor_batch` is our id of the vendor's batch that the call stands for: it stays open until that ends.
    """

    service: str
    model: str
    plugin: str
    payer: Payer
    keys: tuple[str, ...] = ()
    units: dict[str, float] = msgspec.field(default_factory=dict)
    estimate_usd: Decimal | None = None
    day: date
    vendor_batch: str | None = None


class Bill(Struct, frozen=True, kw_only=True):
    """What became of a call. `cost_usd` is None where no price is known."""

    outcome: Outcome
    model: str = ""
    request_id: str = ""
    units: dict[str, float] = msgspec.field(default_factory=dict)
    cost_usd: Decimal | None = None
    price_since: date | None = None


class Purse(Protocol):
    """Sets money aside and keeps the ledger; see `adology.store.Spending`."""

    prices: PriceTable

    async def reserve(self, wanted: Reservation) -> int:
        """A number for the call.

        Raises:
            Deferred: a budget is used up.
        """
        ...

    async def settle(self, number: int, bill: Bill) -> None:
        """Put the bill in the place of the estimate."""
        ...


class MemoryPurse:
    """For analyzers that are called without an engine: no budgets, the calls in a list."""

    def __init__(self, prices: PriceTable | None = None) -> None:
        self.prices = prices or PriceTable(())
        self.calls: list[tuple[Reservation, Bill | None]] = []

    async def reserve(self, wanted: Reservation) -> int:
        """Note the call."""
        self.calls.append((wanted, None))
        return len(self.calls) - 1

    async def settle(self, number: int, bill: Bill) -> None:
        """Note what became of it."""
        self.calls[number] = (self.calls[number][0], bill)

    @property
    def cost_usd(self) -> Decimal:
        """All bills together."""
        return sum((bill.cost_usd or Decimal(0) for _, bill in self.calls if bill), Decimal(0))


class PaidCall:
    """Around one call of a vendor; made by `Context.paid`.

    What is raised inside before `bill` was called costs nothing, except where the answer may have
    been lost on the way (time-outs, cancellation): then the estimate stands and the outcome is
    unknown.
    """

    def __init__(
        self,
        purse: Purse,
        *,
        service: str,
        model: str,
        plugin: str,
        payer: Payer,
        keys: tuple[str, ...] = (),
        units: dict[str, float],
    ) -> None:
        self._purse = purse
        self._day = datetime.now(UTC).date()
        price = purse.prices.find(service, model, self._day)
        self._wanted = Reservation(
            service=service,
            model=model,
            plugin=plugin,
            payer=payer,
            keys=keys,
            units=units,
            estimate_usd=None if price is None else price.cost(units),
            day=self._day,
        )
        self._number: int | None = None
        self._bill: Bill | None = None

    @property
    def cost_usd(self) -> Decimal:
        """What was billed; 0 while nothing is, or where no price is known."""
        return (self._bill.cost_usd if self._bill else None) or Decimal(0)

    @property
    def has_price(self) -> bool:
        """Whether the cost of what was billed is known; before that, whether an estimate is."""
        return (self._bill.cost_usd if self._bill else self._wanted.estimate_usd) is not None

    def bill(self, *, model: str = "", request_id: str = "", **units: float) -> None:
        """What the vendor counted. `model` as the vendor returned it: prices go by that name first."""
        wanted = self._wanted
        find = self._purse.prices.find
        price = find(wanted.service, model, self._day) if model else None
        price = price or find(wanted.service, wanted.model, self._day)
        self._bill = Bill(
            outcome="billed",
            model=model or wanted.model,
            request_id=request_id,
            units=units,
            cost_usd=None if price is None else price.cost(units),
            price_since=None if price is None else price.since,
        )

    async def __aenter__(self) -> Self:
        self._number = await self._purse.reserve(self._wanted)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._number is not None  # noqa: S101 - set on entry
        await asyncio.shield(self._purse.settle(self._number, self._bill or self._unbilled(error)))

    def _unbilled(self, error: BaseException | None) -> Bill:
        lost = error is None or isinstance(error, TimeoutError | asyncio.CancelledError)
        if not lost:
            return Bill(outcome="failed", cost_usd=Decimal(0))
        wanted = self._wanted
        return Bill(outcome="unknown", model=wanted.model, units=wanted.units, cost_usd=wanted.estimate_usd)
