"""``python -m demo.vendors``: the stand-in vendors of the demo, in one process, until SIGTERM.

As ``python -m upstreams``, and like the vendors outside in two more ways: no two addresses that are
handed out are alike, whichever ad and whichever vendor they are for, so that only its bytes tell
that a creative is a known one; and some things go wrong (see `demo.troubles`).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from demo.troubles import FAULTS, Trouble, read_troubles
from upstreams.faults import Fault
from upstreams.media import MediaServer
from upstreams.meta import MetaServer
from upstreams.serpapi import SerpApiServer
from upstreams.world import MEDIA_FOLDER, load_world

HOST = "127.0.0.1"
TTL_S = 3600.0


class DemoMedia(MediaServer):
    """The media server with its troubles."""

    def __init__(self, folder: Path, troubles: list[Trouble]) -> None:
        super().__init__(folder, ttl_s=TTL_S)
        self._numbers = itertools.count()
        self._too_late = {trouble.file for trouble in troubles if trouble.kind == "expired"}
        for trouble in troubles:
            if trouble.kind in FAULTS:
                kind, times = FAULTS[trouble.kind]
                self.faults.add(Fault(kind=kind, path=trouble.path, times=times))

    def url_for(self, file: str, *, ttl_s: float | None = None) -> str:
        """An address unlike any before; the first one of some files has expired when it is handed out."""
        if file in self._too_late:
            self._too_late.remove(file)
            return super().url_for(file, ttl_s=-1.0)
        # The expiry is in whole seconds, so that two of one second would be the same.
        return super().url_for(file, ttl_s=(self.ttl_s if ttl_s is None else ttl_s) + next(self._numbers))


async def serve(args: argparse.Namespace) -> None:
    """Serve until told to stop."""
    world = load_world(args.world)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    async with AsyncExitStack() as stack:
        media = DemoMedia(args.world / MEDIA_FOLDER, read_troubles(args.troubles))
        meta = MetaServer(world, media.url_for)
        serpapi = SerpApiServer(world, media.url_for)
        # SerpApi's comes last: when it answers, all do.
        for server, port in ((media, args.media_port), (meta, args.meta_port), (serpapi, args.serpapi_port)):
            stack.push_async_callback(server.stop)
            await server.start(HOST, port)
        await stop.wait()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.vendors", description="Run the demo's stand-in vendors.")
    parser.add_argument("--world", type=Path, required=True, help="folder with world.json and media/")
    parser.add_argument("--troubles", type=Path, required=True, help="file that demo.troubles wrote")
    for name in ("media", "meta", "serpapi"):
        parser.add_argument(f"--{name}-port", type=int, required=True, help="port to listen on")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
