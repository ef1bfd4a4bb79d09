"""The application: its routes, what they share, and how it opens and closes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from litestar import Litestar
from litestar.datastructures import State

from adology.settings.model import AdologySettings
from adology_server import health
from adology_server.access import check_routes, guard
from adology_server.boards import routes as boards
from adology_server.brandspaces import routes as brandspaces
from adology_server.callers import Callers
from adology_server.documents import description
from adology_server.paging import Cursors
from adology_server.people import routes as people
from adology_server.people.passwords import Passwords
from adology_server.refusals import on_error
from adology_server.requests import RequestLog
from adology_server.tenancy import Tenants

ROUTES = (*health.ROUTES, *people.ROUTES, *brandspaces.ROUTES, *boards.ROUTES)
"""Of the role `api`."""


def create_app(settings: AdologySettings) -> Litestar:
    """The server of these settings; it opens its connections when it starts.

    Raises:
        ConfigError: an address is missing.
    """
    own = settings.server
    tenants = Tenants(settings)
    state = State(
        {
            "settings": settings,
            "tenants": tenants,
            "callers": Callers(tenants, own.caller_cache_s),
            "cursors": Cursors(tenants),
            "passwords": Passwords(),
        }
    )

    @contextlib.asynccontextmanager
    async def opened(app: Litestar) -> AsyncIterator[None]:  # noqa: ARG001 - the framework's interface
        async with tenants:
            yield

    app = Litestar(
        [*ROUTES],
        state=state,
        lifespan=[opened],
        guards=[guard],
        middleware=[RequestLog],
        exception_handlers={Exception: on_error},
        request_max_body_size=own.max_body_bytes,
        openapi_config=description(),
        logging_config=None,  # adology.log has the process's only sink
    )
    check_routes([handler for route in app.routes for handler in getattr(route, "route_handlers", ())])
    return app
