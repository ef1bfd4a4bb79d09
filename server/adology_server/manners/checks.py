"""What is wrong with a request before its route sees it: parameters that nothing has, bodies of another type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.enums import RequestEncodingType
from litestar.routes import HTTPRoute

from adology_server.faults import nearest
from adology_server.problems import Fault, Refusal

_NONE: frozenset[str] = frozenset()


class Checks:
    """Knows the parameters of each route. `learn` is called once all routes are there."""

    def __init__(self) -> None:
        self._names: dict[int, frozenset[str]] = {}
        self._json: set[int] = set()

    def learn(self, routes: Iterable[Any]) -> None:
        """Remember what these routes take."""
        for route in routes:
            if not isinstance(route, HTTPRoute):
                continue
            for handler, model in route.route_handler_map.values():
                self._names[id(handler)] = frozenset(one.field_alias for one in model.expected_query_params)
                data = model.expected_form_data or model.expected_msgpack_data
                takes = handler.parsed_data_field
                if takes is not None and data is None and _encoding(takes) == RequestEncodingType.JSON:
                    self._json.add(id(handler))

    def check(self, connection: ASGIConnection[Any, Any, Any, Any]) -> None:
        """Refuse what the route does not take.

        Raises:
            Refusal: 422 for parameters, 415 for the type of the body.
        """
        handler = connection.scope.get("route_handler")  # guards are given a copy
        if connection.scope.get("query_string"):
            known = self._names.get(id(handler), _NONE)
            unknown = [name for name in connection.query_params if name not in known]
            if unknown:
                raise _unknown(unknown, sorted(known))
        if id(handler) in self._json:
            given = connection.headers.get("content-type", "")
            kind = given.partition(";")[0].strip().lower()
            if kind and kind != RequestEncodingType.JSON.value:
                raise Refusal("media-type", f"This address takes application/json, not {kind[:100]!r}.")


def _encoding(field: Any) -> Any:
    return getattr(field.kwarg_definition, "media_type", RequestEncodingType.JSON)


def _unknown(names: list[str], known: list[str]) -> Refusal:
    faults = tuple(
        Fault(field=name[:80], detail=f"There is no parameter {name[:80]!r}{nearest(name, known)}")
        for name in names[:20]
    )
    return Refusal("invalid", faults[0].detail, errors=faults)
