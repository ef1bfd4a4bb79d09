"""OpenAI's refusals: a status and ``{"error": {"message", "type", "param", "code"}}``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

INVALID = "invalid_request_error"


class Refusal(Exception):  # noqa: N818 - an answer, not a fault of ours
    """Ends a request."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = INVALID,
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.error: dict[str, Any] = {"message": message, "type": kind, "param": param, "code": code}

    @property
    def body(self) -> dict[str, Any]:
        """The answer's body."""
        return {"error": self.error}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> Refusal:
    """A request that cannot be worked on."""
    return Refusal(HTTPStatus.BAD_REQUEST, message, param=param, code=code)


def missing(param: str) -> Refusal:
    """A required parameter is not there."""
    return invalid(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def bad_key(key: str) -> Refusal:
    """With a part of the key, as the real one shows it: enough to be kept out of logs."""
    shown = f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}" if len(key) > 12 else "*" * len(key)
    text = f"Incorrect API key provided: {shown}. You can find your API key at https://platform.openai.com/account/api-keys."
    return Refusal(HTTPStatus.UNAUTHORIZED, text, code="invalid_api_key")


def forbidden() -> Refusal:
    """The key may not do this."""
    text = "You have insufficient permissions for this operation. Missing scopes: model.request."
    return Refusal(HTTPStatus.FORBIDDEN, text, code="missing_scope")


def unknown_model(model: str) -> Refusal:
    """No such model, or not for this account: the vendor does not say which."""
    text = f"The model `{model}` does not exist or you do not have access to it."
    return Refusal(HTTPStatus.NOT_FOUND, text, code="model_not_found")


def out_of_quota() -> Refusal:
    """No money left. The status is that of a rate limit."""
    text = (
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
    )
    return Refusal(HTTPStatus.TOO_MANY_REQUESTS, text, kind="insufficient_quota", code="insufficient_quota")


def rate_limited(model: str, what: str, limit: int, wait_s: float, headers: dict[str, str]) -> Refusal:
    """Too many requests or tokens in a minute; `what` is one of the two."""
    unit = "requests per min (RPM)" if what == "requests" else "tokens per min (TPM)"
    text = (
        f"Rate limit reached for {model} in organization org-standin on {unit}: Limit {limit}, Used {limit}, "
        f"Requested 1. Please try again in {wait_s:g}s. Visit https://platform.openai.com/account/rate-limits to "
        "learn more."
    )
    return Refusal(HTTPStatus.TOO_MANY_REQUESTS, text, kind=what, code="rate_limit_exceeded", headers=headers)


def too_large(model: str, limit: int, asked: int) -> Refusal:
    """One request above the minute's tokens: a 429 that no waiting helps."""
    text = (
        f"Request too large for {model} in organization org-standin on tokens per min (TPM): Limit {limit}, "
        f"Requested {asked}. The input or output tokens must be reduced in order to run successfully. Visit "
        "https://platform.openai.com/account/rate-limits to learn more."
    )
    return Refusal(HTTPStatus.TOO_MANY_REQUESTS, text, kind="tokens", code="rate_limit_exceeded")


def server_error(status: int = HTTPStatus.INTERNAL_SERVER_ERROR, headers: dict[str, str] | None = None) -> Refusal:
    """The vendor's own fault."""
    text = (
        "The server had an error while processing your request. Sorry about that!"
        if status == HTTPStatus.INTERNAL_SERVER_ERROR
        else "The engine is currently overloaded, please try again later."
    )
    return Refusal(status, text, kind="server_error", headers=headers)


def bad_image() -> Refusal:
    """Bytes that are no picture of a known type."""
    text = "The image data you provided does not represent a valid image. Please check your input and try again."
    return invalid(text, param="input", code="invalid_image_format")


def bad_schema(name: str, problem: str) -> Refusal:
    """A schema that strict mode refuses."""
    text = f"Invalid schema for response_format '{name}': {problem}"
    return invalid(text, param="text.format.schema", code="invalid_json_schema")
