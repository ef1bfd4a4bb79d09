"""The description of the API: OpenAPI 3.1, at ``/v1/openapi.json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from adology_server.access import KEY, VERSIONED, Access, allow
from adology_server.examples import example
from adology_server.problems import KINDS, PREFIX, PROBLEM

VERSION = "1"
_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A refusal (RFC 9457). `request` joins it to the server's log.",
    "properties": {
        "type": {"type": "string", "enum": [PREFIX + kind for kind in KINDS]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
                "required": ["field", "detail"],
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
}
_IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same request within 24 hours gets the same reply, and nothing is done twice.",
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,200}$", "examples": ["3f0c9a52-order-17"]},
}
_IF_NONE_MATCH: dict[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of an answer that the client has: where nothing has changed, the answer is 304.",
    "schema": {"type": "string", "examples": ['W/"0f8fad5bd9cb469fa1657086"']},
}
_IF_MATCH: dict[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of what is to be changed: where somebody changed it meanwhile, the answer is 412.",
    "schema": {"type": "string", "examples": ['"acme.3.0f8fad5bd9cb469fa1657086"']},
}
_HEADERS: dict[str, Any] = {
    "ETag": {"description": "Names this answer: for If-None-Match, and If-Match.", "schema": {"type": "string"}},
    "X-Request-ID": {"description": "Joins the answer to the server's log.", "schema": {"type": "string"}},
    "RateLimit": {
        "description": "Requests that are left (r) and seconds until all are (t).",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {"description": "Requests (q) in a window of seconds (w).", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
}
_ALWAYS, _OF_CALLERS, _OF_BODIES, _OF_CHANGES = (400, 404, 422, 500, 503), (401, 403, 429), (413, 415), (409, 410)


class _Nothing(Router):
    """The framework's own pages about the document are not served."""

    def register(self, value: Any) -> list[Any]:  # noqa: ARG002 - the framework's interface
        return []


def description() -> OpenAPIConfig:
    """How the application is described."""
    return OpenAPIConfig(
        title="Adology",
        version=VERSION,
        description="Ads of brands, everything seen from a brandspace.",
        components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
        security=[{"bearer": []}],
        openapi_router=_Nothing("/v1", route_handlers=[], include_in_schema=False),
        use_handler_docstrings=True,
    )


@get(
    "/v1/openapi.json",
    opt=allow(Access.PUBLIC),
    operation_id="openapi",
    security=[],
    include_in_schema=False,
    sync_to_thread=False,
)
def get_document(request: Request[Any, Any, State]) -> Response[bytes]:
    """The description of all addresses, OpenAPI 3.1."""
    state = request.app.state
    if "document" not in state:
        state.document = msgspec.json.encode(document(request.app))
    return Response(state.document, media_type="application/json", headers={"cache-control": "public, max-age=300"})


def document(app: Any) -> dict[str, Any]:
    """The whole description, with what all routes have in common: security, refusals, headers, examples."""
    # A copy of plain values: what the framework keeps stays as it is.
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()))
    opts = {
        handler.operation_id: handler.opt
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if getattr(handler, "operation_id", None)
    }
    components = found["components"]
    for schema in components["schemas"].values():
        _mend_arrays(schema)
    components["schemas"]["Problem"] = _PROBLEM_SCHEMA
    components["headers"] = _HEADERS
    components["responses"] = {
        f"Problem{status}": _refusal(status) for status in {int(kind[0]) for kind in KINDS.values()}
    }
    for item in found["paths"].values():
        for method, operation in item.items():
            if isinstance(operation, dict) and "operationId" in operation:
                _complete(operation, method, opts[operation["operationId"]], components["schemas"])
    return found


def _mend_arrays(schema: dict[str, Any]) -> None:
    """The framework takes the dots of an annotated `tuple[T, ...]` for a type of their own: anything."""
    for field in schema.get("properties", {}).values():
        options = field.get("items", {}).get("oneOf", ())
        if {} in options:
            (field["items"],) = (one for one in options if one)


def _complete(operation: dict[str, Any], method: str, opt: dict[str, Any], schemas: dict[str, Any]) -> None:
    level, body = opt[KEY], operation.get("requestBody")
    is_public = level == Access.PUBLIC
    text = operation.get("description", "")
    operation["summary"] = text.partition("\n")[0].partition(". ")[0].rstrip(".")
    operation["x-access"] = str(level)
    operation["security"] = [] if is_public else [{"bearer": []}]
    answers = operation["responses"]
    answers.pop("400", None)  # the framework's own form, which nobody gets
    for status in _refusals(method, is_public=is_public, has_body=body is not None):
        answers.setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
    is_tagged = method == "get" and not is_public and "application/json" in answers["200"].get("content", {})
    parameters = operation.setdefault("parameters", [])
    if is_tagged:
        parameters.append(_IF_NONE_MATCH)
        names = ("ETag", "X-Request-ID", "RateLimit", "RateLimit-Policy")
        answers["304"] = {"description": "It is as the ETag in If-None-Match says.", "headers": _named(names)}
    if opt.get(VERSIONED):
        parameters.append(_IF_MATCH)
        answers.setdefault("412", {"$ref": "#/components/responses/Problem412"})
    if method == "post" and not is_public:
        parameters.append(_IDEMPOTENCY_KEY)
    named = ("X-Request-ID",) if is_public else ("X-Request-ID", "RateLimit", "RateLimit-Policy")
    for status, answer in answers.items():
        if status.startswith("2"):
            answer.setdefault("headers", {}).update(_named((*named, "ETag") if is_tagged else named))
            _give_example(answer, schemas)
    if body is not None:
        _give_example(body, schemas)


def _named(headers: Sequence[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


def _refusals(method: str, *, is_public: bool, has_body: bool) -> list[int]:
    found = [*_ALWAYS]
    if not is_public:
        found += _OF_CALLERS
    if has_body:
        found += _OF_BODIES
    if method != "get":
        found += _OF_CHANGES
    if is_public and method != "get":
        found += _OF_CALLERS
    return sorted(set(found))


def _refusal(status: int) -> dict[str, Any]:
    kinds = [kind for kind, (one, _) in KINDS.items() if one == status]
    kind = kinds[0]
    named = ("X-Request-ID", "Retry-After") if status in (429, 503) else ("X-Request-ID",)
    return {
        "description": "; ".join(f"`{one}`: {KINDS[one][1]}" for one in kinds),
        "headers": _named(named),
        "content": {
            PROBLEM: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": {
                    "type": PREFIX + kind,
                    "title": KINDS[kind][1],
                    "status": status,
                    "detail": KINDS[kind][1] + ".",
                    "request": "0f8fad5bd9cb469fa16570867728950e",
                },
            }
        },
    }


def _give_example(holder: dict[str, Any], schemas: dict[str, Any]) -> None:
    for kind, content in holder.get("content", {}).items():
        if kind == "application/json" and "schema" in content:
            content.setdefault("example", example(content["schema"], schemas))


ROUTES = (get_document,)
