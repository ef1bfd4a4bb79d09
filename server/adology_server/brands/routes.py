"""The routes about brands."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final

import psycopg
from litestar import Response, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET
from psycopg.types.json import Jsonb

from adology.settings.model import AdologySettings
from adology.store.naming import slug
from adology_server import parts
from adology_server.access import Access, allow
from adology_server.brands import lookups
from adology_server.brands.model import Brand, BrandChange, BrandDetail, NewBrand
from adology_server.brands.shown import OURS, shown_sources
from adology_server.lists import list_page
from adology_server.paging import DEFAULT, After, Limit, Page
from adology_server.parts import Incoming
from adology_server.problems import Refusal, not_found
from adology_server.room import BRANDS, check_room
from adology_server.versions import check_match, with_tag

Search = Annotated[str | None, QueryParameter(max_length=200, description="Part of a name or id, in any case.")]
_OWN: Final = """b.id, b.name, coalesce((select jsonb_object_agg(h.key, h.value) from jsonb_each(b.handles) h
        where h.key = any(%(shown)s) and h.key <> all(array(select others_sources(b.id)))), '{}') as handles,
    extract(epoch from b.refresh_every)::bigint as refresh_every_s, b.next_refresh_at, b.created_at, b.version"""
_DETAIL: Final = f"""select {_OWN}, (select count(*) from feed f where f.brand = b.id) as ads,
    (select max(committed_at) from batches t where t.brand = b.id and t.state = 'committed') as last_committed_at,
    (select coalesce(json_agg(json_build_object('source', c.source, 'outcome', c.outcome, 'tried_at', c.tried_at,
        'read_at', c.read_at, 'whole_at', c.whole_at) order by c.source), '[]')
        from feed_coverage c where c.brand = b.id and c.source = any(%(shown)s)) as sources
    from brands b where b.id = %(brand)s"""


@get("/v1/brands", opt=allow(Access.VIEWER), operation_id="listBrands")
async def list_brands(request: Incoming, q: Search = None, limit: Limit = DEFAULT, after: After = None) -> Page[Brand]:
    """The brands of the catalogue, by id."""
    words = (q or "").replace("\0", "").strip()
    # Prefixes and parts alike: position() knows no wildcards.
    statement = (
        f"select {_OWN} from brands b where b.id > %(id)s"
        " and (%(q)s = '' or position(lower(%(q)s) in lower(b.name)) > 0 or position(lower(%(q)s) in b.id) > 0)"
        " order by b.id limit %(limit)s"
    )
    what, given = ["brands", words], {"q": words, "shown": shown_sources(request)}
    return await list_page(request, Brand, what, statement, {"id": ""}, limit=limit, after=after, **given)


@get("/v1/brands/{brand:str}", opt=allow(Access.VIEWER), operation_id="getBrand")
async def get_brand(request: Incoming, brand: FromPath[str]) -> Response[BrandDetail]:
    """One brand, and how its sources were looked at."""
    found = await _load(request, brand)
    return with_tag(request, found, found.version)


@post("/v1/brands", opt=allow(Access.MEMBER), operation_id="makeBrand")
async def make_brand(request: Incoming, data: JSONBody[NewBrand]) -> Response[BrandDetail]:
    """Add a brand to the catalogue, for all organisations."""
    try:
        brand = slug(data.name)
    except ValueError as error:
        raise Refusal("invalid", f"{error}.", field="name") from None
    _check_sources(request, data.handles)
    every = None if data.refresh_every_s is None else timedelta(seconds=data.refresh_every_s)
    handles = {source: list(dict.fromkeys(given)) for source, given in data.handles.items() if given}
    try:
        async with parts.tenants(request).transaction(request.user.org) as connection:
            await check_room(
                connection,
                BRANDS,
                "select count(*) as n from brands_added",
                None,
                parts.settings(request).brands_per_organisation,
                "An organisation adds {most} brands to the catalogue at most; whoever runs the system can raise that.",
            )
            await connection.execute(
                "insert into brands (id, name, handles, refresh_every, next_refresh_at)"
                " values (%(id)s, %(name)s, %(handles)s, %(every)s, now() + %(every)s)",
                {"id": brand, "name": data.name, "handles": Jsonb(handles), "every": every},
            )
            await connection.execute(
                "insert into brands_added (brand, org_id, added_by) values (%s, %s, %s)",
                [brand, request.user.org, request.user.user_id],
            )
    except psycopg.errors.UniqueViolation:
        raise Refusal("taken", f"There is a brand {brand!r} already.", field="name") from None
    made = await _load(request, brand)
    answer = with_tag(request, made, made.version, status_code=201)
    answer.headers["location"] = f"/v1/brands/{brand}"
    return answer


@patch("/v1/brands/{brand:str}", opt=allow(Access.ADMIN, versioned=True), operation_id="changeBrand")
async def change_brand(request: Incoming, brand: FromPath[str], data: JSONBody[BrandChange]) -> Response[BrandDetail]:
    """Change handles or schedule, for all organisations."""
    async with parts.tenants(request).transaction(request.user.org) as connection:
        found = await connection.execute("select handles, version from brands where id = %s for update", [brand])
        row = await found.fetchone()
        if row is None:
            raise not_found("brand", brand)
        check_match(request, row["version"])
        if data.handles is not UNSET:
            _check_sources(request, data.handles)
            hidden = await connection.execute("select others_sources(%s) as source", [brand])
            if {one["source"] for one in await hidden.fetchall()} & set(data.handles):
                raise Refusal("not-allowed", "Handles of one of these sources are not yours to set.", field="handles")
            handles = {**row["handles"], **{name: list(dict.fromkeys(given)) for name, given in data.handles.items()}}
            kept = {name: given for name, given in handles.items() if given}
            await connection.execute("update brands set handles = %s where id = %s", [Jsonb(kept), brand])
        if data.refresh_every_s is not UNSET:
            every = None if data.refresh_every_s is None else timedelta(seconds=data.refresh_every_s)
            await connection.execute(
                "update brands set refresh_every = %(every)s, next_refresh_at = now() + %(every)s where id = %(id)s",
                {"every": every, "id": brand},
            )
    found_brand = await _load(request, brand)
    return with_tag(request, found_brand, found_brand.version)


async def _load(request: Incoming, brand: str) -> BrandDetail:
    values = {"brand": brand, "shown": shown_sources(request)}
    found = await parts.tenants(request).one(request.user.org, BrandDetail, _DETAIL, values)
    if found is None:
        raise not_found("brand", brand)
    return found


def _check_sources(request: Incoming, handles: dict[str, Any]) -> None:
    """Refuse sources whose handles only the command line sets.

    Raises:
        Refusal: naming the first such source.
    """
    settings: AdologySettings = request.app.state.settings
    for source in handles:
        if settings.sources.get(source, {}).get("plugin", source) in OURS:
            detail = f"Handles of {source} are set by whoever runs the system, with `adology brand add`."
            raise Refusal("not-allowed", detail, field=f"handles.{source}")


ROUTES = (list_brands, get_brand, make_brand, change_brand, *lookups.ROUTES)
