"""What MongoDB's faults mean for the engine: try again, change a setting, or report."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
    WTimeoutError,
)

from adology import AdologyError, ConfigError, Retry
from adology.errors import EngineError
from adology.log import REDACTOR, external_call

TRANSIENT_CODE, SETTING_CODE, REFUSED_CODE = "ADO-4201", "ADO-4202", "ADO-4203"
DUPLICATE_KEY = 11000
_TRANSIENT = (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    WTimeoutError,
    WriteConcernError,
    DuplicateKeyError,  # two upserts of one key met: the second try replaces
)
_NOT_ALLOWED = frozenset({13, 18, 8000})
"""Unauthorized, AuthenticationFailed, and Atlas's word for either."""
_PASSING = frozenset({6, 7, 50, 64, 89, 91, 112, 189, 202, 262, 9001, 10107, 11600, 11602, 13435, 13436, DUPLICATE_KEY})
"""Hosts and networks down, time-outs, elections, shutdowns, write conflicts (server's error_codes.yml)."""
_RETRYABLE_LABELS = ("RetryableWriteError", "TransientTransactionError", "SystemOverloadedError")


@contextlib.asynccontextmanager
async def mongo_call(operation: str, **fields: Any) -> AsyncIterator[external_call]:
    """One logged call of MongoDB, its faults turned into the engine's.

    Raises:
        Retry: the server went away, is not reachable, is electing or was too slow.
        ConfigError: the address is wrong, or the server refuses the user.
        EngineError: the server refuses the operation for good.
    """
    try:
        async with external_call("mongo", operation, **fields) as call:
            yield call
    except PyMongoError as error:
        raise explain(operation, error) from error


def explain(operation: str, error: PyMongoError) -> AdologyError:
    """The engine's error for a fault; passwords never get into its text."""
    code, reason = _find_reason(error)
    text = f"mongo: {operation}: {REDACTOR.redact(reason)}"
    if isinstance(error, ConfigurationError | InvalidURI):
        return ConfigError(
            "mongo.url",
            f"cannot be used: {REDACTOR.redact(reason)}",
            "Write mongodb://user:password@host:port/ …",
            code=SETTING_CODE,
        )
    if code in _NOT_ALLOWED:
        return ConfigError(
            "mongo.url",
            f"the server refuses {operation}: {REDACTOR.redact(reason)}",
            "Check user, password and authSource; the user needs readWrite on mongo.database.",
            code=SETTING_CODE,
        )
    labelled = any(error.has_error_label(label) for label in _RETRYABLE_LABELS)
    if isinstance(error, _TRANSIENT) or code in _PASSING or labelled:
        return Retry(text, code=TRANSIENT_CODE)
    return EngineError(text, hint="The server's log says more.", code=REFUSED_CODE)


def _find_reason(error: PyMongoError) -> tuple[int | None, str]:
    """The server's code and one line; of a bulk write the first fault that will not pass by itself."""
    if isinstance(error, BulkWriteError):
        details = error.details or {}
        found = [*details.get("writeErrors", []), *details.get("writeConcernErrors", [])]
        found.sort(key=lambda one: one.get("code") in _PASSING)
        if found:
            count = f"{len(found)} writes failed, " if len(found) > 1 else ""
            return found[0].get("code"), f"{count}code {found[0].get('code')}: {str(found[0].get('errmsg'))[:500]}"
    code = error.code if isinstance(error, OperationFailure) else None
    line = (str(error).splitlines() or [""])[0][:500]
    return code, f"{type(error).__name__}: {line}"
