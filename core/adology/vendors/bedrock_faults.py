"""What Bedrock's and botocore's errors mean."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import aiohttp

from adology.context import Context
from adology.errors import AdologyError, ConfigError, Deferred, Retry, RetryLater, Terminal
from adology.vendors.calls import excerpt, setting_key
from adology.vendors.errors import AnswerLostError
from adology.vendors.headers import retry_after_s
from adology.vendors.lanes import QUOTA_PAUSE_S

THROTTLE_PAUSE_S = 5.0
WARM_UP_PAUSE_S = 30.0
"""For a model that is not loaded yet."""
LONGEST_PAUSE_S = 3600.0

_CREDENTIALS = frozenset(
    {"UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "ExpiredToken"}
    | {"MissingAuthenticationTokenException", "IncompleteSignatureException", "InvalidClientTokenId"}
)
_THROTTLED = frozenset({"ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"})
_PASSING = frozenset({"ModelTimeoutException", "ModelErrorException", "ServiceUnavailableException"})
_NOT_CONFIGURED = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "NoRegionError"}
    | {"ProfileNotFound", "TokenRetrievalError", "UnauthorizedSSOTokenError", "SSOTokenLoadError"}
)
_NEVER_SENT = frozenset({"ConnectTimeoutError", "ProxyConnectionError", "SSLError", *_NOT_CONFIGURED})


def error_of(ctx: Context[Any], response: dict[str, Any], model: str) -> AdologyError:
    """What the engine is to do about a `ClientError`'s response."""
    told = response.get("Error", {})
    meta = response.get("ResponseMetadata", {})
    name, status = str(told.get("Code", "")), int(meta.get("HTTPStatusCode", 0))
    message = excerpt(str(told.get("Message", "")))
    said = f"bedrock: {model} answered {status} {name}"
    quoted = f"{said}: {message!r}"
    if name in _CREDENTIALS:
        # A signature's error repeats what was signed: it is not quoted.
        hint = "Check the credentials, their expiry and this machine's clock."
        return ConfigError(
            setting_key(ctx, "bedrock_access_key_id"), f"AWS refuses the credentials ({name})", hint, code="ADO-3208"
        )
    if name == "AccessDeniedException" or status == HTTPStatus.FORBIDDEN:
        hint = "Grant bedrock:InvokeModel to the role, and request access to the model in the console."
        return ConfigError(setting_key(ctx, "model"), f"AWS denies access to {model} ({name})", hint, code="ADO-3208")
    if name == "ResourceNotFoundException" or (
        name == "ValidationException" and "model identifier is invalid" in message
    ):
        hint = "Not every region has every model: check bedrock_region."
        return ConfigError(setting_key(ctx, "model"), f"Bedrock has no model {model!r} here", hint, code="ADO-3209")
    if name == "ServiceQuotaExceededException":
        hint = "Raise the quota in the Service Quotas console; it is tried again in an hour."
        return Deferred(f"{said}: the account's quota is used up", after=QUOTA_PAUSE_S, hint=hint, code="ADO-3207")
    asked_s = retry_after_s(meta.get("HTTPHeaders", {}))
    if name in _THROTTLED or name == "ModelNotReadyException" or status == HTTPStatus.TOO_MANY_REQUESTS:
        usual_s = WARM_UP_PAUSE_S if name == "ModelNotReadyException" else THROTTLE_PAUSE_S
        return RetryLater(min(LONGEST_PAUSE_S, asked_s or usual_s), quoted, code="ADO-3206")
    if name in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Retry(quoted, after=asked_s, code="ADO-3205")
    return Terminal(quoted, code="ADO-3204")


def error_of_connection(ctx: Context[Any], error: Exception, model: str) -> AdologyError | AnswerLostError:
    """What a fault on the way means: a request that never left costs nothing, another may."""
    name = type(error).__name__
    if name in _NOT_CONFIGURED:
        hint = "Set both keys in the analyzer's settings, or give the process a role."
        return ConfigError(
            setting_key(ctx, "bedrock_access_key_id"), f"there are no AWS credentials ({name})", hint, code="ADO-3208"
        )
    said = Retry(f"bedrock: no answer about {model} ({name})", code="ADO-3205")
    # aiobotocore calls a reset "could not connect" as well; only aiohttp's own error tells them apart.
    cause = getattr(error, "kwargs", {}).get("error")
    if name in _NEVER_SENT or isinstance(cause, aiohttp.ClientConnectorError):
        return said
    return AnswerLostError(said)
