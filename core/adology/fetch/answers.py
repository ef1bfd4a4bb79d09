"""What a media server's answer means, before its body is read."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from adology.errors import AdologyError, MediaExpiredError, Retry, RetryLater, Terminal
from adology.http.client import Answer

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PASSING = "ADO-5104"
"""Code of faults of the network or the server that may be over the next time."""
TRANSPORT_FAULTS = (aiohttp.ClientError, HttpProcessingError, OSError)
"""What a broken transfer raises; time-outs are OSErrors."""

_BODY = frozenset({200, 203})
_EMPTY = frozenset({204, 205})
_EXPIRED = frozenset({403, 404, 410})
_PASSING = frozenset({408, 425})
_SLOW_DOWN = 429
_SERVER_FAULT = 500
_LONGEST_PAUSE_S = 3600.0
"""More than this is not believed: an hour later one can ask again."""


def error_of(status: int, headers: Mapping[str, str], where: str) -> AdologyError | None:
    """The error that `status` stands for; None when a body is to be read (it may be empty)."""
    if status in _BODY or status in _EMPTY:
        return None
    text = f"{where} answered {status}."
    if status in _EXPIRED:
        return MediaExpiredError(text, hint="Media addresses expire; the next gathering brings a fresh one.")
    after = Answer[None](status, headers, b"", where).retry_after_s()
    after = None if after is None else min(after, _LONGEST_PAUSE_S)
    if status == _SLOW_DOWN:
        return RetryLater(60.0 if after is None else after, text)
    if status >= _SERVER_FAULT or status in _PASSING:
        return Retry(text, after=after, code=PASSING)
    return Terminal(text, code="ADO-5103")


def too_slow(where: str, timeout_s: float) -> Retry:
    """The whole transfer passed its time limit."""
    return Retry(f"{where} could not be fetched: it took longer than {timeout_s:g} s.", code=PASSING)


def transport_error(error: Exception, where: str, *, idle_s: float) -> Retry:
    """What became of a transfer that broke.

    The libraries' own texts are not passed on: some hold the whole URL with its signature.
    """
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        why = "no connection in time"
    elif isinstance(error, TimeoutError):
        why = f"no bytes came for {idle_s:g} s"
    elif isinstance(error, aiohttp.ClientPayloadError):
        why = "the body ended before its announced length"
    elif isinstance(error, aiohttp.ClientConnectorDNSError):
        why = "its name could not be resolved"
    elif isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = "its certificate is not valid"
    else:
        why = f"the connection failed ({_name(error)})"
    return Retry(f"{where} could not be fetched: {why}.", code=PASSING)


def _name(error: Exception) -> str:
    inner = getattr(error, "os_error", error)
    detail = inner.strerror if isinstance(inner, OSError) else None
    return f"{type(error).__name__}: {detail}" if detail else type(error).__name__
