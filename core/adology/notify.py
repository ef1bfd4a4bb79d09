"""Tells the server what a worker did, for workers that do not write into its database.

::

    async with Notifier("https://ads.example", "env:ADOLOGY_KEY") as server:
        await server.task(request_id, "processing", progress={"phase": "gather"})
        await server.task(request_id, "completed", result={"ads": 40})
        await server.new_ads("nike", "batch-7", 12)

The workers of this package need none of it: what they commit stands in PostgreSQL, and the server
tells it from there. The same from a shell: `adology notify`.
"""

from __future__ import annotations

import asyncio
import random
from http import HTTPStatus
from typing import Any, Final, Literal, Self

import aiohttp
import msgspec

from adology.errors import ConfigError, EngineError, UnavailableError, describe
from adology.log import REDACTOR, external_call
from adology.settings import resolve_secret
from adology.settings.model import AdologySettings

Status = Literal["processing", "completed", "failed"]
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0
TRY_S: Final = 10.0
"""For one answer."""
EXCERPT = 300
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})


class NotifyUnavailableError(UnavailableError):
    """The server did not take a notice in time. It may be said again: said twice, it counts once."""

    code = "ADO-5935"


class NotifyRefusedError(EngineError):
    """The server does not take a notice, and will not: no such task, another state, a bad key."""

    code = "ADO-5936"


class Notifier:
    """Posts notices of a worker. Use `async with`; one per process is enough.

    Args:
        url: the server's address (`server.notify_url`), without a path.
        key: the service key, or a reference to it such as ``env:NAME`` (`server.notify_key`).
        within_s: after so long with all tries a notice is given up, seconds.

    Raises:
        ConfigError: address or key is missing.
    """

    def __init__(self, url: str, key: str, *, within_s: float = 60.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError("server.notify_url", f"{url!r} is no http:// or https:// address", "Name the server's.")
        if not key:
            raise ConfigError("server.notify_key", "is not set", "`adology operator service-key workers` makes one.")
        self._url = url.rstrip("/")
        self._key = resolve_secret(key, setting="server.notify_key")
        self._within_s = within_s
        self._http: aiohttp.ClientSession | None = None

    @classmethod
    def of(cls, settings: AdologySettings) -> Self:
        """By `server.notify_url` and `server.notify_key`.

        Raises:
            ConfigError: one of them is missing.
        """
        return cls(settings.server.notify_url, settings.server.notify_key)

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TRY_S))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()

    async def task(
        self,
        request_id: str,
        status: Status,
        *,
        result: Any = None,
        error: str | None = None,
        progress: dict[str, Any] | None = None,
    ) -> None:
        """Say how a task stands; result and progress have at most 32 KiB of JSON each.

        Raises:
            NotifyRefusedError: no such task, or it has ended otherwise.
            NotifyUnavailableError: the server did not answer in time.
        """
        more = {"result": result, "error": error, "progress": progress}
        body = {"request_id": request_id, "status": status}
        await self._post("/notify", body | {name: value for name, value in more.items() if value is not None})

    async def new_ads(self, brand: str, batch: str, ads: int) -> None:
        """Say that a batch brought so many new public ads of a brand; each batch is told once.

        Raises:
            NotifyRefusedError: no such brand, or no ads.
            NotifyUnavailableError: the server did not answer in time.
        """
        await self._post("/notify/new-ads", {"brand": brand, "batch": batch, "ads": ads})

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        data, pause_s, why = msgspec.json.encode(body), FIRST_PAUSE_S, "no answer"
        try:
            async with asyncio.timeout(self._within_s):
                while True:
                    try:
                        if (asked := await self._once(path, data)) is None:
                            return
                        why, least_s = asked
                    except (aiohttp.ClientError, OSError) as error:
                        why, least_s = describe(error), 0.0
                    await asyncio.sleep(max(least_s, pause_s * random.uniform(0.5, 1.0)))  # noqa: S311 - spreads retries
                    pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
        except TimeoutError:
            raise NotifyUnavailableError(
                f"{self._url}{path} did not take a notice within {self._within_s:g} s: {why}",
                hint="Is server.notify_url its address? The notice may be sent again.",
            ) from None

    async def _once(self, path: str, data: bytes) -> tuple[str, float] | None:
        """None: it is taken. Otherwise why it was not, and how long the server asks to wait."""
        if self._http is None:
            raise RuntimeError("use it with `async with`")
        headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        async with (
            external_call("server", "notify") as call,
            self._http.post(self._url + path, data=data, headers=headers, allow_redirects=False) as response,
        ):
            call.fields["status"] = response.status
            if response.status == HTTPStatus.NO_CONTENT:
                return None
            said = REDACTOR.redact((await response.content.read(4 * EXCERPT)).decode("utf-8", "replace"))[:EXCERPT]
            if response.status not in _AGAIN:
                raise NotifyRefusedError(
                    f"{self._url}{path} answered {response.status}: {said}",
                    hint="Expected 204: look at request_id or brand, at server.notify_url and server.notify_key.",
                )
            after = response.headers.get("retry-after", "")
            return f"{response.status} {said}", float(after) if after.isdecimal() else 0.0
