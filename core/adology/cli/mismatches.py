"""``mismatches``: ads whose creative and copy name different prices."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from adology.cli import output
from adology.cli.model import MismatchLine
from adology.cli.options import Json, answers, load

if TYPE_CHECKING:
    from adology.settings.model import AdologySettings

FLAG = "price_mismatch"
_WHY = {"lost_decimal_point": "probably misread: the point is lost", "other_amount": "another price"}


@answers(list[MismatchLine])
def mismatches(
    *,
    brand: Annotated[str | None, typer.Option(metavar="NAME", help="Only ads of this brand.")] = None,
    organisation: Annotated[
        str | None, typer.Option(metavar="ID", help="Also ads that this organisation owns.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most ads, the newest first.")] = 50,
    json: Json = False,
) -> None:
    """List ads whose creative shows a price that the ad's own copy contradicts.

    They are found by `adology follow`, which `adology up` starts as well.

    Example: `adology mismatches --brand nike`
    """
    lines = asyncio.run(_read(load(), brand, organisation, limit))
    if json:
        output.print_json(lines)
        return
    if not lines:
        output.hint("No mismatches. Does `adology follow` run, and the analyzers `copy` and `text`?")
        return
    made = output.table(
        "brand", "ad", "in the picture", "in the copy", "sure", "why", right=("sure",), flexible=("why",)
    )
    for line in lines:
        made.add_row(
            output.cell(line.brand),
            output.cell(line.ad),
            output.cell(line.raw, "bold"),
            output.cell(f"{line.copy_amount} {line.currency}".rstrip()),
            output.cell(f"{line.confidence:.2f}", "dim"),
            output.cut(_WHY.get(line.why, line.why), "dim"),
        )
    output.stdout().print(made)


async def _read(
    settings: AdologySettings, brand: str | None, organisation: str | None, limit: int
) -> list[MismatchLine]:
    from adology.cli.requests import check_brand, open_database  # noqa: PLC0415 - commands import when they run
    from adology.store import Catalogue  # noqa: PLC0415 - as above
    from adology.store.flags import Flags  # noqa: PLC0415 - as above

    async with open_database(settings) as database:
        if brand is not None:
            await check_brand(Catalogue(database), brand)
        found = await Flags(database).list_flagged(FLAG, brand=brand, organisation=organisation, limit=limit)
    return [
        msgspec.convert({"ad": one.ad, "source": one.source, "brand": one.brand, **each}, MismatchLine)
        for one in found
        for each in one.details
    ]
