"""Which brandspace a request is about."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from litestar.params import FromPath, QueryParameter

from adology_server import parts
from adology_server.brandspaces.model import Brandspace
from adology_server.parts import Incoming
from adology_server.problems import Refusal, not_found

Which = Annotated[
    UUID | None, QueryParameter(name="brandspace", description="The brandspace to look from; the caller's current one.")
]

SELECT: Final = """
select s.id, s.name, s.version, s.created_at, s.updated_at, coalesce(b.brands, '[]') as brands
from brandspaces s left join lateral (
    select json_agg(json_build_object('brand', p.brand, 'name', c.name, 'role', p.role, 'added_at', p.added_at)
        order by array_position('{primary,competitor,followed}', p.role), p.brand) as brands
    from brandspace_brands p join brands c on c.id = p.brand where p.brandspace_id = s.id
) b on true"""


def chosen(request: Incoming, given: UUID | None) -> UUID:
    """The id of the brandspace that the request names, or of the caller's current one; whether it exists is not asked.

    Raises:
        Refusal: neither is there.
    """
    found = given or request.user.brandspace_id
    if found is None:
        detail = "No brandspace is chosen: name one with ?brandspace=, or choose one with PUT /v1/me/brandspace."
        raise Refusal("invalid", detail, field="brandspace")
    return found


async def load(request: Incoming, brandspace_id: FromPath[UUID]) -> Brandspace:
    """The brandspace.

    Raises:
        Refusal: 404, it is not one of the caller's organisation.
    """
    found = await parts.tenants(request).one(request.user.org, Brandspace, f"{SELECT} where s.id = %s", [brandspace_id])
    if found is None:
        raise not_found("brandspace", brandspace_id)
    return found
