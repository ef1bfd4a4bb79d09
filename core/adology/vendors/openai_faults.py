"""What OpenAI's errors mean. Statuses are not enough: a 429 is a rate, a quota, or a request that never fits."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from adology.context import Context
from adology.errors import AdologyError, ConfigError, Deferred, Retry, RetryLater, Terminal
from adology.types import Struct
from adology.vendors.calls import excerpt, setting_key
from adology.vendors.errors import AnswerLostError
from adology.vendors.headers import parse_duration, retry_after_s
from adology.vendors.lanes import QUOTA_PAUSE_S

RATE_PAUSE_S = 20.0
"""When a rate limit says nothing about its end."""
LONGEST_RATE_PAUSE_S = 3600.0
_NO_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_NO_MODEL = frozenset({"model_not_found", "unsupported_model"})
_WRONG_CALL = frozenset(
    {"invalid_json_schema", "unsupported_parameter", "unsupported_value", "unknown_parameter"}
    | {"missing_required_parameter"}
)
"""The request is wrong for every item, not for this one."""
_PASSING_FAILURES = frozenset({"server_error", "vector_store_timeout", "failed_to_download_image"})
_NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "LocalProtocolError"})


class Told(Struct, frozen=True, kw_only=True):
    """An error answer, taken apart."""

    status: int
    code: str = ""
    kind: str = ""
    param: str = ""
    message: str = ""
    headers: Mapping[str, str]


def told_by(error: Any) -> Told:
    """An `openai.APIStatusError`, taken apart."""
    body = error.body if isinstance(error.body, dict) else {}
    return Told(
        status=error.status_code,
        code=str(body.get("code") or ""),
        kind=str(body.get("type") or ""),
        param=str(body.get("param") or ""),
        message=excerpt(str(body.get("message") or error.response.text)),
        headers=error.response.headers,
    )


def error_of(ctx: Context[Any], told: Told, model: str) -> AdologyError:
    """What the engine is to do about an error answer."""
    said = f"openai: {model} answered {told.status}"
    quoted = f"{said}: {told.message!r}"
    if told.code in _NO_MONEY or told.kind in _NO_MONEY:
        return Deferred(
            f"{said}: the account's quota is used up",
            after=QUOTA_PAUSE_S,
            hint="Add credit or raise the limit of the OpenAI account; it is tried again in an hour.",
            code="ADO-3207",
        )
    match told.status:
        case HTTPStatus.UNAUTHORIZED:
            # The vendor's text repeats parts of the key: it is not quoted.
            hint = "Check the key that the reference leads to, and that it was not revoked."
            return ConfigError(setting_key(ctx, "openai_api_key"), "OpenAI refuses the key", hint, code="ADO-3208")
        case HTTPStatus.FORBIDDEN:
            hint = "Check the key's permissions, its project and the country it is used from."
            return ConfigError(
                setting_key(ctx, "openai_api_key"), f"OpenAI denies access ({told.code or 403})", hint, code="ADO-3208"
            )
        case HTTPStatus.TOO_MANY_REQUESTS:
            return _rate(told, model, quoted)
        case HTTPStatus.REQUEST_TIMEOUT | HTTPStatus.CONFLICT:
            return Retry(quoted, code="ADO-3205")
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Retry(quoted, after=retry_after_s(told.headers), code="ADO-3205")
        case status if status == HTTPStatus.NOT_FOUND or told.code in _NO_MODEL or told.param == "model":
            return _missing(ctx, told, model, quoted)
    if told.code in _WRONG_CALL or told.param.startswith("text.format") or told.param == "dimensions":
        return ConfigError(
            setting_key(ctx, "model"), f"{model} refuses how it is asked: {told.message!r}", code="ADO-3209"
        )
    return Terminal(quoted, code="ADO-3204")


def _missing(ctx: Context[Any], told: Told, model: str, quoted: str) -> AdologyError:
    if told.code in _NO_MODEL or told.param == "model":
        problem = f"OpenAI has no model {model!r} for this account"
        return ConfigError(
            setting_key(ctx, "model"), problem, "Models are retired: choose another one.", code="ADO-3209"
        )
    hint = "Check the address; it ends in /v1."
    return ConfigError(setting_key(ctx, "openai_base_url"), f"there is no such API ({quoted})", hint, code="ADO-3209")


def _rate(told: Told, model: str, quoted: str) -> AdologyError:
    if told.message.startswith("Request too large"):
        return Terminal(
            f"{quoted}. It is larger than a minute's allowance of {model}: waiting cannot help", code="ADO-3204"
        )
    asked_s = retry_after_s(told.headers)
    if asked_s is None:
        name = "tokens" if told.kind == "tokens" else "requests"
        asked_s = parse_duration(told.headers.get(f"x-ratelimit-reset-{name}", "")) or RATE_PAUSE_S
    return RetryLater(min(LONGEST_RATE_PAUSE_S, asked_s), quoted, code="ADO-3206")


def error_of_failure(code: str, message: str, model: str) -> AdologyError:
    """What the engine is to do about a response that failed with status 200."""
    text = f"openai: {model} answered 200 with a failed response ({code or 'no code'}): {excerpt(message)!r}"
    if code == "rate_limit_exceeded":
        return RetryLater(RATE_PAUSE_S, text, code="ADO-3206")
    if code in _PASSING_FAILURES or not code:
        return Retry(text, code="ADO-3205")
    return Terminal(text, code="ADO-3204")  # about the picture or the prompt: it would fail again


def error_of_connection(error: Any, model: str) -> AdologyError | AnswerLostError:
    """What a fault on the way means: a request that never left costs nothing, another may."""
    cause = type(error.__cause__).__name__ if error.__cause__ is not None else type(error).__name__
    if cause in _NEVER_SENT:
        return Retry(f"openai: no connection for {model} ({cause})", code="ADO-3205")
    return AnswerLostError(Retry(f"openai: no answer about {model} ({cause})", code="ADO-3205"))
