"""Whatever a request ends in becomes a problem: nothing of our inside gets out."""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE, HTTP_415_UNSUPPORTED_MEDIA_TYPE

from adology.errors import UnavailableError
from adology.log import logger
from adology_server.faults import faults_of
from adology_server.manners.deeds import PROBLEM_KIND
from adology_server.manners.idempotency import Replay
from adology_server.problems import PROBLEM, Refusal
from adology_server.requests import request_id
from adology_server.tenancy import SlowError
from adology_server.turns import CrowdedError

RETRY_S = 2
"""When to ask again while one of our services is away."""


def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The answer to a request that `error` ended."""
    if isinstance(error, Replay):
        return Response(error.body, status_code=error.status, headers=error.headers)
    refusal = refusal_of(request, error)
    request.scope[PROBLEM_KIND] = refusal.kind  # type: ignore[literal-required]  # a key of ours
    problem = refusal.problem(request_id(request.scope))
    return Response(
        msgspec.json.encode(problem), status_code=refusal.status, media_type=PROBLEM, headers=refusal.headers
    )


def refusal_of(request: Request[Any, Any, Any], error: Exception) -> Refusal:
    """What the caller is told about `error`."""
    match error:
        case Refusal():
            return error
        case CrowdedError():
            logger.bind(error=str(error)).warning("an organisation waited for its own requests in vain")
            detail = "Your organisation has as many requests under way as it may at once: wait until some have ended."
            return Refusal("too-many", detail, headers={"retry-after": str(RETRY_S)})
        case SlowError():
            logger.bind(error=str(error)).error("a statement took too long")
            detail = "It took too long in the database: ask for less at once, or later."
            return Refusal("unavailable", detail, headers={"retry-after": str(RETRY_S)})
        case UnavailableError():
            logger.bind(error=str(error)).error("a request could not be served: a service is away")
            headers = {"retry-after": str(RETRY_S)}
            return Refusal("unavailable", "A service that is needed here does not answer; try again.", headers=headers)
        case psycopg.DataError():
            # Texts with NUL, numbers beyond the column: values that no check of ours refused.
            logger.bind(error=str(error)).warning("the database refused a value")
            return Refusal("invalid", "A value in the request cannot be stored, such as a text with a NUL character.")
        case MethodNotAllowedException():
            allowed = ", ".join(sorted((error.headers or {}).get("allow", "").split(", ")))
            detail = f"{request.url.path} does not take {request.method}" + (f", but {allowed}." if allowed else ".")
            return Refusal("method-not-allowed", detail, headers={"allow": allowed} if allowed else None)
        case NotFoundException():
            return Refusal("not-found", f"There is no address {request.url.path[:200]!r}.")
        case ValidationException():
            faults = faults_of(request, error)
            return Refusal("invalid", faults[0].detail if faults else error.detail, errors=faults)
        case HTTPException():
            return _of_http(error)
        case _:
            logger.opt(exception=error).error("a request failed")
            return Refusal("internal", "The request failed here; its id is in our log.")


def _of_http(error: HTTPException) -> Refusal:
    """Refusals of the framework itself: bodies that are no JSON, too large, of another type."""
    if error.status_code == HTTP_413_REQUEST_ENTITY_TOO_LARGE:
        return Refusal("body-too-large", "The body is larger than this address takes.")
    if error.status_code == HTTP_415_UNSUPPORTED_MEDIA_TYPE:
        return Refusal("media-type", "This address takes application/json.")
    if error.status_code < 500:  # noqa: PLR2004 - client errors
        return Refusal("bad-request", error.detail or "The request cannot be read.")
    logger.opt(exception=error).error("a request failed")
    return Refusal("internal", "The request failed here; its id is in our log.")
