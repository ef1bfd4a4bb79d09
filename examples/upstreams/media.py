"""The stand-in CDN: a world's media files at signed addresses that expire.

``/m/<file>?exp=<unix seconds>&sig=<hex>``. A wrong or expired signature answers 403, as the real
CDN's do: resolve the address anew, do not ask again. Ranges are answered (206).
``<video>.preview.jpg`` is a picture of the video, made from its first frame.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import msgspec
from aiohttp import web

from upstreams.faults import Fault
from upstreams.preview import SUFFIX, render_preview
from upstreams.server import Clock, StandIn
from upstreams.wire import FileAnswer

TTL_S = 3600
KEY = b"stand-in media key"


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """Makes and checks signatures of media addresses."""

    key: bytes = KEY

    def sign(self, file: str, expires_at: int) -> str:
        """The signature of `file` until `expires_at` (Unix seconds)."""
        return hmac.new(self.key, f"{file}\n{expires_at}".encode(), hashlib.sha256).hexdigest()[:32]

    def check(self, file: str, expires_at: str, signature: str, now: float) -> str:
        """Why an address is refused; empty when it is good."""
        if not expires_at.isdecimal() or not hmac.compare_digest(self.sign(file, int(expires_at)), signature):
            return "URL signature mismatch"
        return "URL signature expired" if now >= int(expires_at) else ""


class MediaServer(StandIn):
    """Serves the files of `folder` (a world's ``media``), each address for `ttl_s` seconds."""

    name: ClassVar[str] = "media"
    vendor_kinds: ClassVar[frozenset[str]] = frozenset({"expired"})
    """``expired``: 403 although the address is good."""

    def __init__(
        self, folder: Path, *, ttl_s: float = TTL_S, signer: Signer | None = None, clock: Clock = time.time
    ) -> None:
        super().__init__(clock=clock)
        self.folder = folder.resolve()
        self.ttl_s = ttl_s
        self._signer = signer or Signer()
        self._previews: dict[str, bytes] = {}

    def add_routes(self, app: web.Application) -> None:
        """The files."""
        app.router.add_get("/m/{file:.+}", self._get_file)

    def url_for(self, file: str, *, ttl_s: float | None = None) -> str:
        """A fresh address of `file` (relative to the folder). The server must have been started."""
        expires_at = int(self.clock() + (self.ttl_s if ttl_s is None else ttl_s))
        return f"{self.origin}/m/{quote(file)}?exp={expires_at}&sig={self._signer.sign(file, expires_at)}"

    async def vendor_fault(self, request: web.Request, fault: Fault) -> web.StreamResponse:  # noqa: ARG002 - one kind
        """A refusal as of an expired address."""
        return _refuse("URL signature expired")

    async def _get_file(self, request: web.Request) -> web.StreamResponse:
        file = request.match_info["file"]
        query = request.query
        problem = self._signer.check(file, query.get("exp", ""), query.get("sig", ""), self.clock())
        if problem:
            return _refuse(problem)
        path = (self.folder / file).resolve()
        if not path.is_relative_to(self.folder):
            return _missing()
        if path.is_file():
            return FileAnswer(path)
        return await self._preview(file)

    async def _preview(self, file: str) -> web.Response:
        """The preview of a video, if `file` is the name of one."""
        video = self.folder / file.removesuffix(SUFFIX)
        if not file.endswith(SUFFIX) or not video.is_file():
            return _missing()
        if file not in self._previews:
            self._previews[file] = await asyncio.to_thread(render_preview, video)
        return web.Response(body=self._previews[file], content_type="image/jpeg")


def _missing() -> web.Response:
    return web.Response(text="Not Found", status=HTTPStatus.NOT_FOUND)


def _refuse(problem: str) -> web.Response:
    return web.Response(text=problem, status=HTTPStatus.FORBIDDEN)
