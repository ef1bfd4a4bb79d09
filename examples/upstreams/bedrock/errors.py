"""Bedrock's errors: a status, the header ``x-amzn-ErrorType`` and ``{"message": …}``."""

from __future__ import annotations

from typing import Any

STATUSES = {
    "ThrottlingException": 429,
    "ModelNotReadyException": 429,
    "ServiceUnavailableException": 503,
    "InternalServerException": 500,
    "ModelTimeoutException": 408,
    "ModelErrorException": 424,
    "ValidationException": 400,
    "ServiceQuotaExceededException": 400,
    "AccessDeniedException": 403,
    "UnrecognizedClientException": 403,
    "ExpiredTokenException": 403,
    "ResourceNotFoundException": 404,
}
"""Name → status, from the service model."""

FAULTS = {
    "throttling": ("ThrottlingException", "Too many requests, please wait before trying again."),
    "not_ready": ("ModelNotReadyException", "The model is not ready to serve inference requests."),
    "unavailable": ("ServiceUnavailableException", "Bedrock is unable to process your request."),
    "internal": ("InternalServerException", "The system encountered an unexpected error during processing. Try again."),
    "model_timeout": ("ModelTimeoutException", "Model has timed out in processing the request."),
    "model_error": ("ModelErrorException", "The system encountered an unexpected error during processing."),
    "validation": ("ValidationException", "Malformed input request, please reformat your input and try again."),
    "invalid_model": ("ValidationException", "The provided model identifier is invalid."),
    "quota": ("ServiceQuotaExceededException", "Your account has reached its quota for this model."),
    "access_denied": ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    "bad_key": ("UnrecognizedClientException", "The security token included in the request is invalid."),
    "expired": ("ExpiredTokenException", "The security token included in the request is expired"),
    "not_found": ("ResourceNotFoundException", "Could not resolve the foundation model from the model identifier."),
}
"""Faults that are answers by themselves; a fault's `detail` replaces the text."""


class Refusal(Exception):  # noqa: N818 - an answer, not a fault of ours
    """Ends a request with the error of that name."""

    def __init__(self, name: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.name = name
        self.status = STATUSES[name]
        self.body: dict[str, Any] = {"message": message, **fields}


def invalid(message: str) -> Refusal:
    """A request that cannot be worked on."""
    return Refusal("ValidationException", message)


def of_fault(kind: str, detail: str) -> Refusal:
    """The error that a fault stands for."""
    name, text = FAULTS[kind]
    extra = {"originalStatusCode": 500, "resourceName": "model"} if name == "ModelErrorException" else {}
    return Refusal(name, detail or text, **extra)
