"""What is wrong with a body or a parameter, in words that say what is allowed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from litestar import Request
from litestar.exceptions import ValidationException

from adology_server.problems import Fault

_UNKNOWN = re.compile(r"Object contains unknown field `([^`]*)`")
_PATH = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")


def faults_of(request: Request[Any, Any, Any], error: ValidationException) -> tuple[Fault, ...]:
    """One fault for each thing that the framework found; the nearest name for one that nothing has."""
    extra = error.extra if isinstance(error.extra, list) else []
    return tuple(_fault(request, row) for row in extra if isinstance(row, dict))


def _fault(request: Request[Any, Any, Any], row: dict[str, Any]) -> Fault:
    message, field = str(row.get("message", "")), str(row.get("key", ""))
    if (field, message) == ("data", "'data'"):
        return Fault(field="", detail="The request has no body; this address takes one of application/json.")
    place = _PATH.search(message)
    if place:
        field = ".".join(part for part in (field, place[1]) if part and part != "data")
        message = message[: place.start()]
    unknown = _UNKNOWN.search(message)
    if unknown is None:
        return Fault(field=field, detail=f"{field}: {message}" if field else message)
    name = unknown[1]
    where = ".".join(part for part in (field, name) if part)
    return Fault(field=where, detail=f"There is no field {name!r}{nearest(name, _body_fields(request))}")


def _body_fields(request: Request[Any, Any, Any]) -> list[str]:
    """All names that the body of this route may hold, at any depth."""
    handler = request.scope.get("route_handler")
    hint = get_type_hints(handler.fn).get("data") if handler is not None else None
    return sorted(set(_names(hint)))


def _names(hint: Any) -> Iterator[str]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        for field in msgspec.structs.fields(hint):
            yield field.encode_name
            yield from _names(field.type)
    elif get_origin(hint) is not None:
        for part in get_args(hint):
            yield from _names(part)


def nearest(name: str, known: list[str]) -> str:
    """The end of a message about a name that nothing has: the one that was meant, or all there are."""
    close = difflib.get_close_matches(name, known, 1, 0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; allowed: {', '.join(known)}." if known else "."
