"""Reports over the ledger of paid calls."""

from __future__ import annotations

from datetime import date

from adology.money.report import BudgetLine, By, CostLine
from adology.settings.model import BudgetSettings
from adology.store.database import Database

_NAME = {
    "analyzer": "plugin",
    "model": "service || ' ' || model",
    "brand": "coalesce(brand, '')",
    "organisation": "coalesce(owner_org_id, '')",
    "day": "day::text",
}


class Costs:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lines(self, by: By, *, since: date, brand: str | None = None) -> list[CostLine]:
        """Calls from that day (UTC) on, in groups."""
        statement = f"""
            select {_NAME[by]}, count(*), count(*) filter (where state = 'failed'),
                count(*) filter (where state = 'unknown'),
                count(*) filter (where state <> 'failed' and coalesce(cost_usd, estimate_usd) is null),
                coalesce(sum(estimate_usd) filter (where state = 'open'), 0)::float,
                coalesce(sum(cost_usd), 0)::float
            from paid_calls where day >= %(since)s and (%(brand)s::text is null or brand = %(brand)s)
            group by 1 order by {"1 desc" if by == "day" else "7 desc, 1"}"""
        async with self._database.connection("costs.lines", by=by) as connection:
            found = await connection.execute(statement.encode(), {"since": since, "brand": brand})
            lines = [
                CostLine(**dict(zip(CostLine.__struct_fields__, row, strict=False))) for row in await found.fetchall()
            ]
        if by == "analyzer" and brand is None:
            spared = await self._spared()
            for line in lines:
                line.spared_usd = spared.get(line.name, 0.0)
        return lines

    async def _spared(self) -> dict[str, float]:
        """Analyzer → what its paid results would have cost once more for every further ad that shows their subject."""
        async with self._database.connection("costs.spared") as connection:
            found = await connection.execute(
                """select analyzer, sum(cost_usd * (uses - 1))::float from (
                       select n.analyzer, n.cost_usd, count(distinct m.ad_id) as uses
                       from analyses n join asset_analyses l on l.key = n.key join ad_assets m on m.sha256 = l.sha256
                       where n.cost_usd > 0 group by n.key
                       union all
                       select n.analyzer, n.cost_usd, count(*) from analyses n join ad_analyses l on l.key = n.key
                       where n.cost_usd > 0 group by n.key
                   ) paid group by analyzer"""
            )
            return dict(await found.fetchall())

    async def budgets(self, day: date, own: BudgetSettings, *, brand: str | None = None) -> list[BudgetLine]:
        """Budgets that have a limit, with what is used of them on that day; of brands, the given one or all used."""
        limits = {"all": own.day_usd, "brand": own.brand_day_usd, "organisation": own.organisation_day_usd}
        async with self._database.connection("costs.budgets") as connection:
            found = await connection.execute(
                "select scope, used_usd::float from budget_use where day = %s order by used_usd desc, scope", [day]
            )
            used = dict(await found.fetchall())
        if own.day_usd is not None:
            used.setdefault("all", 0.0)
        lines = []
        for scope, amount in used.items():
            limit = limits[scope.partition(":")[0]]
            if limit is not None and (brand is None or scope in ("all", f"brand:{brand}")):
                lines.append(BudgetLine(scope=scope, limit_usd=limit, used_usd=amount))
        return lines
