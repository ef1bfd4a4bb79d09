"""What MongoDB's faults mean for the engine: try again, change a setting, or report."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from bson.errors import BSONError
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
    WTimeoutError,
)

from adology import AdologyError, ConfigError
from adology.errors import EngineError, UnavailableError
from adology.log import REDACTOR, external_call

TRANSIENT_CODE, SETTING_CODE, REFUSED_CODE = "ADO-4201", "ADO-4202", "ADO-4203"
DUPLICATE_KEY = 11000
_TRANSIENT = (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    WTimeoutError,
    WriteConcernError,
)
_NOT_ALLOWED = frozenset({13, 18, 8000})
"""Unauthorized, AuthenticationFailed, and Atlas's word for either."""
_PASSING = frozenset({6, 7, 50, 64, 89, 91, 112, 189, 202, 262, 9001, 10107, 11600, 11602, 13435, 13436})
"""Hosts and networks down, time-outs, elections, shutdowns, write conflicts (server's error_codes.yml)."""
_RETRYABLE_LABELS = ("RetryableWriteError", "TransientTransactionError", "SystemOverloadedError")


@contextlib.asynccontextmanager
async def mongo_call(operation: str, **fields: Any) -> AsyncIterator[external_call]:
    """One logged call of MongoDB, its faults turned into the engine's.

    Raises:
        UnavailableError: the server went away, is not reachable, is electing or was too slow.
        ConfigError: the address is wrong, or the server refuses the user.
        EngineError: the server refuses the operation for good.
    """
    try:
        async with external_call("mongo", operation, **fields) as call:
            yield call
    except (PyMongoError, BSONError) as error:
        raise explain(operation, error) from error


def is_all_there(error: BulkWriteError) -> bool:
    """Whether the only fault is that documents were there already."""
    details = error.details or {}
    codes = {one.get("code") for one in details.get("writeErrors", [])}
    return codes == {DUPLICATE_KEY} and not details.get("writeConcernErrors")


def explain(operation: str, error: PyMongoError | BSONError) -> AdologyError:
    """The engine's error for a fault; passwords never get into its text."""
    code, reason = _find_reason(error)
    text = f"mongo: {operation}: {REDACTOR.redact(reason)}"
    if isinstance(error, ConfigurationError):
        return wrong_address(reason)
    if code in _NOT_ALLOWED:
        return ConfigError(
            "mongo.url",
            f"the server refuses {operation}: {REDACTOR.redact(reason)}",
            "Check user, password and authSource; the user needs readWrite on mongo.database.",
            code=SETTING_CODE,
        )
    labelled = isinstance(error, PyMongoError) and any(map(error.has_error_label, _RETRYABLE_LABELS))
    if isinstance(error, _TRANSIENT) or code in _PASSING or labelled:
        return UnavailableError(text, code=TRANSIENT_CODE)
    return EngineError(text, hint="The server's log says more.", code=REFUSED_CODE)


def wrong_address(reason: str) -> ConfigError:
    """The address cannot be used, for `reason`; neither it nor its password is shown."""
    return ConfigError(
        "mongo.url",
        f"cannot be used: {REDACTOR.redact(reason)}",
        "Write mongodb://user:password@host:port/ with :, /, @ and % in the password as %XX.",
        code=SETTING_CODE,
    )


def _find_reason(error: PyMongoError | BSONError) -> tuple[int | None, str]:
    """The server's code and one line; of a bulk write the first fault that matters most."""
    if isinstance(error, BulkWriteError):
        details = error.details or {}
        found = [*details.get("writeErrors", []), *details.get("writeConcernErrors", [])]
        found = [one for one in found if one.get("code") != DUPLICATE_KEY]
        found.sort(key=lambda one: one.get("code") in _PASSING)
        if found:
            count = f"{len(found)} writes failed, " if len(found) > 1 else ""
            return found[0].get("code"), f"{count}code {found[0].get('code')}: {str(found[0].get('errmsg'))[:500]}"
    code = error.code if isinstance(error, OperationFailure) else None
    line = (str(error).splitlines() or [""])[0][:500]
    return code, f"{type(error).__name__}: {line}"
