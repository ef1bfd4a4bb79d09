"""``duplicates``: committed creatives that are one, changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from adology.cli import output
from adology.cli.model import Duplicate, DuplicateGroup, DuplicatePair
from adology.cli.options import Json, answers, load

if TYPE_CHECKING:
    from adology.settings.model import AdologySettings


@answers(list[DuplicateGroup])
def duplicates(
    *,
    brand: Annotated[str | None, typer.Option(metavar="NAME", help="Groups with a creative of this brand.")] = None,
    organisation: Annotated[
        str | None, typer.Option(metavar="ID", help="Also creatives of ads that this organisation owns.")
    ] = None,
    after: Annotated[str, typer.Option(metavar="ID", help="Groups after this one: the last of the page before.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most groups.")] = 20,
    json: Json = False,
) -> None:
    """List groups of committed creatives that are near-duplicates: crops, recoloured, mirrored, with other text.

    They are found by `adology follow`, which `adology up` starts as well.

    Example: `adology duplicates --brand nike`
    """
    groups = asyncio.run(_read(load(), brand, organisation, after, limit))
    if json:
        output.print_json(groups)
    elif groups:
        _show(groups)
        if len(groups) == limit:
            output.hint(f"There may be more: --after {groups[-1].id}")
    else:
        output.hint("No near-duplicates. Does `adology follow` run, and the analyzer `likeness`?")


async def _read(
    settings: AdologySettings, brand: str | None, organisation: str | None, after: str, limit: int
) -> list[DuplicateGroup]:
    from adology.cli.requests import check_brand, open_database  # noqa: PLC0415 - commands import when they run
    from adology.store import Catalogue  # noqa: PLC0415 - as above
    from adology.store.likenesses import Likenesses  # noqa: PLC0415 - as above

    async with open_database(settings) as database:
        if brand is not None:
            await check_brand(Catalogue(database), brand)
        store = Likenesses(database)
        found = await store.groups(brand=brand, organisation=organisation, after=after, limit=limit)
        groups: list[DuplicateGroup] = []
        for members in found:
            creatives = [
                Duplicate(**{name: getattr(one, name) for name in Duplicate.__struct_fields__}) for one in members
            ]
            seen = {one.sha256 for one in members}
            pairs = [
                DuplicatePair(a=one.sha256, b=pair.other, kind=pair.kind, confidence=pair.confidence)
                for one in members
                for pair in await store.pairs_of(one.sha256)
                if one.sha256 < pair.other and pair.other in seen
            ]
            pairs.sort(key=lambda pair: (-pair.confidence, pair.a, pair.b))
            groups.append(DuplicateGroup(id=members[0].group, creatives=creatives, pairs=pairs))
    return groups


def _show(groups: Sequence[DuplicateGroup]) -> None:
    made = output.table("group", "brand", "ad", "how", "sure", "file", right=("sure",), flexible=("file",))
    for group in groups:
        for number, one in enumerate(group.creatives):
            best = next((pair for pair in group.pairs if one.sha256 in (pair.a, pair.b)), None)
            more = f" +{one.ads - 1}" if one.ads > 1 else ""
            made.add_row(
                output.cell(group.id[:8] if not number else "", "bold"),
                output.cell(one.brand),
                output.cell(f"{one.ad}{more}"),
                output.cell(best.kind if best else "", "dim"),
                output.cell(f"{best.confidence:.2f}" if best else "", "dim"),
                output.cut(one.thumbnail or one.s3_path, "dim"),
                end_section=number == len(group.creatives) - 1,
            )
    output.stdout().print(made)
