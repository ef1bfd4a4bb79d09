"""The routes about ads."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, cast, get_args
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter
from psycopg.rows import DictRow

from adology_server import parts
from adology_server.access import Access, allow
from adology_server.ads.counting import facets_statement, statistics_statement
from adology_server.ads.detail import DETAIL, Payloads
from adology_server.ads.detail import render as render_detail
from adology_server.ads.filters import Filter, question, read_filter, values_of
from adology_server.ads.kept import KeptAnswers, Question
from adology_server.ads.listing import place_of, read_fields, render, statement_of
from adology_server.ads.model import AdDetail, AdRow, Count, Facet, Facets, Sort, Statistics
from adology_server.brandspaces.seen import Which, chosen, load
from adology_server.files import SignedUrls
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
    if collapse:
        # What is nearly the same changes without a change of the feed.
        rows = await parts.tenants(request).rows(caller.org, statement, values)
    else:
        what = ("ads", which, sort, limit, place and tuple(place))
        rows = await _kept(request).find(
            parts.tenants(request), Question(caller.org, space, what), statement, values, _page
        )
    if not rows:
        await load(request, space)
    following = await cursors.encode(asked, place_of(rows[limit - 1])) if len(rows) > limit else None
    return _json(render(rows[:limit], following, _urls(request).url, wanted))


@get("/v1/ads/facets", opt=allow(Access.VIEWER), operation_id="countAds", dependencies=_FILTER)
async def count_ads(
    request: Incoming, which: NamedDependency[Filter], brandspace: Which = None, facet: Wanted = None
) -> Response[Facets]:
    """How the brandspace's ads that the filter leaves divide up."""
    space = chosen(request, brandspace)
    wanted = tuple(dict.fromkeys(facet or _USUAL))

    def made(rows: list[DictRow]) -> tuple[tuple[int, bytes], int]:
        counts: dict[str, list[Count]] = {}
        for row in rows:
            counts.setdefault(row["facet"], []).append(Count(value=row["value"], ads=row["ads"]))
        total = counts.pop("total")[0].ads
        told = {name: tuple(counts.get(name, ())) if name in wanted else None for name in _ALL}
        body = msgspec.json.encode(Facets(total=total, **told))
        return (total, body), len(body)

    asked, values = Question(request.user.org, space, ("facets", which, wanted)), _values(request, which, space)
    total, body = await _kept(request).find(
        parts.tenants(request), asked, facets_statement(which, wanted), values, made
    )
    if not total:
        await load(request, space)
    return _json(body)


@get("/v1/ads/{ad_id:int}", opt=allow(Access.VIEWER), operation_id="getAd")
async def get_ad(request: Incoming, ad_id: FromPath[int]) -> Response[AdDetail]:
    """One ad: copy, creatives, analyses with evidence and cost, days, where it comes from."""
    caller, values = request.user, {"ad": ad_id, "stale": _stale(request)}
    rows = await parts.tenants(request).rows(caller.org, DETAIL, values) if 0 < ad_id <= LARGEST_ID else []
    if not rows:
        raise not_found("ad", ad_id)
    row, payloads = rows[0], cast("Payloads", request.app.state.payloads)
    raw = await payloads.find(row["batch"], row["source"], row["source_ad_id"], row["owner_org_id"])
    return _json(render_detail(row, raw, _urls(request)))


@get("/v1/statistics", opt=allow(Access.VIEWER), operation_id="getStatistics")
async def get_statistics(request: Incoming, brandspace: Which = None, new_days: NewDays = 7) -> Response[Statistics]:
    """The brandspace in numbers."""
    space = chosen(request, brandspace)

    def made(rows: list[DictRow]) -> tuple[bytes, int]:
        (row,) = rows
        if not row["known"]:
            raise not_found("brandspace", space)
        body = msgspec.json.encode(msgspec.convert({**row["told"], "new_days": new_days}, Statistics))
        return body, len(body)

    asked = Question(request.user.org, space, ("statistics", new_days))
    values = {"space": space, "stale": _stale(request), "new": timedelta(days=new_days)}
    return _json(await _kept(request).find(parts.tenants(request), asked, statistics_statement(), values, made))


_ALL: tuple[Facet, ...] = get_args(Facet)
_USUAL: tuple[Facet, ...] = tuple(name for name in _ALL if name not in ("passed", "failed"))
"""Where none is named. An ad has a hundred rules: to count them takes as long as all the rest."""


def _page(rows: list[DictRow]) -> tuple[list[DictRow], int]:
    return rows, sum(len(row["shown"]) for row in rows)


def _json(body: bytes) -> Response[Any]:
    return Response(cast("Any", body), media_type="application/json")


def _kept(request: Incoming) -> KeptAnswers:
    found: KeptAnswers = request.app.state.kept
    return found


def _values(request: Incoming, which: Filter, space: UUID) -> dict[str, Any]:
    return {**values_of(which), "space": space, "stale": _stale(request)}


def _stale(request: Incoming) -> timedelta:
    return timedelta(seconds=parts.settings(request).stale_look_s)


def _urls(request: Incoming) -> SignedUrls:
    found: SignedUrls = request.app.state.urls
    return found


ROUTES = (list_ads, count_ads, get_ad, get_statistics)
