"""What the application holds for its routes, typed."""

from __future__ import annotations

from typing import Any, TypeAlias

from litestar import Request
from litestar.datastructures import State

from adology.settings.model import ServerSettings
from adology_server.callers import Caller, Callers
from adology_server.paging import Cursors
from adology_server.people.passwords import Passwords
from adology_server.tenancy import Tenants

Anybodys: TypeAlias = Request[Any, Any, State]
Incoming: TypeAlias = Request[Caller, Any, State]
"""A request of somebody known."""


def tenants(request: Anybodys) -> Tenants:
    """The database."""
    found: Tenants = request.app.state.tenants
    return found


def settings(request: Anybodys) -> ServerSettings:
    """The section `server`."""
    found: ServerSettings = request.app.state.settings.server
    return found


def callers(request: Anybodys) -> Callers:
    """Who is known; to be told to forget when rights change."""
    found: Callers = request.app.state.callers
    return found


def passwords(request: Anybodys) -> Passwords:
    """Hashes and checks passwords."""
    found: Passwords = request.app.state.passwords
    return found


def cursors(request: Anybodys) -> Cursors:
    """Makes and checks cursors."""
    found: Cursors = request.app.state.cursors
    return found


def address(request: Anybodys) -> str:
    """Where the request comes from."""
    return request.client.host if request.client else ""
