"""An owner ends the organisation."""

from __future__ import annotations

from typing import Annotated

from litestar import delete
from litestar.params import QueryParameter

from adology_server import parts
from adology_server.access import Access, allow
from adology_server.leaving.model import Ended
from adology_server.parts import Incoming
from adology_server.people.organisation import lock_organisation
from adology_server.problems import Refusal

Confirmed = Annotated[str, QueryParameter(max_length=200, description="The name of the organisation, as it is now.")]


@delete(
    "/v1/organisation",
    opt=allow(Access.OWNER, versioned=True),
    status_code=202,
    operation_id="leave",
)
async def leave(request: Incoming, confirm: Confirmed) -> Ended:
    """Delete the organisation with all that is private to it, for good.

    Sessions, keys and sockets end at once; the rest is removed by tasks. Only its audit log is kept: note `head`.
    """
    tenants, org = parts.tenants(request), request.user.org
    async with tenants.transaction(org) as connection:
        found = await lock_organisation(request, connection)
        if confirm != found.name:
            detail = f"This deletes {found.name!r} for good: repeat its name in `confirm`; it says {confirm[:80]!r}."
            raise Refusal("conflict", detail, field="confirm")
        ended = await (await connection.execute("select close_organisation() as at")).fetchone()
    parts.callers(request).forget()
    (last,) = await tenants.rows(
        org, "select seq, encode(hash, 'hex') as head from audit where org_id = %s order by seq desc limit 1", [org]
    )
    assert ended is not None  # noqa: S101 - the row is locked
    return Ended(organisation=org, deleted_at=ended["at"], records=last["seq"], head=last["head"])


ROUTES = (leave,)
