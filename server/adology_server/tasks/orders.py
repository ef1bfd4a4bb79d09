"""The routes that take what is long: each makes a task, and answers at once."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, QueryParameter
from psycopg.types.json import Jsonb

from adology_server import parts
from adology_server.access import Access, allow
from adology_server.ads.filters import Filter, read_filter
from adology_server.ads.routes import Collapse, Fields, Order
from adology_server.analyzers import Analyzers
from adology_server.brandspaces.seen import Which, chosen
from adology_server.parts import Incoming
from adology_server.problems import Refusal, not_found
from adology_server.room import TASKS, check_room
from adology_server.similar.lookup import brands_of
from adology_server.tasks.bulk import BulkSearch, NewBulkSearch, check_queries
from adology_server.tasks.export import Export, read_file_fields
from adology_server.tasks.formats import check_format
from adology_server.tasks.model import LONGEST_S, Kind, NewExport, Queued
from adology_server.tasks.reanalysis import (
    NewReanalysis,
    ReanalysisQuote,
    ReanalysisScope,
    look_up,
    quote,
    too_much,
)
from adology_server.tenancy import Connection

Deadline = Annotated[
    float | None,
    QueryParameter(ge=1, le=LONGEST_S, description="Seconds until it fails if it is not done; the server's default."),
]
_FILTER = {"which": Provide(read_filter, sync_to_thread=False)}


@post("/v1/brands/{brand:str}/refresh", opt=allow(Access.MEMBER), status_code=202, operation_id="refreshBrand")
async def refresh_brand(request: Incoming, brand: FromPath[str], deadline_s: Deadline = None) -> Response[Queued]:
    """Gather the brand's ads now. While a refresh of the brand is under way, that one answers.

    The brand is one of a brandspace of the organisation.
    """
    caller = request.user
    async with parts.tenants(request).transaction(caller.org) as connection:
        await _check_held(connection, brand)
        task_id = await _find_refresh(connection, brand)
        if task_id is None:
            await _check_room(request, connection)
            made = await connection.execute(
                "insert into tasks (org_id, user_id, kind, brand, deadline)"
                " values (%s, %s, 'refresh', %s, now() + make_interval(secs => %s))"
                " on conflict (org_id, brand) where kind = 'refresh' and state in ('queued', 'processing')"
                " do nothing returning id",
                [caller.org, caller.user_id, brand, deadline_s or parts.settings(request).task_deadline_s],
            )
            row = await made.fetchone()
            # Somebody else's request of the same moment is visible by now.
            task_id = row["id"] if row else await _find_refresh(connection, brand)
    if task_id is None:
        raise Refusal("in-progress", "A refresh of this brand ended at this moment: ask again.")
    return accepted(task_id)


@post("/v1/exports", opt=allow(Access.MEMBER), status_code=202, operation_id="exportAds", dependencies=_FILTER)
async def export_ads(
    request: Incoming,
    data: JSONBody[NewExport],
    which: NamedDependency[Filter],
    sort: Order = "newest",
    collapse: Collapse = False,
    fields: Fields = None,
    deadline_s: Deadline = None,
) -> Response[Queued]:
    """Write the ads of a brandspace to a file, which `/v1/tasks/{task_id}/file` leads to when it is done.

    The parameters are those of the list of ads: what it would show, page by page, is in the file.
    """
    check_format(data.format)
    asked = Export(
        brandspace_id=data.brandspace_id,
        format=data.format,
        which=which,
        sort=sort,
        collapse=collapse,
        fields=read_file_fields(fields),
    )
    async with parts.tenants(request).transaction(request.user.org) as connection:
        found = await connection.execute("select id from brandspaces where id = %s", [data.brandspace_id])
        if await found.fetchone() is None:
            raise not_found("brandspace", data.brandspace_id)
        return await _make(connection, request, "export", asked, deadline_s)


@post("/v1/search/bulk", opt=allow(Access.MEMBER), status_code=202, operation_id="searchInBulk")
async def search_in_bulk(
    request: Incoming, data: JSONBody[NewBulkSearch], brandspace: Which = None, deadline_s: Deadline = None
) -> Response[Queued]:
    """Search with many texts and ads at once; `/v1/tasks/{task_id}/file` leads to the neighbours of all.

    A query that fails, such as one with an ad that is not there, has its reason in the file; the others go on.
    """
    space = None if data.everywhere else chosen(request, brandspace)
    if space is not None:
        await brands_of(parts.tenants(request), request.user.org, space)
    check_format(data.format)
    check_queries(data)
    async with parts.tenants(request).transaction(request.user.org) as connection:
        return await _make(connection, request, "search", BulkSearch(brandspace_id=space, asked=data), deadline_s)


@post("/v1/reanalyses/quote", opt=allow(Access.ADMIN), status_code=200, operation_id="quoteReanalysis")
async def quote_reanalysis(request: Incoming, data: JSONBody[ReanalysisScope]) -> ReanalysisQuote:
    """How many results a re-analysis would make anew, and what that costs. Nothing is done."""
    tenants, org = parts.tenants(request), request.user.org
    analyzers = (await _analyzers(request).load()).all
    return await quote(tenants, org, analyzers, await look_up(tenants, org, analyzers, data))


@post("/v1/reanalyses", opt=allow(Access.ADMIN), status_code=202, operation_id="reanalyze")
async def reanalyze(request: Incoming, data: JSONBody[NewReanalysis], deadline_s: Deadline = None) -> Response[Queued]:
    """Make results anew, for money where analyzers pay. Budgets hold: what passes them waits.

    With `most_usd` it is refused (409) where the quote is above or not known.
    """
    tenants, org = parts.tenants(request), request.user.org
    analyzers = (await _analyzers(request).load()).all
    what = await look_up(tenants, org, analyzers, data)
    refused = too_much(what, await quote(tenants, org, analyzers, what)) if data.most_usd is not None else ""
    if refused:
        raise Refusal("conflict", refused, field="most_usd")
    async with tenants.transaction(org) as connection:
        return await _make(connection, request, "reanalyze", what, deadline_s)


def accepted(task_id: UUID) -> Response[Queued]:
    """The answer to a request that became a task."""
    return Response(Queued(request_id=task_id), status_code=202, headers={"location": f"/v1/tasks/{task_id}"})


async def _make(
    connection: Connection, request: Incoming, kind: Kind, asked: Any, deadline_s: float | None
) -> Response[Queued]:
    await _check_room(request, connection)
    caller = request.user
    made = await connection.execute(
        "insert into tasks (org_id, user_id, kind, request, deadline)"
        " values (%s, %s, %s, %s, now() + make_interval(secs => %s)) returning id",
        [
            caller.org,
            caller.user_id,
            kind,
            Jsonb(asked, dumps=msgspec.json.encode),
            deadline_s or parts.settings(request).task_deadline_s,
        ],
    )
    row = await made.fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return accepted(row["id"])


def _analyzers(request: Incoming) -> Analyzers:
    found: Analyzers = request.app.state.analyzers
    return found


async def _check_held(connection: Connection, brand: str) -> None:
    known = await connection.execute("select id from brands where id = %s", [brand])
    if await known.fetchone() is None:
        raise not_found("brand", brand)
    held = await connection.execute("select brand from brandspace_brands where brand = %s limit 1", [brand])
    if await held.fetchone() is None:
        raise Refusal("conflict", f"{brand!r} is in none of your brandspaces: put it into one first.")


async def _find_refresh(connection: Connection, brand: str) -> UUID | None:
    found = await connection.execute(
        "select id from tasks where kind = 'refresh' and brand = %s and state in ('queued', 'processing')", [brand]
    )
    row = await found.fetchone()
    return row["id"] if row else None


async def _check_room(request: Incoming, connection: Connection) -> None:
    await check_room(
        connection,
        TASKS,
        "select count(*) as n from tasks where state in ('queued', 'processing')",
        None,
        parts.settings(request).tasks_per_organisation,
        "{most} tasks of your organisation are under way, which is the most: wait until one has ended.",
        problem="too-many",
        retry_after_s=60,
    )


ROUTES = (refresh_brand, export_ads, search_in_bulk, quote_reanalysis, reanalyze)
