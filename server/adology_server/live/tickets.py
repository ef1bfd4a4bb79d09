"""Tickets: a WebSocket of a browser cannot send a header, and an address must hold no lasting secret."""

from __future__ import annotations

from litestar import post

from adology_server import parts
from adology_server.access import Access, allow
from adology_server.callers import TICKET, Caller, digest, make_secret
from adology_server.parts import Incoming
from adology_server.people.model import Answer
from adology_server.problems import Refusal
from adology_server.tenancy import Tenants


class Ticket(Answer, frozen=True, kw_only=True):
    """Good for one WebSocket: ``/v1/ws?ticket=…``, within `expires_in` seconds."""

    ticket: str
    expires_in: float


@post("/v1/ws-tickets", opt=allow(Access.VIEWER), operation_id="makeTicket")
async def make_ticket(request: Incoming) -> Ticket:
    """A ticket for one WebSocket. What it opens ends with the caller's session or key."""
    caller, own = request.user, parts.settings(request)
    secret = make_secret(TICKET)
    async with parts.tenants(request).transaction(caller.org) as connection:
        await connection.execute(
            "insert into ws_tickets (ticket_hash, org_id, user_id, session_id, key_id, expires_at)"
            " values (%s, %s, %s, %s, %s, now() + make_interval(secs => %s))",
            [digest(secret), caller.org, caller.user_id, caller.session_id, caller.key_id, own.ticket_s],
        )
    return Ticket(ticket=secret, expires_in=own.ticket_s)


async def redeem(tenants: Tenants, secret: str) -> Caller:
    """Who was given the ticket; it is used up by that.

    Raises:
        Refusal: 401, it is unknown, used or expired, or its owner lost their rights.
    """
    rows = await tenants.rows(None, "select * from auth_by_ticket(%s)", [digest(secret)])
    if not secret.startswith(TICKET) or not rows:
        detail = "The ticket is unknown, used or expired: POST /v1/ws-tickets gives another."
        raise Refusal("not-authenticated", detail)
    caller = Caller(**{**rows[0], "scopes": tuple(rows[0]["scopes"] or ())})
    if caller.kind == "key" and "read" not in caller.scopes:
        raise Refusal("missing-scope", "This key lacks the scope 'read'.")
    return caller
