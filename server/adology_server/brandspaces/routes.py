"""The routes about brandspaces."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import psycopg
from litestar import Response, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody

from adology_server import parts
from adology_server.access import Access, allow
from adology_server.brandspaces.model import Brandspace, BrandspaceChange, Choice, NewBrandspace, Placing
from adology_server.brandspaces.seen import SELECT, load
from adology_server.lists import list_page
from adology_server.manners.deeds import about
from adology_server.paging import DEFAULT, After, Limit, Page
from adology_server.parts import Incoming
from adology_server.problems import Refusal, not_found
from adology_server.room import BRANDSPACES, check_room
from adology_server.tenancy import Connection
from adology_server.versions import check_match, with_tag

MOST = 100
"""Brands of a brandspace."""
_TOUCH = "update brandspaces set version = version + 1, updated_at = now() where id = %s"


@post("/v1/brandspaces", opt=allow(Access.MEMBER), operation_id="makeBrandspace")
async def make_brandspace(request: Incoming, data: JSONBody[NewBrandspace]) -> Response[Brandspace]:
    """A new brandspace. The caller's first one becomes their current one."""
    caller = request.user
    _check_brands(data)
    try:
        async with parts.tenants(request).transaction(caller.org) as connection:
            await check_room(
                connection,
                BRANDSPACES,
                "select count(*) as n from brandspaces",
                None,
                parts.settings(request).brandspaces_per_organisation,
                "An organisation has {most} brandspaces at most: delete one first.",
            )
            made = await connection.execute(
                "insert into brandspaces (org_id, name, created_by) values (%s, %s, %s) returning id",
                [caller.org, data.name, caller.user_id],
            )
            row = await made.fetchone()
            assert row is not None  # noqa: S101 - an insert returns its row
            about(str(row["id"]))
            await _check_known(connection, [brand for brand, _ in data.roles])
            async with connection.cursor() as cursor:
                await cursor.executemany(
                    "insert into brandspace_brands (brandspace_id, org_id, brand, role, added_by)"
                    " values (%s, %s, %s, %s, %s)",
                    [(row["id"], caller.org, brand, role, caller.user_id) for brand, role in data.roles],
                )
            await connection.execute(
                "update users set brandspace_id = %s where id = %s and brandspace_id is null",
                [row["id"], caller.user_id],
            )
    except psycopg.errors.UniqueViolation:
        raise _taken(data.name) from None
    parts.callers(request).forget()
    brandspace = await load(request, row["id"])
    answer = with_tag(request, brandspace, brandspace.version, status_code=201)
    answer.headers["location"] = f"/v1/brandspaces/{brandspace.id}"
    return answer


@get("/v1/brandspaces", opt=allow(Access.VIEWER), operation_id="listBrandspaces")
async def list_brandspaces(request: Incoming, limit: Limit = DEFAULT, after: After = None) -> Page[Brandspace]:
    """The organisation's brandspaces, by name."""
    # The name is lowered by the database: Python does it otherwise in some alphabets.
    statement = f"{SELECT} where lower(s.name) > lower(%(name)s) order by lower(s.name) limit %(limit)s"
    return await list_page(request, Brandspace, ["brandspaces"], statement, {"name": ""}, limit=limit, after=after)


@get("/v1/brandspaces/{brandspace_id:uuid}", opt=allow(Access.VIEWER), operation_id="getBrandspace")
async def get_brandspace(request: Incoming, brandspace_id: FromPath[UUID]) -> Response[Brandspace]:
    """One brandspace with its brands."""
    brandspace = await load(request, brandspace_id)
    return with_tag(request, brandspace, brandspace.version)


@patch(
    "/v1/brandspaces/{brandspace_id:uuid}", opt=allow(Access.MEMBER, versioned=True), operation_id="changeBrandspace"
)
async def change_brandspace(
    request: Incoming, brandspace_id: FromPath[UUID], data: JSONBody[BrandspaceChange]
) -> Response[Brandspace]:
    """Rename it. With If-Match only if nobody changed it meanwhile."""
    try:
        async with parts.tenants(request).transaction(request.user.org) as connection:
            await _lock(request, connection, brandspace_id)
            await connection.execute("update brandspaces set name = %s where id = %s", [data.name, brandspace_id])
            await connection.execute(_TOUCH, [brandspace_id])
    except psycopg.errors.UniqueViolation:
        raise _taken(data.name) from None
    brandspace = await load(request, brandspace_id)
    return with_tag(request, brandspace, brandspace.version)


@delete("/v1/brandspaces/{brandspace_id:uuid}", opt=allow(Access.ADMIN, versioned=True), operation_id="dropBrandspace")
async def drop_brandspace(request: Incoming, brandspace_id: FromPath[UUID]) -> None:
    """Delete a brandspace; brands and ads stay. Those whose current one it was have none then."""
    async with parts.tenants(request).transaction(request.user.org) as connection:
        await _lock(request, connection, brandspace_id)
        await connection.execute("delete from brandspaces where id = %s", [brandspace_id])
    parts.callers(request).forget()


@put(
    "/v1/brandspaces/{brandspace_id:uuid}/brands/{brand:str}",
    opt=allow(Access.MEMBER, versioned=True),
    operation_id="placeBrand",
)
async def place_brand(
    request: Incoming, brandspace_id: FromPath[UUID], brand: FromPath[str], data: JSONBody[Placing]
) -> Response[Brandspace]:
    """Put a brand into the brandspace, or give it another role there."""
    caller = request.user
    async with parts.tenants(request).transaction(caller.org) as connection:
        await _lock(request, connection, brandspace_id)
        await _check_known(connection, [brand])
        if data.role == "primary":
            await connection.execute(
                "update brandspace_brands set role = 'competitor'"
                " where brandspace_id = %s and role = 'primary' and brand <> %s",
                [brandspace_id, brand],
            )
        await connection.execute(
            "insert into brandspace_brands (brandspace_id, org_id, brand, role, added_by) values (%s, %s, %s, %s, %s)"
            " on conflict (brandspace_id, brand) do update set role = excluded.role",
            [brandspace_id, caller.org, brand, data.role, caller.user_id],
        )
        many = await connection.execute(
            "select count(*) as n from brandspace_brands where brandspace_id = %s", [brandspace_id]
        )
        counted = await many.fetchone()
        if counted and counted["n"] > MOST:
            raise Refusal("conflict", f"A brandspace holds {MOST} brands at most: take one out first.")
        await connection.execute(_TOUCH, [brandspace_id])
    brandspace = await load(request, brandspace_id)
    return with_tag(request, brandspace, brandspace.version)


@delete(
    "/v1/brandspaces/{brandspace_id:uuid}/brands/{brand:str}",
    opt=allow(Access.MEMBER, versioned=True),
    operation_id="removeBrand",
)
async def remove_brand(request: Incoming, brandspace_id: FromPath[UUID], brand: FromPath[str]) -> None:
    """Take a brand out of the brandspace."""
    async with parts.tenants(request).transaction(request.user.org) as connection:
        await _lock(request, connection, brandspace_id)
        gone = await connection.execute(
            "delete from brandspace_brands where brandspace_id = %s and brand = %s", [brandspace_id, brand]
        )
        if not gone.rowcount:
            raise not_found("brand in this brandspace", brand)
        await connection.execute(_TOUCH, [brandspace_id])


@put("/v1/me/brandspace", opt=allow(Access.SESSION), status_code=204, operation_id="chooseBrandspace")
async def choose_brandspace(request: Incoming, data: JSONBody[Choice]) -> None:
    """The brandspace that the caller sees from now on where a request names none."""
    brandspace = await load(request, data.brandspace_id)
    await parts.tenants(request).rows(
        request.user.org,
        "update users set brandspace_id = %s where id = %s returning id",
        [brandspace.id, request.user.user_id],
    )
    parts.callers(request).forget()


async def _lock(request: Incoming, connection: Connection, brandspace_id: UUID) -> None:
    """Keep others from changing it, and check that it is as the request takes it to be."""
    found = await connection.execute("select version from brandspaces where id = %s for update", [brandspace_id])
    row = await found.fetchone()
    if row is None:
        raise not_found("brandspace", brandspace_id)
    check_match(request, row["version"])


async def _check_known(connection: Connection, brands: list[str]) -> None:
    found = await connection.execute("select id from brands where id = any(%s)", [brands])
    known = {row["id"] for row in await found.fetchall()}
    absent = [brand for brand in brands if brand not in known]
    if absent:
        raise not_found("brand", absent[0])


def _check_brands(data: NewBrandspace) -> None:
    brands = [brand for brand, _ in data.roles]
    if len(brands) > MOST:
        raise Refusal("invalid", f"A brandspace holds {MOST} brands at most, {len(brands)} are given.", field="brands")
    for brand, times in Counter(brands).items():
        if times > 1:
            raise Refusal("invalid", f"{brand} is given {times} times; a brand has one role.", field="brands")


def _taken(name: str) -> Refusal:
    return Refusal("taken", f"There is a brandspace named {name!r} already.", field="name")


ROUTES = (
    make_brandspace,
    list_brandspaces,
    get_brandspace,
    change_brandspace,
    drop_brandspace,
    place_brand,
    remove_brand,
    choose_brandspace,
)
