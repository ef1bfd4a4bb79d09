"""``search``: what looks like a picture, says the same as a text, or resembles an ad."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adology.cli import output
from adology.cli.model import Hit, HitAd
from adology.cli.options import Json, answers, load

if TYPE_CHECKING:
    from adology.abc.analyzer import MediaItem
    from adology.engine.analyzers import AnalyzerSet, ReadyAnalyzer
    from adology.engine.offline import Said
    from adology.settings.model import AdologySettings
    from adology.store import Database
    from adology.store.similar import Query
    from adology.store.subjects import SubjectKind


@answers(list[Hit])
def search(
    *,
    image: Annotated[Path | None, typer.Option("--image", metavar="FILE", help="An image or a video.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="Words to look for.")] = None,
    ad: Annotated[str | None, typer.Option("--ad", metavar="ID", help="An ad, by its source's id.")] = None,
    brand: Annotated[str | None, typer.Option(metavar="NAME", help="Only among ads of this brand.")] = None,
    organisation: Annotated[
        str | None, typer.Option(metavar="ID", help="Also among the ads that this organisation owns.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most neighbours of each kind.")] = 10,
    json: Json = False,
) -> None:
    """Find committed creatives that look alike and ads that say the same, nearest first.

    Similarity is the cosine of embeddings of one space: 1 is the same. Local embeddings find crops, resized and
    recoloured copies; they know little of what a picture means. Words find creatives as well where Bedrock embeds them.

    Example: `adology search --text "summer sale trainers" --limit 5`
    """
    if sum(given is not None for given in (image, text, ad)) != 1:
        raise typer.BadParameter("give one of --image, --text, --ad")
    hits = asyncio.run(_search(load(), image, text, ad, brand, organisation, limit))
    if json:
        output.print_json(hits)
    elif hits:
        _show(hits)
    else:
        output.hint("Nothing to compare with. Are embeddings committed? See `adology reanalyze`.")


async def _search(
    settings: AdologySettings,
    image: Path | None,
    text: str | None,
    ad: str | None,
    brand: str | None,
    organisation: str | None,
    limit: int,
) -> list[Hit]:
    from adology.cli.requests import check_brand, open_database  # noqa: PLC0415 - commands import when they run
    from adology.engine.analyzers import prepare  # noqa: PLC0415 - as above
    from adology.engine.offline import read_media  # noqa: PLC0415 - as above
    from adology.plugins import load_plugins  # noqa: PLC0415 - as above
    from adology.store import Catalogue  # noqa: PLC0415 - as above

    own = settings.plugins
    loaded = load_plugins(only=own.only, without=own.without, strict=own.strict, trace=own.trace)
    embedding = {p.name for p in loaded.of_kind("analyzer") if {"space", "vector"} <= _fields(p.result_type)}
    analyzers = prepare(loaded.of_kind("analyzer"), settings.analyzers)
    chosen = [one for one in analyzers if one.name in embedding]
    async with open_database(settings) as database:
        if brand is not None:
            await check_brand(Catalogue(database), brand)
        if ad is not None:
            queries = await _of_ad(database, chosen, ad, organisation)
        else:
            subject = read_media(image) if image is not None else text or ""
            queries = await _of_file(settings, database, analyzers, chosen, subject)
        return [hit for query in queries for hit in await _find(database, query, brand, organisation, limit)]


def _fields(kind: Any) -> set[str]:
    return set(getattr(kind, "__struct_fields__", ()))


async def _of_file(
    settings: AdologySettings,
    database: Database,
    analyzers: AnalyzerSet,
    chosen: Sequence[ReadyAnalyzer],
    subject: MediaItem | str,
) -> list[Query]:
    """What the embedding analyzers make of a file, or of a text that somebody typed. What is paid is in the ledger."""
    from adology.engine.invoke import Invoker  # noqa: PLC0415 - commands import when they run
    from adology.engine.offline import analyze, place  # noqa: PLC0415 - as above
    from adology.isolation import IsolatedPool  # noqa: PLC0415 - as above
    from adology.money import PriceTable  # noqa: PLC0415 - as above
    from adology.store.spending import Spending  # noqa: PLC0415 - as above
    from adology.vendors import close_clients  # noqa: PLC0415 - as above

    names = [one.name for one in chosen]
    purse = Spending(database, PriceTable(settings.money.prices), settings.money.budgets)
    with tempfile.TemporaryDirectory(prefix="adology-") as scratch:
        async with IsolatedPool(1, memory_bytes=settings.worker.isolation_memory_bytes) as pool:
            invoker = Invoker(pool, purse)
            if isinstance(subject, str):
                said = await place(invoker, chosen, subject, Path(scratch))
            else:
                said = await analyze(invoker, analyzers.only(names), subject, Path(scratch)) if names else []
    await close_clients()
    return _queries([one for one in said if one.analyzer in names], chosen)


def _queries(said: Sequence[Said], chosen: Sequence[ReadyAnalyzer]) -> list[Query]:
    from adology.errors import EngineError  # noqa: PLC0415 - commands import when they run
    from adology.store.similar import Query, unpack  # noqa: PLC0415 - as above

    of_copy = {one.name for one in chosen if "ad" in one.analyzer.accepts}
    queries: list[Query] = []
    for one in said:
        if one.error is not None:
            raise EngineError(f"{one.analyzer}: {one.error}", code=one.error_code)
        vector = unpack(one.result["vector"])
        if vector is not None:
            kind: SubjectKind = "ad" if one.analyzer in of_copy else "asset"
            queries.append(Query(kind=kind, analyzer=one.analyzer, space=one.result["space"], vector=vector))
    if not queries:
        raise EngineError(
            "no installed analyzer embeds such an item", hint="See `adology plugins list`.", code="ADO-1010"
        )
    return queries


async def _of_ad(
    database: Database, chosen: Sequence[ReadyAnalyzer], name: str, organisation: str | None
) -> list[Query]:
    """The stored embeddings of an ad's creatives and copy."""
    from adology.errors import EngineError  # noqa: PLC0415 - commands import when they run
    from adology.store.similar import Query, Similar  # noqa: PLC0415 - as above

    similar = Similar(database)
    found = await similar.find_ad(name, organisation=organisation)
    if found is None:
        hint = "It is the id that its source gives it, as other searches show it; BRAND/ID where it was ingested."
        raise EngineError(f"no ad has the id {name!r}.", hint=hint, code="ADO-1010")
    assets, copy = found
    queries: list[Query] = []
    for one in chosen:
        for kind, subjects in (("asset", assets), ("ad", [copy])):
            if ("ad" in one.analyzer.accepts) != (kind == "ad"):
                continue
            known = await similar.vectors_of(kind, one.name, subjects)  # type: ignore[arg-type]  # one of the two
            queries += [
                Query(kind=kind, analyzer=one.name, space=space, vector=vector, without=subject)  # type: ignore[arg-type]  # as above
                for subject, space, vector in known
            ]
    return queries


async def _find(database: Database, query: Query, brand: str | None, organisation: str | None, limit: int) -> list[Hit]:
    import msgspec  # noqa: PLC0415 - commands import when they run

    from adology.store.similar import Similar  # noqa: PLC0415 - as above

    similar = Similar(database)
    own = msgspec.structs.replace(query, brand=brand, organisation=organisation)
    near = await similar.search(own, limit=limit)
    shown = await similar.shown(query.kind, [one.subject for one in near], brand=brand, organisation=organisation)
    return [
        Hit(
            how="looks" if query.kind == "asset" else "says",
            similarity=one.similarity,
            subject=one.subject,
            space=query.space,
            s3_path=shown[one.subject][0].s3_path,
            thumbnail=shown[one.subject][0].thumbnail,
            ads=[
                HitAd(id=ad.ad, source=ad.source, brand=ad.brand, status=ad.status, copy=ad.copy)
                for ad in shown[one.subject]
            ],
        )
        for one in near
        if one.subject in shown
    ]


def _show(hits: Sequence[Hit]) -> None:
    made = output.table(
        "similar", "how", "brand", "ad", "copy", "thumbnail", right=("similar",), flexible=("copy", "thumbnail")
    )
    for hit in hits:
        first = hit.ads[0]
        more = f" +{len(hit.ads) - 1}" if len(hit.ads) > 1 else ""
        made.add_row(
            output.cell(f"{hit.similarity:.3f}", "bold"),
            output.cell(hit.how, "dim"),
            output.cell(first.brand),
            output.cell(f"{first.id}{more}"),
            output.cut(" ".join(first.copy.split()), "dim"),
            output.cut(hit.thumbnail or hit.s3_path, "dim"),
        )
    output.stdout().print(made)
