"""The routes about ads."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, cast, get_args
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter

from adology_server import parts
from adology_server.access import Access, allow
from adology_server.ads.counting import facets_statement, statistics_statement
from adology_server.ads.detail import DETAIL, Payloads
from adology_server.ads.filters import Filter, question, read_filter, values_of
from adology_server.ads.listing import place_of, read_fields, render, statement_of
from adology_server.ads.model import AdDetail, AdRow, Count, Facet, Facets, Sort, Statistics
from adology_server.brandspaces.seen import Which, chosen, load
from adology_server.files import SignedUrls, key_of
from adology_server.paging import DEFAULT, After, Limit, Page
from adology_server.parts import Incoming
from adology_server.problems import Refusal, not_found

LARGEST_ID = 2**63 - 1
_FILTER = {"which": Provide(read_filter, sync_to_thread=False)}

Order = Annotated[Sort, QueryParameter(description="Newest first seen, last seen, or longest run first.")]
Collapse = Annotated[bool, QueryParameter(description="Of ads with nearly the same creative, the first one alone.")]
Fields = Annotated[
    list[str] | None, QueryParameter(name="fields", max_items=40, description="Only these fields of each ad.")
]
Wanted = Annotated[
    list[Facet] | None,
    QueryParameter(name="facet", max_items=20, description="Only these facets; all but `passed` and `failed`."),
]
NewDays = Annotated[int, QueryParameter(ge=1, le=366, description="What counts as new: first seen in so many days.")]


@get("/v1/ads", opt=allow(Access.VIEWER), operation_id="listAds", dependencies=_FILTER)
async def list_ads(
    request: Incoming,
    which: NamedDependency[Filter],
    brandspace: Which = None,
    sort: Order = "newest",
    collapse: Collapse = False,
    fields: Fields = None,
    limit: Limit = DEFAULT,
    after: After = None,
) -> Response[Page[AdRow]]:
    """The brandspace's ads. What arrives while pages are read is in none of them twice, and pushes nothing out."""
    caller, cursors, space = request.user, parts.cursors(request), chosen(request, brandspace)
    wanted, unknown = read_fields(fields)
    if unknown:
        raise Refusal("invalid", f"An ad has no field {unknown[:80]!r}.", field="fields")
    asked = ["ads", caller.org, str(space), sort, collapse, *question(which)]
    place = await cursors.decode(asked, after)
    values = _values(request, which, space)
    if place is not None:
        values["key"], values["ad"] = place
    statement = statement_of(which, sort, limit=limit + 1, begun=place is not None, collapse=collapse)
    rows = await parts.tenants(request).rows(caller.org, statement, values)
    if not rows:
        await load(request, space)
    following = await cursors.encode(asked, place_of(rows[limit - 1])) if len(rows) > limit else None
    body = render(rows[:limit], following, _urls(request).url, wanted)
    return Response(cast("Any", body), media_type="application/json")


@get("/v1/ads/facets", opt=allow(Access.VIEWER), operation_id="countAds", dependencies=_FILTER)
async def count_ads(
    request: Incoming, which: NamedDependency[Filter], brandspace: Which = None, facet: Wanted = None
) -> Facets:
    """How the brandspace's ads that the filter leaves divide up."""
    space = chosen(request, brandspace)
    wanted = tuple(dict.fromkeys(facet or _USUAL))
    statement = facets_statement(which, wanted)
    rows = await parts.tenants(request).rows(request.user.org, statement, _values(request, which, space))
    counts: dict[str, list[Count]] = {}
    for row in rows:
        counts.setdefault(row["facet"], []).append(Count(value=row["value"], ads=row["ads"]))
    total = counts.pop("total")[0].ads
    if not total:
        await load(request, space)
    told = {name: tuple(counts.get(name, ())) if name in wanted else None for name in _ALL}
    return Facets(total=total, **told)


@get("/v1/ads/{ad_id:int}", opt=allow(Access.VIEWER), operation_id="getAd")
async def get_ad(request: Incoming, ad_id: FromPath[int]) -> AdDetail:
    """One ad: copy, creatives, analyses with evidence and cost, days, where it comes from."""
    caller, values = request.user, {"ad": ad_id, "stale": _stale(request)}
    rows = await parts.tenants(request).rows(caller.org, DETAIL, values) if 0 < ad_id <= LARGEST_ID else []
    if not rows:
        raise not_found("ad", ad_id)
    row, urls = rows[0], _urls(request)
    payloads: Payloads = request.app.state.payloads
    row["raw"] = await payloads.find(row["batch"], row["source"], row["source_ad_id"], row["owner_org_id"])
    row["analyses"] = [*row.pop("copy_analyses"), *row.pop("asset_analyses")]
    for asset in row["assets"]:
        asset["url"] = urls.url(key_of(asset["url"]), content_type=asset["content_type"])
        asset["thumbnail_url"] = urls.url(key_of(asset["thumbnail_url"])) if asset["thumbnail_url"] else None
    return msgspec.convert(row, AdDetail)


@get("/v1/statistics", opt=allow(Access.VIEWER), operation_id="getStatistics")
async def get_statistics(request: Incoming, brandspace: Which = None, new_days: NewDays = 7) -> Statistics:
    """The brandspace in numbers."""
    space = chosen(request, brandspace)
    values = {"space": space, "stale": _stale(request), "new": timedelta(days=new_days)}
    ((row),) = await parts.tenants(request).rows(request.user.org, statistics_statement(), values)
    if not row["known"]:
        raise not_found("brandspace", space)
    return msgspec.convert({**row["told"], "new_days": new_days}, Statistics)


_ALL: tuple[Facet, ...] = get_args(Facet)
_USUAL: tuple[Facet, ...] = tuple(name for name in _ALL if name not in ("passed", "failed"))
"""Where none is named. An ad has a hundred rules: to count them takes as long as all the rest."""


def _values(request: Incoming, which: Filter, space: UUID) -> dict[str, Any]:
    return {**values_of(which), "space": space, "stale": _stale(request)}


def _stale(request: Incoming) -> timedelta:
    return timedelta(seconds=parts.settings(request).stale_look_s)


def _urls(request: Incoming) -> SignedUrls:
    found: SignedUrls = request.app.state.urls
    return found


ROUTES = (list_ads, count_ads, get_ad, get_statistics)
