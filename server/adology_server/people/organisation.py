"""The caller's organisation and the people in it."""

from __future__ import annotations

from uuid import UUID

from litestar import Response, get, patch
from litestar.params import FromPath, JSONBody

from adology_server import parts
from adology_server.access import RANKS, Access, allow
from adology_server.lists import list_page
from adology_server.paging import DEFAULT, After, Limit, Page
from adology_server.parts import Incoming
from adology_server.people.model import Organisation, OrganisationChange, Person, PersonChange
from adology_server.people.statements import ORGANISATION, PERSON
from adology_server.problems import Refusal, not_found
from adology_server.tenancy import Connection, convert
from adology_server.versions import check_match, with_tag


@get("/v1/organisation", opt=allow(Access.VIEWER), operation_id="getOrganisation")
async def get_organisation(request: Incoming) -> Response[Organisation]:
    """The caller's organisation."""
    caller = request.user
    statement = f"select {ORGANISATION} from organisations where id = %s"
    found = await parts.tenants(request).one(caller.org, Organisation, statement, [caller.org])
    if found is None:
        raise not_found("organisation", caller.org)
    return with_tag(request, found, found.version)


@patch("/v1/organisation", opt=allow(Access.ADMIN, versioned=True), operation_id="changeOrganisation")
async def change_organisation(request: Incoming, data: JSONBody[OrganisationChange]) -> Response[Organisation]:
    """Rename the organisation."""
    async with parts.tenants(request).transaction(request.user.org) as connection:
        await lock_organisation(request, connection)
        changed = await connection.execute(
            f"update organisations set name = %s where id = %s returning {ORGANISATION}",
            [data.name, request.user.org],
        )
        row = await changed.fetchone()
    assert row is not None  # noqa: S101 - the row is locked
    found = convert(row, Organisation)
    return with_tag(request, found, found.version)


@get("/v1/users", opt=allow(Access.VIEWER), operation_id="listUsers")
async def list_users(request: Incoming, limit: Limit = DEFAULT, after: After = None) -> Page[Person]:
    """The people of the organisation, by e-mail."""
    statement = f"select {PERSON} from users where email > %(email)s order by email limit %(limit)s"
    return await list_page(request, Person, ["users"], statement, {"email": ""}, limit=limit, after=after)


@get("/v1/users/{user_id:uuid}", opt=allow(Access.VIEWER), operation_id="getUser")
async def get_user(request: Incoming, user_id: FromPath[UUID]) -> Response[Person]:
    """One person of the organisation."""
    statement = f"select {PERSON} from users where id = %s"
    found = await parts.tenants(request).one(request.user.org, Person, statement, [user_id])
    if found is None:
        raise not_found("user", user_id)
    return with_tag(request, found, found.version)


@patch("/v1/users/{user_id:uuid}", opt=allow(Access.ADMIN, versioned=True), operation_id="changeUser")
async def change_user(request: Incoming, user_id: FromPath[UUID], data: JSONBody[PersonChange]) -> Response[Person]:
    """Another role or name, or shut somebody out (their sessions end) and let them in again.

    Nobody changes somebody above them, gives a role above their own, or takes the last owner away. Open
    invitations end that the person could not send any more.
    """
    caller = request.user
    async with parts.tenants(request).transaction(caller.org) as connection:
        # All owners are locked: of two who take each other away, one sees what the other did.
        await connection.execute("select id from users where role = 'owner' order by id for update")
        rows = await connection.execute(f"select {PERSON} from users where id = %s for update", [user_id])
        row = await rows.fetchone()
        if row is None:
            raise not_found("user", user_id)
        person = convert(row, Person)
        check_match(request, person.version)
        if RANKS[person.role] > RANKS[caller.role] or RANKS[data.role or "viewer"] > RANKS[caller.role]:
            raise Refusal("not-allowed", f"The role {caller.role} changes nobody of a higher role, nor gives one.")
        if data.disabled and person.id == caller.user_id:
            raise Refusal("conflict", "Nobody shuts themselves out; another admin can.")
        changed = await connection.execute(
            "update users set role = coalesce(%(role)s, role), name = coalesce(%(name)s, name), disabled_at ="
            " case when %(disabled)s::boolean is null then disabled_at"
            " when %(disabled)s then coalesce(disabled_at, now()) end"
            f" where id = %(id)s returning {PERSON}",
            {"role": data.role, "name": data.name, "disabled": data.disabled, "id": user_id},
        )
        after = await changed.fetchone()
        owners = await connection.execute("select from users where role = 'owner' and disabled_at is null limit 1")
        if await owners.fetchone() is None:
            raise Refusal("conflict", "An organisation keeps one owner at least: make somebody else owner first.")
        if data.disabled:
            await connection.execute(
                "update sessions set revoked_at = now(), revoked_why = 'the user was shut out'"
                " where user_id = %s and revoked_at is null",
                [user_id],
            )
        assert after is not None  # noqa: S101 - the row is locked
        rank = RANKS[after["role"]]
        allowed = [role for role in RANKS if rank >= max(RANKS[role], RANKS["admin"]) and not after["disabled_at"]]
        await connection.execute(
            "update invitations set revoked_at = now() where invited_by = %s and role <> all(%s)"
            " and accepted_at is null and revoked_at is null and expires_at > now()",
            [user_id, allowed],
        )
    parts.callers(request).forget()
    assert after is not None  # noqa: S101 - the row is locked
    changed_person = convert(after, Person)
    return with_tag(request, changed_person, changed_person.version)


async def lock_organisation(request: Incoming, connection: Connection) -> Organisation:
    """Keep others from changing the caller's organisation, and check that it is as the request takes it to be."""
    statement = f"select {ORGANISATION} from organisations where id = %s for update"
    row = await (await connection.execute(statement, [request.user.org])).fetchone()
    if row is None:
        raise not_found("organisation", request.user.org)
    found = convert(row, Organisation)
    check_match(request, found.version)
    return found


ROUTES = (get_organisation, change_organisation, list_users, get_user, change_user)
