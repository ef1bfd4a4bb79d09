"""What surrounds every paid call: a turn, a reservation, a log line, a time-out, and the ledger kept right."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from adology.context import Context
from adology.errors import Retry
from adology.log import REDACTOR, external_call
from adology.money.calls import PaidCall
from adology.vendors.errors import AnswerLostError
from adology.vendors.lanes import Lane

EXCERPT = 300
_SECRETS_KEPT_S = 300.0
_secrets: dict[str, tuple[float, str]] = {}


@asynccontextmanager
async def paid_call(
    ctx: Context[Any], lane: Lane, service: str, operation: str, model: str, timeout_s: float, **units: float
) -> AsyncIterator[PaidCall]:
    """Around one call. Raise `AnswerLostError` inside where the vendor may have charged without an answer.

    Raises:
        Deferred: a budget or the account's quota is used up.
        RetryLater: the credential's turn is far away.
        Retry: no answer within `timeout_s`, or it was lost.
    """
    await lane.enter()
    try:
        async with (
            ctx.paid(service, model, **units) as call,
            external_call(service, operation, model=model),
            asyncio.timeout(timeout_s),
        ):
            yield call
    except AnswerLostError as lost:
        raise lost.because from None
    except TimeoutError:
        raise Retry(f"{service}: no answer about {model} within {timeout_s:g} s", code="ADO-3205") from None


async def read_secret(ctx: Context[Any], field: str) -> str:
    """The secret behind a setting; one from AWS Secrets Manager is asked for every five minutes, in a thread."""
    reference = getattr(ctx.settings, field)
    if not reference.startswith("aws-sm:"):
        return ctx.secret(field)
    kept_at, value = _secrets.get(reference, (-_SECRETS_KEPT_S, ""))
    if not value or time.monotonic() - kept_at > _SECRETS_KEPT_S:
        value = await asyncio.to_thread(ctx.secret, field)
        _secrets[reference] = time.monotonic(), value
    return value


def setting_key(ctx: Context[Any], field: str) -> str:
    """The dotted key of a field of the calling analyzer's settings."""
    return f"analyzers.{ctx.plugin}.{field}"


def excerpt(text: str) -> str:
    """The beginning of a vendor's words on one line, secrets masked."""
    # Redacted before it is cut: half a secret would not be recognised.
    return " ".join(REDACTOR.redact(text[: 4 * EXCERPT]).split())[:EXCERPT]
