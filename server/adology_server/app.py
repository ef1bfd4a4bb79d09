"""The application: its routes, what they share, and how it opens and closes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from adology.settings.model import AdologySettings, ServerSettings
from adology_server import documents, health
from adology_server.access import check_routes, guard
from adology_server.ads import routes as ads
from adology_server.ads.detail import Payloads
from adology_server.ads.kept import KeptAnswers
from adology_server.analyzers import Analyzers
from adology_server.boards import routes as boards
from adology_server.brands import routes as brands
from adology_server.brands.finder import Finder
from adology_server.brandspaces import routes as brandspaces
from adology_server.callers import Callers
from adology_server.documents import description
from adology_server.files import SignedUrls
from adology_server.leaving import routes as leaving
from adology_server.live import routes as live
from adology_server.live.hub import Hub
from adology_server.live.watch import Watch
from adology_server.manners import audit
from adology_server.manners.checks import Checks
from adology_server.manners.cors import cors
from adology_server.manners.limits import Limits
from adology_server.manners.outer import around
from adology_server.operators import routes as operators
from adology_server.paging import Cursors
from adology_server.people import routes as people
from adology_server.people.passwords import Passwords
from adology_server.readiness import Probes
from adology_server.refusals import on_error
from adology_server.similar import routes as similar
from adology_server.similar.embedding import Embedding
from adology_server.similar.index import SimilarityIndexes
from adology_server.tasks import orders
from adology_server.tasks import routes as tasks
from adology_server.tenancy import Tenants

FORM_BYTES = 64 * 1024
"""Of a form beside the file in it."""

ROUTES = (
    *health.ROUTES,
    *people.ROUTES,
    *brandspaces.ROUTES,
    *ads.ROUTES,
    *brands.ROUTES,
    *boards.ROUTES,
    *similar.ROUTES,
    *orders.ROUTES,
    *tasks.ROUTES,
    *live.ROUTES,
    *audit.ROUTES,
    *operators.ROUTES,
    *leaving.ROUTES,
    *documents.ROUTES,
)
"""Of the role `api`."""


def _api(own: ServerSettings) -> list[Any]:
    """The routes of REST; those that take files have another limit of bodies."""
    uploads = Router("/", route_handlers=[*similar.UPLOADS], request_max_body_size=own.max_upload_bytes + FORM_BYTES)
    return [*ROUTES, uploads]


def create_app(settings: AdologySettings) -> Litestar:
    """The server of these settings; it opens its connections when it starts.

    Raises:
        ConfigError: an address is missing.
    """
    own = settings.server
    tenants, indexes, analyzers = Tenants(settings), SimilarityIndexes(settings), Analyzers(settings)
    embedding = Embedding(settings, analyzers)
    callers = Callers(tenants, own.caller_cache_s)
    payloads, finder = Payloads(settings), Finder(settings)
    hub = Hub(tenants, own) if "live" in own.roles else None
    watch = Watch(tenants, callers, hub)
    state = State(
        {
            "settings": settings,
            "tenants": tenants,
            "callers": callers,
            "hub": hub,
            "cursors": Cursors(tenants),
            "urls": SignedUrls(settings),
            "kept": KeptAnswers(own.kept_answers_bytes, own.kept_answers_s),
            "payloads": payloads,
            "finder": finder,
            "passwords": Passwords(own.passwords_at_once, own.passwords_waiting),
            "limits": Limits(tenants, caller=own.rate_caller, organisation=own.rate_organisation),
            "plugged": health.Plugged(settings),
            "probes": (probes := Probes(settings, tenants, payloads, indexes, watch)),
            "checks": (checks := Checks()),
            "indexes": indexes,
            "embedding": embedding,
            "analyzers": analyzers,
        }
    )

    @contextlib.asynccontextmanager
    async def opened(app: Litestar) -> AsyncIterator[None]:  # noqa: ARG001 - the framework's interface
        async with tenants, payloads, indexes, embedding, probes, finder, watch.running():
            yield

    app = Litestar(
        [*(_api(own) if "api" in own.roles else health.ROUTES), *(live.LIVE if hub is not None else ())],
        state=state,
        lifespan=[opened],
        guards=[guard],
        exception_handlers={Exception: on_error},
        request_max_body_size=own.max_body_bytes,
        cors_config=cors(own.origins),
        openapi_config=description(),
        logging_config=None,  # adology.log has the process's only sink
    )
    check_routes([handler for route in app.routes for handler in handlers_of(route)])
    checks.learn(app.routes)
    app.asgi_handler = around(app.asgi_handler, tenants, app.routes, own)
    return app


def handlers_of(route: Any) -> list[BaseRouteHandler]:
    """The handlers of an HTTP route; the only one of a WebSocket's, and of what takes both."""
    one = getattr(route, "route_handler", None)
    return [one] if one is not None else list(route.route_handlers)
