"""What the registry refuses beside the protocol's own errors, and how each becomes an HTTP answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from adology.errors import AdologyError, EngineError
from adology.registry_client.protocol import (
    BrandActiveError,
    CommitLeaseLostError,
    StaleBatchError,
    UnknownBrandError,
)


class RegistryFullError(EngineError):
    """The registry's memory bound is reached (507)."""

    code = "ADO-5706"
    retryable = True


class BadRequestError(EngineError):
    """The request cannot be read (400). `field` is the dotted place in the body, or empty."""

    code = "ADO-5707"

    def __init__(self, message: str, /, *, field: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.field = field


class HttpError(EngineError):
    """HTTP itself: no such path, method not allowed, body too large. `status` says which."""

    code = "ADO-5708"

    def __init__(self, status: int, message: str, /, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


STATUS: dict[type[AdologyError], tuple[HTTPStatus, str]] = {
    UnknownBrandError: (HTTPStatus.NOT_FOUND, "unknown-brand"),
    BrandActiveError: (HTTPStatus.CONFLICT, "brand-active"),
    StaleBatchError: (HTTPStatus.CONFLICT, "stale-batch"),
    CommitLeaseLostError: (HTTPStatus.CONFLICT, "commit-lease-lost"),
    RegistryFullError: (HTTPStatus.INSUFFICIENT_STORAGE, "registry-full"),
    BadRequestError: (HTTPStatus.BAD_REQUEST, "bad-request"),
}


HTTP_KINDS = {404: "no-such-address", 405: "method-not-allowed", 413: "body-too-large"}
"""Our own words: those of the standard library change between Python versions."""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A refusal in the words of RFC 9457, with our stable code."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    epoch: str
    batch_id: str = ""
    field: str = ""


def problem_of(error: AdologyError, epoch: str) -> Problem:
    """What the caller is told about `error`; anything unexpected is a 500 without its inside."""
    extra: dict[str, Any] = {}
    if isinstance(error, HttpError):
        status, kind = HTTPStatus(error.status), HTTP_KINDS.get(error.status, "http")
    elif type(error) in STATUS:
        status, kind = STATUS[type(error)]
    else:
        status, kind = HTTPStatus.INTERNAL_SERVER_ERROR, "internal"
    if isinstance(error, BrandActiveError) and error.batch_id:
        extra["batch_id"] = error.batch_id
    if isinstance(error, BadRequestError) and error.field:
        extra["field"] = error.field
    return Problem(
        type=f"urn:adology:registry:{kind}",
        title=kind.replace("-", " ").capitalize(),
        status=status,
        detail=str(error),
        code=error.code,
        epoch=epoch,
        **extra,
    )
