"""Inviting people into the organisation."""

from __future__ import annotations

from uuid import UUID

from litestar import delete, get, post
from litestar.params import FromPath, JSONBody

from adology_server import parts
from adology_server.access import RANKS, Access, allow
from adology_server.callers import INVITATION as PREFIX
from adology_server.callers import digest, make_secret
from adology_server.lists import list_page
from adology_server.manners.deeds import about
from adology_server.manners.signing import sign
from adology_server.paging import DEFAULT, After, Limit, Page
from adology_server.parts import Anybodys, Incoming
from adology_server.people.model import Acceptance, Invitation, Invited, NewInvitation
from adology_server.people.model import Tokens as TokensAnswer
from adology_server.people.sessions import open_session
from adology_server.people.statements import INVITATION
from adology_server.people.throttle import Throttle
from adology_server.problems import Refusal, not_found
from adology_server.room import INVITATIONS, check_room
from adology_server.tenancy import convert

_OPEN = "accepted_at is null and revoked_at is null and expires_at > now()"


@post("/v1/invitations", opt=allow(Access.ADMIN), operation_id="invite")
async def invite(request: Incoming, data: JSONBody[NewInvitation]) -> Invited:
    """Invite somebody. The token is shown this once, and for them alone; how it reaches them is the caller's affair.

    It is good once, for this e-mail, until it expires. An earlier invitation of the same e-mail ends.
    """
    caller, own = request.user, parts.settings(request)
    if RANKS[data.role] > RANKS[caller.role]:
        raise Refusal("not-allowed", f"The role {caller.role} gives no role above itself.", field="role")
    token, email = make_secret(PREFIX), data.email.lower()
    async with parts.tenants(request).transaction(caller.org) as connection:
        if await (await connection.execute("select from users where email = %s", [email])).fetchone() is not None:
            raise Refusal("taken", f"{email} is a user of this organisation already.", field="email")
        await connection.execute(f"update invitations set revoked_at = now() where email = %s and {_OPEN}", [email])
        await check_room(
            connection,
            INVITATIONS,
            f"select count(*) as n from invitations where {_OPEN}",
            None,
            own.invitations_per_organisation,
            "An organisation has {most} open invitations at most: withdraw one first.",
        )
        made = await connection.execute(
            "insert into invitations (org_id, email, role, token_hash, invited_by, expires_at)"
            f" values (%s, %s, %s, %s, %s, now() + make_interval(secs => %s)) returning {INVITATION}",
            [caller.org, email, data.role, digest(token), caller.user_id, own.invitation_s],
        )
        row = await made.fetchone()
        about(str(row["id"]) if row else "")
    assert row is not None  # noqa: S101 - an insert returns its row
    return Invited(invitation=convert(row, Invitation), token=token)


@get("/v1/invitations", opt=allow(Access.ADMIN), operation_id="listInvitations")
async def list_invitations(request: Incoming, limit: Limit = DEFAULT, after: After = None) -> Page[Invitation]:
    """Those that can still be taken."""
    statement = (
        f"select {INVITATION} from invitations where {_OPEN} and (%(id)s::uuid is null or id > %(id)s)"
        " order by id limit %(limit)s"
    )
    return await list_page(request, Invitation, ["invitations"], statement, {"id": None}, limit=limit, after=after)


@delete("/v1/invitations/{invitation_id:uuid}", opt=allow(Access.ADMIN), operation_id="withdrawInvitation")
async def withdraw_invitation(request: Incoming, invitation_id: FromPath[UUID]) -> None:
    """Withdraw an invitation."""
    gone = await parts.tenants(request).rows(
        request.user.org,
        f"update invitations set revoked_at = now() where id = %s and {_OPEN} returning id",
        [invitation_id],
    )
    if not gone:
        raise not_found("invitation", invitation_id)


@post("/v1/auth/accept-invitation", opt=allow(Access.PUBLIC), operation_id="acceptInvitation", security=[])
async def accept_invitation(request: Anybodys, data: JSONBody[Acceptance]) -> TokensAnswer:
    """Become a user of the organisation that sent the invitation, and log in.

    It takes the token and the e-mail that was invited. That shows who was given the token, not whose the e-mail is.
    """
    tenants, address, hashed_token = parts.tenants(request), parts.address(request), digest(data.token)
    throttle = Throttle(request, ("invitation", hashed_token.hex()), (address,))
    await throttle.check()
    rows = await tenants.rows(None, "select * from auth_by_invitation(%s)", [hashed_token])
    if not rows or rows[0]["email"] != data.email.lower():
        await throttle.note_failure()
        raise Refusal("gone", "The invitation is unknown, used, withdrawn, expired, or of another e-mail.")
    invited = rows[0]
    hashed = await parts.passwords(request).hash(data.password, address)
    async with tenants.transaction(invited["org_id"]) as connection:
        taken = await connection.execute(
            f"update invitations set accepted_at = now() where id = %s and {_OPEN}", [invited["invitation_id"]]
        )
        if not taken.rowcount:
            raise Refusal("gone", "The invitation was used or withdrawn a moment ago.")
        made = await connection.execute(
            "insert into users (org_id, email, name, role, password_hash) values (%s, %s, %s, %s, %s)"
            " on conflict (email) do nothing returning id",
            [invited["org_id"], invited["email"], data.name, invited["role"], hashed],
        )
        user = await made.fetchone()
        if user is None:
            raise Refusal("taken", "There is a user with this e-mail already: a person is in one organisation.")
        sign(request, invited["org_id"], user["id"], "acceptInvitation")
        return await open_session(connection, request, invited["org_id"], user["id"])


ROUTES = (accept_invitation, invite, list_invitations, withdraw_invitation)
