"""The HTTP client that `Context` gives to sources."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Generic, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from adology.errors import Retry, RetryLater, Terminal, describe
from adology.http.pacing import Pacer
from adology.log import REDACTOR, external_call, logger

T = TypeVar("T")

MAX_ANSWER_BYTES = 64 * 1024 * 1024
RETRY_STATUS = frozenset({408, 500, 502, 503, 504})
ATTEMPTS = 3
EXCERPT = 300
LONGEST_PAUSE_S = 8.0
"""Between attempts. A vendor that asks for longer gets no further attempt: the caller decides."""
MAX_RETRY_AFTER_S = 86400.0

_NO_ADDRESS = (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)
_USER = re.compile(r"^([a-z]+://)[^/]*@", re.IGNORECASE)


class Answer(Generic[T]):
    """A vendor's answer: status, headers (case-insensitive) and the body as bytes."""

    __slots__ = ("body", "headers", "status", "url")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, url: str) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.url = url

    def decode(self, kind: type[T]) -> T:
        """The JSON body as `kind`.

        Raises:
            Retry: the body is not JSON of that shape (an HTML page, say); shows its beginning.
        """
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Retry(
                f"{self.url} answered {self.status} with a body that is not the expected JSON "
                f"({error}): {self.excerpt()!r}",
                code="ADO-2003",
            ) from error

    def find_json(self) -> Any:
        """The body as plain data; None when it is no JSON (an HTML page, a cut-off body)."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError):
            return None

    def excerpt(self) -> str:
        """The beginning of the body as text, secrets masked."""
        # Redacted before it is cut: half a secret would not be recognised.
        return REDACTOR.redact(self.body[: 4 * EXCERPT].decode("utf-8", "replace"))[:EXCERPT]

    def retry_after_s(self) -> float | None:
        """Seconds from the ``Retry-After`` header (number or date), a day at most; None without one."""
        value = self.headers.get("Retry-After", "").strip()
        if not value:
            return None
        if value.isascii() and value.replace(".", "", 1).isdigit():
            return min(MAX_RETRY_AFTER_S, float(value))
        try:
            until = parsedate_to_datetime(value)
        except (TypeError, ValueError, OverflowError):  # no date, or one beyond the calendar
            return None
        # "-0000" and a missing zone both mean UTC here, and give a naive time.
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return min(MAX_RETRY_AFTER_S, max(0.0, (until - datetime.now(UTC)).total_seconds()))


class HttpClient:
    """One connection pool per process. Use `async with`, or `close` it."""

    def __init__(self, *, timeout_s: float = 60.0, user_agent: str = "adology/0.1") -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=10.0)
        self._headers = {"User-Agent": user_agent}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the pool. May be called twice."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        service: str,
        pacer: Pacer,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        retry_status: frozenset[int] = RETRY_STATUS,
    ) -> Answer[Any]:
        """The answer, whatever its status.

        GET and HEAD are tried up to three times on connection faults and on `retry_status`, unless
        the answer asks for a long pause; other methods once. Redirects are not followed: an API
        that moves is a changed setting, and following would carry credentials to another host.

        Raises:
            Retry: no answer after the attempts.
            RetryLater: the credential is paused for long.
            Terminal: `url` is no address, a header cannot be sent, or the answer is too large.
        """
        attempts = ATTEMPTS if method in {"GET", "HEAD"} else 1
        for attempt in range(1, attempts + 1):
            await pacer.wait()
            last = attempt == attempts
            asked = 0.0
            try:
                answer = await self._once(method, url, service=service, params=params, headers=headers, body=body)
            except (ValueError, *_NO_ADDRESS) as error:
                # No attempt can help: an address without host, a token with a line break in it.
                why = "it is no http(s) address" if isinstance(error, _NO_ADDRESS) else describe(error)
                raise Terminal(
                    f"{service}: {_shown(url)} cannot be asked: {REDACTOR.redact(why)}", code="ADO-2005"
                ) from None
            except (aiohttp.ClientError, OSError) as error:
                if last:
                    raise Retry(
                        f"{service}: no answer from {_shown(url)} after {attempts} attempt{'s' * (attempts > 1)} "
                        f"({REDACTOR.redact(describe(error))})",
                        code="ADO-2002",
                    ) from None
                reason = type(error).__name__
            else:
                asked = answer.retry_after_s() or 0.0
                if last or answer.status not in retry_status or asked > LONGEST_PAUSE_S:
                    return answer
                reason = f"status {answer.status}"
            pause = max(asked, 0.5 * 2**attempt) * (1.0 + random.random() / 2)  # noqa: S311 - jitter
            logger.bind(service=service, attempt=attempt, reason=reason, pause_s=round(pause, 2)).info("retry")
            await asyncio.sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _once(
        self,
        method: str,
        url: str,
        *,
        service: str,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        body: bytes | None,
    ) -> Answer[Any]:
        async with (
            external_call(service, f"{method} {urlsplit(url).path}") as call,
            self._pool().request(
                method,
                url,
                params={k: str(v) for k, v in (params or {}).items() if v is not None},
                headers=headers,
                data=body,
                allow_redirects=False,
            ) as response,
        ):
            data = await _read_bounded(response)
            call.fields.update(status=response.status, bytes=len(data))
            return Answer(response.status, response.headers, data, _shown(url))

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, headers=self._headers, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(1 << 16):
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            raise Terminal(f"{_shown(str(response.url))} answered more than {MAX_ANSWER_BYTES} bytes", code="ADO-2004")
        chunks.append(chunk)
    return b"".join(chunks)


def check_status(answer: Answer[Any], service: str) -> None:
    """Raise what a plain REST status means: 429 RetryLater, 408 and 5xx Retry, 3xx and other 4xx Terminal."""
    if answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return
    text = f"{service}: {answer.url} answered {answer.status}: {answer.excerpt()!r}"
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RetryLater(answer.retry_after_s() or 60.0, text)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status == HTTPStatus.REQUEST_TIMEOUT:
        raise Retry(text, after=answer.retry_after_s(), code="ADO-2002")
    raise Terminal(text, code="ADO-2005")


def _shown(url: str) -> str:
    """An address without its query and its user, which may be secret."""
    return REDACTOR.redact(_USER.sub(r"\1", url.partition("?")[0]))
