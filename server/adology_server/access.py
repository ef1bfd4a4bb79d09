"""Who may do what: every route names its level, and one guard holds all of them to it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from litestar.connection import ASGIConnection, Request
from litestar.enums import HttpMethod
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from adology_server.callers import Caller, authenticate
from adology_server.manners.deeds import Deed, begin, name_deed
from adology_server.manners.idempotency import reserve
from adology_server.problems import Refusal
from adology_server.requests import RATE, request_id

KEY = "access"
"""The key of a route's `opt`: ``@get("/ads", opt=allow(Access.VIEWER))``."""
VERSIONED = "versioned"
"""Of a route's `opt`: it takes If-Match."""


class Access(StrEnum):
    """What a route takes at least. Members may do what viewers may, and so on up to owners."""

    PUBLIC = "public"
    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"
    """An owner's own session, never a key."""
    SESSION = "session"
    """A person's own session of any role, never a key: what is about the person or the session itself."""
    OPERATOR = "operator"
    SERVICE = "service"
    """A worker of ours (scope `notify`)."""
    TICKET = "ticket"
    """Whoever brings a ticket for a WebSocket: the route itself takes it, and looks at the origin."""


RANKS = {"viewer": 0, "member": 1, "admin": 2, "owner": 3}
SCOPES = {Access.VIEWER: "read", Access.MEMBER: "write", Access.ADMIN: "manage"}
"""What a key needs for a route of that level; its person's role counts as well."""


def allow(access: Access, *, versioned: bool = False) -> dict[str, Any]:
    """The `opt` of a route of that level; `versioned`: it changes something only in the version that If-Match names."""
    return {KEY: access, VERSIONED: versioned}


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Find out who asks, and whether that is enough for the route; the application's only guard.

    Raises:
        Refusal: 401 nobody known, 403 somebody who may not, 429 too many requests, and what `Checks` finds.
    """
    if _is_options(handler):
        return
    access, shared = Access(handler.opt[KEY]), connection.app.state
    if access is Access.TICKET:
        return
    if access is not Access.PUBLIC:
        caller = await authenticate(connection)
        connection.scope["user"] = caller
        deed = deed_by(connection, handler, caller)
        name_deed(connection.scope, deed)
        connection.scope[RATE] = await shared.limits.take(caller)  # type: ignore[literal-required]  # a key of ours
        check(caller, access)
        shared.checks.check(connection)
        if isinstance(connection, Request):
            await reserve(shared.tenants, connection, caller, deed, shared.settings.server.reservation_s)
        if caller.kind != "service":  # what workers report, the engine's own tables tell
            begin(connection.scope, deed)
    else:
        shared.checks.check(connection)


def deed_by(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler, caller: Caller) -> Deed:
    """What this request does, as the audit log names it."""
    client = connection.client
    return Deed(
        org_id=caller.org_id,
        actor=caller.actor,
        session=str(caller.key_id or caller.session_id or ""),
        action=str(getattr(handler, "operation_id", None) or handler.handler_name),
        target=connection.scope["path"],
        address=client.host if client else "",
        request=request_id(connection.scope),
    )


def check(caller: Caller, access: Access) -> None:
    """Whether the caller may use routes of that level.

    Raises:
        Refusal: 403, saying what was needed.
    """
    if access is Access.OPERATOR or access is Access.SERVICE:
        enough = caller.kind == access.value
    elif caller.kind not in ("user", "key"):
        enough = False
    elif access is Access.SESSION:
        enough = caller.kind == "user"
    elif access is Access.OWNER:
        enough = caller.kind == "user" and caller.role == access.value
    else:
        enough = RANKS[caller.role] >= RANKS[access.value]
        if enough and caller.kind == "key" and SCOPES[access] not in caller.scopes:
            raise Refusal("missing-scope", f"This key lacks the scope {SCOPES[access]!r}; it has {_listed(caller)}.")
    if not enough:
        raise Refusal("not-allowed", f"This takes {_needed(access)}; this is {_is(caller)}.")


def check_routes(handlers: list[BaseRouteHandler]) -> None:
    """No route without a level: what nobody decided about is open to nobody.

    Raises:
        ImproperlyConfiguredException: naming the first such route.
    """
    for handler in handlers:
        if not _is_options(handler) and handler.opt.get(KEY) not in set(Access):
            raise ImproperlyConfiguredException(f"route {sorted(handler.paths)} names no access level")


def _is_options(handler: BaseRouteHandler) -> bool:
    """The framework's own answer that names an address's methods."""
    return isinstance(handler, HTTPRouteHandler) and set(handler.http_methods) == {HttpMethod.OPTIONS}


def _needed(access: Access) -> str:
    match access:
        case Access.SESSION:
            return "a person's own session (log in; keys cannot do it)"
        case Access.OWNER:
            return "an owner's own session (log in; keys cannot do it)"
        case Access.OPERATOR:
            return "an operator's key"
        case Access.SERVICE:
            return "a service key (scope notify)"
        case _:
            return f"the role {access.value} or above"


def _is(caller: Caller) -> str:
    match caller.kind:
        case "user":
            return f"a session of role {caller.role}"
        case "key":
            return f"a key of role {caller.role}"
        case _:
            return f"an {caller.kind}'s key" if caller.kind == "operator" else f"a {caller.kind} key"


def _listed(caller: Caller) -> str:
    return ", ".join(caller.scopes) or "none"
