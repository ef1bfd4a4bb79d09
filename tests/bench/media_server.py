"""Serves creatives from memory in a process of its own: ``python -m tests.bench.media_server FILE…``.

``/{tag}/{n}`` is the n-th file (they repeat) with a trailer that makes its bytes unique;
``/film/{size}`` is an MP4 of that many bytes.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import uvloop
from aiohttp import web

from tests.bench.media_files import film_head

TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
CHUNK = 256 * 1024


class Media:
    """The files, in memory."""

    def __init__(self, paths: list[Path]) -> None:
        self._files = [(path.read_bytes(), TYPES[path.suffix]) for path in paths]

    async def picture(self, request: web.Request) -> web.Response:
        """One creative."""
        number = int(request.match_info["number"])
        data, kind = self._files[number % len(self._files)]
        return web.Response(body=data + f"{request.match_info['tag']}-{number}".encode(), content_type=kind)

    async def film(self, request: web.Request) -> web.StreamResponse:
        """A large film, sent piece by piece."""
        left = int(request.match_info["size"])
        with tempfile.TemporaryDirectory() as folder:
            head = film_head(Path(folder) / "film.mp4", left)
        response = web.StreamResponse(headers={"Content-Type": "video/mp4", "Content-Length": str(left)})
        await response.prepare(request)
        await response.write(head)
        left -= len(head)
        while left:
            size = min(left, CHUNK)
            await response.write(bytes(size))
            left -= size
        return response


async def serve(paths: list[Path]) -> None:
    """Until killed; says its address."""
    media = Media(paths)
    app = web.Application()
    app.add_routes([web.get("/film/{size}", media.film), web.get(r"/{tag}/{number}", media.picture)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"origin 127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve([Path(argument) for argument in sys.argv[1:]]))
