"""The routes of operators. Each statement names the key that asks: the database itself checks whose it is."""

from __future__ import annotations

from typing import Annotated, Any, LiteralString, TypeVar
from uuid import UUID

from litestar import delete, get, put
from litestar.params import FromPath, JSONBody, QueryParameter

from adology_server import parts
from adology_server.access import Access, allow
from adology_server.manners.audit import RECORD, Record
from adology_server.operators.model import AnyKey, OrganisationLine, Suspension
from adology_server.paging import DEFAULT, After, Limit, Page
from adology_server.parts import Incoming
from adology_server.problems import not_found

T = TypeVar("T")
_ORGANISATIONS = "select * from operator_organisations(%s, %s, %s, %s)"
Of = Annotated[
    str | None, QueryParameter(max_length=64, description="Keys of this organisation; those of operators and workers.")
]


@get("/v1/operator/organisations", opt=allow(Access.OPERATOR), operation_id="listOrganisations")
async def list_organisations(request: Incoming, limit: Limit = DEFAULT, after: After = None) -> Page[OrganisationLine]:
    """All organisations in numbers, by id; deleted ones too."""
    values = [request.user.key_id, None]
    what, first = ["organisations"], ("id", "")
    return await _page(request, OrganisationLine, what, _ORGANISATIONS, values, first=first, limit=limit, after=after)


@get("/v1/operator/organisations/{organisation:str}", opt=allow(Access.OPERATOR), operation_id="showOrganisation")
async def show_organisation(request: Incoming, organisation: FromPath[str]) -> OrganisationLine:
    """One organisation in numbers."""
    values = [request.user.key_id, organisation, "", 1]
    found = await parts.tenants(request).one(None, OrganisationLine, _ORGANISATIONS, values)
    if found is None:
        raise not_found("organisation", organisation)
    return found


@put(
    "/v1/operator/organisations/{organisation:str}/suspension",
    opt=allow(Access.OPERATOR),
    status_code=204,
    operation_id="suspendOrganisation",
)
async def suspend_organisation(request: Incoming, organisation: FromPath[str], data: JSONBody[Suspension]) -> None:
    """Shut an organisation out: its sessions and keys are refused, its sockets closed. Nothing of it is lost."""
    await _suspend(request, organisation, data.reason)


@delete(
    "/v1/operator/organisations/{organisation:str}/suspension",
    opt=allow(Access.OPERATOR),
    operation_id="resumeOrganisation",
)
async def resume_organisation(request: Incoming, organisation: FromPath[str]) -> None:
    """End a suspension: sessions and keys that are not past their time work again."""
    await _suspend(request, organisation, None)


@get("/v1/operator/keys", opt=allow(Access.OPERATOR), operation_id="listAnyKeys")
async def list_any_keys(
    request: Incoming, organisation: Of = None, limit: Limit = DEFAULT, after: After = None
) -> Page[AnyKey]:
    """Keys that are not revoked: of operators and workers, or of an organisation."""
    statement: LiteralString = "select * from operator_keys(%s, %s, %s, %s)"
    values, what = [request.user.key_id, organisation], ["any keys", organisation]
    return await _page(request, AnyKey, what, statement, values, first=("id", None), limit=limit, after=after)


@delete("/v1/operator/keys/{any_key_id:uuid}", opt=allow(Access.OPERATOR), operation_id="revokeAnyKey")
async def revoke_any_key(request: Incoming, any_key_id: FromPath[UUID]) -> None:
    """Revoke a key, whoever's it is; what rests on it is closed."""
    statement: LiteralString = "select operator_revoke(%s, %s) as done"
    (row,) = await parts.tenants(request).rows(None, statement, [request.user.key_id, any_key_id])
    if not row["done"]:
        raise not_found("key", any_key_id)
    parts.callers(request).forget()


@get("/v1/operator/audit", opt=allow(Access.OPERATOR), operation_id="listOperatorAudit")
async def list_operator_audit(request: Incoming, limit: Limit = DEFAULT, after: After = None) -> Page[Record]:
    """What operators did, and what they were refused; the newest first."""
    statement: LiteralString = f"select {RECORD} from operator_audit(%s, %s, %s)"
    values = [request.user.key_id]
    return await _page(
        request, Record, ["operator audit"], statement, values, first=("seq", None), limit=limit, after=after
    )


async def _suspend(request: Incoming, organisation: str, reason: str | None) -> None:
    statement: LiteralString = "select operator_suspend(%s, %s, %s) as done"
    (row,) = await parts.tenants(request).rows(None, statement, [request.user.key_id, organisation, reason])
    if not row["done"]:
        raise not_found("organisation", organisation)
    parts.callers(request).forget()


async def _page(
    request: Incoming,
    kind: type[T],
    what: list[Any],
    statement: LiteralString,
    values: list[Any],
    *,
    first: tuple[str, Any],
    limit: int,
    after: str | None,
) -> Page[T]:
    """A page of what no organisation owns; `first` names the field that rows are ordered by, and its first value."""
    field, begin = first
    cursors, question = parts.cursors(request), ["operators", *what]
    place = await cursors.decode(question, after)
    behind = begin if place is None else place[0]
    rows = await parts.tenants(request).all(None, kind, statement, [*values, behind, limit + 1])
    return await cursors.page(question, rows, limit, lambda row: [getattr(row, field)])


ROUTES = (
    list_organisations,
    show_organisation,
    suspend_organisation,
    resume_organisation,
    list_any_keys,
    revoke_any_key,
    list_operator_audit,
)
