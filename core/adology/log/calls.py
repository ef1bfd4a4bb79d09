"""The one wrapper around every call that leaves the process.

It records service, operation, duration, outcome and error class. Success is DEBUG, failure is
WARNING; payloads are never logged, and texts pass the redactor in the sink.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from loguru import logger

from adology.log.redact import REDACTOR


class external_call:  # noqa: N801 - reads as a verb where it is used: `async with external_call(…)`
    """``async with external_call("s3", "put_object", key=key) as call:`` around one call.

    Works with ``with`` as well. `call.fields` may be extended inside (status, bytes, counts).
    """

    __slots__ = ("_started", "fields", "operation", "service")

    def __init__(self, service: str, operation: str, **fields: Any) -> None:
        self.service = service
        self.operation = operation
        self.fields = fields

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        duration_ms = round((time.perf_counter() - self._started) * 1000, 2)
        level, outcome = ("DEBUG", "ok") if error is None else ("WARNING", "error")
        if kind is not None and not issubclass(kind, Exception):
            level, outcome = "DEBUG", "cancelled"
        logger.bind(
            service=self.service,
            operation=self.operation,
            duration_ms=duration_ms,
            outcome=outcome,
            # Redacted before it is cut: half a secret would not be recognised in the sink.
            **({"error_class": kind.__name__, "error": REDACTOR.redact(str(error))[:500]} if kind is not None else {}),
            **self.fields,
        ).log(level, "call")

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)
