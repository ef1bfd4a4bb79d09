"""Refusals as RFC 9457 problems, with stable types; docs/problems.md lists them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from adology.errors import AdologyError
from adology.types import Struct

PROBLEM = "application/problem+json"
PREFIX = "urn:adology:problem:"

KINDS: dict[str, tuple[HTTPStatus, str]] = {
    "bad-request": (HTTPStatus.BAD_REQUEST, "The request cannot be read"),
    "bad-cursor": (HTTPStatus.BAD_REQUEST, "The cursor is not one of this list"),
    "not-authenticated": (HTTPStatus.UNAUTHORIZED, "Nobody is logged in"),
    "wrong-credentials": (HTTPStatus.UNAUTHORIZED, "E-mail or password is wrong"),
    "session-ended": (HTTPStatus.UNAUTHORIZED, "The session has ended"),
    "not-allowed": (HTTPStatus.FORBIDDEN, "This caller may not do that"),
    "missing-scope": (HTTPStatus.FORBIDDEN, "The key lacks a scope"),
    "foreign-origin": (HTTPStatus.FORBIDDEN, "Pages of this origin may not do that"),
    "not-found": (HTTPStatus.NOT_FOUND, "There is no such thing"),
    "method-not-allowed": (HTTPStatus.METHOD_NOT_ALLOWED, "The address does not take this method"),
    "not-acceptable": (HTTPStatus.NOT_ACCEPTABLE, "There is no such form of it"),
    "conflict": (HTTPStatus.CONFLICT, "It is not in a state for that"),
    "taken": (HTTPStatus.CONFLICT, "The name is taken"),
    "in-progress": (HTTPStatus.CONFLICT, "The same request is under way"),
    "done-before": (HTTPStatus.CONFLICT, "It was done before, and its reply is not kept"),
    "gone": (HTTPStatus.GONE, "It is not kept any more"),
    "changed-meanwhile": (HTTPStatus.PRECONDITION_FAILED, "Somebody changed it meanwhile"),
    "body-too-large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large"),
    "media-type": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is of another type"),
    "invalid": (HTTPStatus.UNPROCESSABLE_ENTITY, "A value is not allowed"),
    "key-reused": (HTTPStatus.UNPROCESSABLE_ENTITY, "The idempotency key was used for another request"),
    "precondition-required": (HTTPStatus.PRECONDITION_REQUIRED, "Say which version is changed"),
    "too-many": (HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"),
    "internal": (HTTPStatus.INTERNAL_SERVER_ERROR, "Something failed here"),
    "full": (HTTPStatus.SERVICE_UNAVAILABLE, "There is no room for more connections"),
    "unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "A service of ours does not answer"),
}
"""Kind → status and title. A kind, once published, keeps its meaning."""


class Fault(Struct, frozen=True, kw_only=True):
    """One thing that is wrong: `field` is its dotted place in the body, or the parameter's name."""

    field: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A refusal. `request` joins it to the server's log; `errors` says each thing that is wrong."""

    type: str
    title: str
    status: int
    detail: str
    request: str = ""
    errors: tuple[Fault, ...] = ()


class Refusal(AdologyError):
    """The answer to a request is a problem. `kind` is one of `KINDS`."""

    code = "ADO-5901"

    def __init__(
        self,
        kind: str,
        detail: str,
        /,
        *,
        field: str = "",
        errors: tuple[Fault, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.errors = errors or ((Fault(field=field, detail=detail),) if field else ())
        self.headers = headers or {}

    @property
    def status(self) -> HTTPStatus:
        """Of the answer."""
        return KINDS[self.kind][0]

    def problem(self, request: str) -> Problem:
        """What the caller is told."""
        status, title = KINDS[self.kind]
        return Problem(
            type=PREFIX + self.kind,
            title=title,
            status=int(status),
            detail=self.message,
            request=request,
            errors=self.errors,
        )


def not_found(what: str, which: Any) -> Refusal:
    """The same for what is absent and for what somebody else's is."""
    return Refusal("not-found", f"There is no {what} {str(which)[:80]!r} here.")
