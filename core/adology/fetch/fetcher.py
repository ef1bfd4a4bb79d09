"""The fetcher: one guarded download at a time, many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import aiohttp
from aiohttp.abc import AbstractResolver

from adology.errors import FetchRefusedError, Terminal
from adology.fetch.answers import REDIRECTS, TRANSPORT_FAULTS, error_of, too_slow, transport_error
from adology.fetch.files import copy_file, is_file_url
from adology.fetch.guard import guarded_connector
from adology.fetch.scratch import Incoming, Received, Scratch, check_size
from adology.fetch.targets import Target, check_target, next_target, origin_of, shown
from adology.log import external_call
from adology.settings.model import FetchSettings
from adology.types import Struct

CONNECT_S = 10.0
_HEADERS = {
    "User-Agent": "adology/0.1",
    "Accept": "*/*",
    # Media are compressed already. A server that compresses all the same gets its bytes judged
    # as they are: nothing is ever unpacked here, so there is no bomb to unpack.
    "Accept-Encoding": "identity",
}


class Fetched(Struct, frozen=True, kw_only=True):
    """A downloaded creative in the scratch folder; the file is the caller's to remove.

    `content_type`, `kind` and `extension` are what the bytes are; `reported_type` is what the
    server called them. `final_url` is where the last redirect led, query included.
    """

    path: Path
    sha256: str
    size_bytes: int
    content_type: str
    kind: Literal["image", "video"]
    extension: str
    final_url: str
    reported_type: str


class Fetcher:
    """Downloads media that strangers' addresses name. One per process; use `async with`.

    `resolver` replaces the system's name resolution; its answers are vetted all the same.
    """

    def __init__(self, settings: FetchSettings, *, resolver: AbstractResolver | None = None) -> None:
        self._settings = settings
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections. May be called twice."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, url: str, *, folder: Path, file_roots: Sequence[str] = ()) -> Fetched:
        """The media file at `url`, complete, in `folder` (which exists).

        On any error, and on cancellation, nothing is left in `folder`.

        Args:
            url: http, https, or file.
            folder: where to put the file.
            file_roots: folders that `file:` URLs may read besides those in the settings.

        Raises:
            FetchRefusedError: the guard refuses the address, a redirect or the size.
            MediaExpiredError: 403, 404, 410, or no such file.
            MediaUnusableError: the bytes are no image or video, or there are none.
            RetryLater: 429, with the server's pause.
            Retry: 5xx, time-outs, broken or truncated transfers, a full scratch folder.
            Terminal: any other status.
        """
        where = shown(url)
        limits = self._settings
        scratch = Scratch(folder, max_bytes=limits.max_bytes, where=where)
        try:
            async with asyncio.timeout(limits.timeout_s):
                if is_file_url(url):
                    return await self._fetch_file(url, scratch, file_roots)
                return await self._fetch_http(url, scratch)
        except TimeoutError:
            scratch.discard()
            raise too_slow(where, limits.timeout_s) from None
        except BaseException:
            scratch.discard()
            raise

    async def _fetch_file(self, url: str, scratch: Scratch, file_roots: Sequence[str]) -> Fetched:
        roots = (*self._settings.file_roots, *file_roots)
        async with external_call("fetch", "read", path=shown(url)) as call:
            received = await asyncio.to_thread(copy_file, url, roots, scratch, max_bytes=self._settings.max_bytes)
            call.fields.update(bytes=received.size_bytes)
        return _fetched(received, url, "")

    async def _fetch_http(self, url: str, scratch: Scratch) -> Fetched:
        target = check_target(url, self._settings)
        for _ in range(self._settings.max_redirects + 1):
            moved_to = await self._request(target, scratch)
            if isinstance(moved_to, Fetched):
                return moved_to
            target = moved_to
        raise FetchRefusedError(
            f"refused to fetch {shown(url)}: more than {self._settings.max_redirects} redirects.",
            hint="See the setting fetch.max_redirects.",
        )

    async def _request(self, target: Target, scratch: Scratch) -> Fetched | Target:
        """One request: the file, or where it has moved to."""
        async with external_call("fetch", "GET", host=origin_of(target.host, target.port)) as call:
            try:
                # Redirects are ours to follow: each address must be vetted.
                async with self._pool().get(target.url, allow_redirects=False) as response:
                    call.fields.update(status=response.status)
                    answer = await self._read(response, target, scratch)
            except TRANSPORT_FAULTS as error:
                raise transport_error(error, shown(str(target.url)), idle_s=self._settings.idle_s) from None
            if isinstance(answer, Fetched):
                call.fields.update(bytes=answer.size_bytes)
            return answer

    async def _read(self, response: aiohttp.ClientResponse, target: Target, scratch: Scratch) -> Fetched | Target:
        where = shown(str(target.url))
        if response.status in REDIRECTS:
            location = response.headers.get("Location")
            if not location:
                raise Terminal(f"{where} answered {response.status} without a Location.", code="ADO-5103")
            return next_target(target, location, self._settings)
        error = error_of(response.status, response.headers, where)
        if error is not None:
            raise error
        received = await self._receive(response, scratch, where)
        return _fetched(received, str(target.url), response.headers.get("Content-Type", "")[:200])

    async def _receive(self, response: aiohttp.ClientResponse, scratch: Scratch, where: str) -> Received:
        limit = self._settings.max_bytes
        check_size(response.content_length or 0, limit, where)
        incoming = Incoming(scratch, max_bytes=limit, where=where)
        async for chunk in response.content.iter_any():
            await incoming.add(chunk)
        return await incoming.finish()

    def _pool(self) -> aiohttp.ClientSession:
        """Shared by all fetches: a CDN's connections are kept alive. See `guard` for why that is safe."""
        if self._session is None:
            settings = self._settings
            self._session = aiohttp.ClientSession(
                connector=guarded_connector(self._resolver or aiohttp.ThreadedResolver(), settings),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=min(CONNECT_S, settings.timeout_s), sock_read=settings.idle_s
                ),
                headers=_HEADERS,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


def _fetched(received: Received, final_url: str, reported_type: str) -> Fetched:
    found = received.sniffed
    return Fetched(
        path=received.path,
        sha256=received.sha256,
        size_bytes=received.size_bytes,
        content_type=found.content_type,
        kind="image" if found.kind == "image" else "video",
        extension=found.extension,
        final_url=final_url,
        reported_type=reported_type,
    )
