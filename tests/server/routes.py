"""The routes that the application really has, for tests that hold for all of them."""

from __future__ import annotations

import functools
import re
from typing import Any

import msgspec

from adology.settings import load_settings
from adology_server.access import KEY
from adology_server.app import create_app
from adology_server.documents import document

PARAMETER = re.compile(r"\{(\w+):(\w+)\}")


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one address. `path` has its parameters as ``{name:type}``."""

    method: str
    path: str
    level: str

    @property
    def name(self) -> str:
        """As the matrix has it."""
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> dict[str, str]:
        """Name → type of what the address has in it."""
        return dict(PARAMETER.findall(self.path))

    @property
    def template(self) -> str:
        """As OpenAPI writes it."""
        return PARAMETER.sub(r"{\1}", self.path)

    def at(self, **values: object) -> str:
        """The address with these values."""
        return PARAMETER.sub(lambda found: str(values[found[1]]), self.path)


@functools.cache
def _application() -> Any:
    return create_app(load_settings(env={"ADOLOGY_POSTGRES__URL": "postgresql://nobody@127.0.0.1:1/none"}))


def all_routes() -> list[Route]:
    """Every method of every address but OPTIONS, by address."""
    found = []
    for route in _application().routes:
        handlers = getattr(route, "route_handlers", None) or [route.route_handler]
        for handler in handlers:
            methods = sorted(getattr(handler, "http_methods", ["ANY"]))
            found += [
                Route(method=str(getattr(method, "value", method)), path=route.path, level=str(handler.opt.get(KEY)))
                for method in methods
                if method != "OPTIONS"
            ]
    return sorted(found, key=lambda route: (route.path, route.method))


@functools.cache
def whole_document() -> dict[str, Any]:
    """The description of the API."""
    return document(_application())


def operation(route: Route) -> dict[str, Any]:
    """What the description says of it; empty where it is not described."""
    found: dict[str, Any] = whole_document()["paths"].get(route.template, {}).get(route.method.lower(), {})
    return found


def example_body(route: Route) -> Any:
    """A body that the route takes; None for one that takes none."""
    content = operation(route).get("requestBody", {}).get("content", {})
    return content.get("application/json", {}).get("example")
