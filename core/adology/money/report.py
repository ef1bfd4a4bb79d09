"""What a report over paid calls says. New fields may appear; these keep their meaning."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

By = Literal["analyzer", "model", "brand", "organisation", "day"]


class CostLine(Struct, kw_only=True):
    """One analyzer, model, brand, organisation or day; money in US dollars.

    `paid_usd` holds bills and the estimates of `unknown` calls, whose answer was lost; `open_usd`
    what is set aside for calls under way. `unpriced` calls have no price. `spared_usd` is what
    further ads with a creative or copy that was paid for would have cost (by analyzer only).
    """

    name: str
    calls: int = 0
    failed: int = 0
    unknown: int = 0
    unpriced: int = 0
    open_usd: float = 0.0
    paid_usd: float = 0.0
    spared_usd: float | None = None


class BudgetLine(Struct, kw_only=True):
    """A budget of today and what is used up or set aside of it."""

    scope: str
    limit_usd: float
    used_usd: float


class CostReport(Struct, kw_only=True):
    """Lines, dearest first (days: newest first), and today's budgets."""

    by: By
    days: int
    lines: list[CostLine] = field(default_factory=list)
    budgets: list[BudgetLine] = field(default_factory=list)

    def total(self) -> CostLine:
        """All lines together."""
        whole = CostLine(name="all")
        for line in self.lines:
            whole.calls += line.calls
            whole.failed += line.failed
            whole.unknown += line.unknown
            whole.unpriced += line.unpriced
            whole.open_usd += line.open_usd
            whole.paid_usd += line.paid_usd
            if line.spared_usd is not None:
                whole.spared_usd = (whole.spared_usd or 0.0) + line.spared_usd
        return whole
