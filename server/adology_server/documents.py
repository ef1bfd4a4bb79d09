"""The description of the API: OpenAPI 3.1, at ``/v1/openapi.json``."""

from __future__ import annotations

from litestar import Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from adology_server.access import Access, allow

VERSION = "1"


def description() -> OpenAPIConfig:
    """How the application is described."""
    return OpenAPIConfig(
        title="Adology",
        version=VERSION,
        description="Ads of brands, everything seen from a brandspace.",
        components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
        security=[{"bearer": []}],
        openapi_router=Router("/v1", route_handlers=[], opt=allow(Access.PUBLIC), include_in_schema=False),
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        use_handler_docstrings=True,
    )
