"""What was understood of the creatives: text read, prices found, safety; from local models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from rich.text import Text

from adology.cli import output
from adology.settings import AdologySettings
from adology.store import Database

SURE = 0.5
LONGEST_LINE = 46


class Understood(msgspec.Struct, kw_only=True):
    """One brand's creatives: counts, and the longest line that was read."""

    creatives: int = 0
    with_text: int = 0
    lines: int = 0
    prices: int = 0
    suspect: int = 0
    highest_risk: float = 0.0
    example: str = ""


async def understand(settings: AdologySettings, brands: list[str]) -> dict[str, Understood]:
    """What the analyzers said of each brand's public creatives; empty where their packages are not installed."""
    async with Database(settings.postgres) as database:
        found = {brand: await _of_brand(database, brand) for brand in brands}
    return {brand: one for brand, one in found.items() if one.creatives}


async def _of_brand(database: Database, brand: str) -> Understood:
    told = Understood()
    async with database.connection("demo.understood", brand=brand) as connection:
        found = await connection.execute(
            """select distinct l.sha256, l.analyzer, n.result
               from brand_ads b join ads d on d.id = b.ad_id join ad_assets m on m.ad_id = d.id
                   join asset_analyses l on l.sha256 = m.sha256 join analyses n on n.key = l.key
               where b.brand = %s and d.owner_org_id is null and n.state = 'done'
                   and l.analyzer in ('text', 'safety')
               order by l.sha256, l.analyzer""",
            [brand],
        )
        rows = await found.fetchall()
    told.creatives = len({sha256 for sha256, _, _ in rows})
    for _, analyzer, result in rows:
        if analyzer == "text":
            _add_text(told, result)
        else:
            told.highest_risk = max(told.highest_risk, result["score"])
    return told


def _add_text(told: Understood, result: Mapping[str, Any]) -> None:
    lines = result.get("lines", [])
    told.with_text += bool(lines)
    told.lines += len(lines)
    prices = result.get("prices", [])
    told.prices += sum(price["confidence"] >= SURE for price in prices)
    told.suspect += sum(bool(price.get("suspect")) for price in prices)
    told.example = max(told.example, *(str(line["text"]) for line in lines), "", key=len)


def show_understood(found: Mapping[str, Understood]) -> None:
    """One line per brand."""
    if not found:
        return
    console = output.stdout()
    about = "  read on this machine, without keys"
    console.print(Text.assemble(("Creatives", "bold"), (about, "dim")))
    numbers = ("creatives", "with text", "lines", "prices", "highest risk")
    made = output.table("brand", *numbers, "reads, for example", right=numbers, flexible=("reads, for example",))
    for brand, one in found.items():
        suspect = f" ({one.suspect} suspect)" if one.suspect else ""
        made.add_row(
            Text(brand, style="bold"),
            Text(f"{one.creatives:,}"),
            Text(f"{one.with_text:,}"),
            Text(f"{one.lines:,}"),
            Text(f"{one.prices:,}{suspect}"),
            Text(f"{one.highest_risk:.2f}"),
            output.cut(one.example[:LONGEST_LINE], "italic"),
        )
    console.print(made)
