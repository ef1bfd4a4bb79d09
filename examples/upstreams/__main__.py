"""Runs the stand-in vendors over one world in one process, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from upstreams.media import MediaServer
from upstreams.meta import MetaRules, MetaServer
from upstreams.world import MEDIA_FOLDER, load_world


async def serve(args: argparse.Namespace) -> None:
    """Start the servers, say where they are, stop when told."""
    from upstreams.bedrock import BedrockServer  # noqa: PLC0415 - needed to serve only
    from upstreams.openai import OpenAiServer  # noqa: PLC0415 - as above
    from upstreams.serpapi import SerpApiServer  # noqa: PLC0415 - as above

    world = load_world(args.world)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        media = MediaServer(args.world / MEDIA_FOLDER, ttl_s=args.media_ttl)
        await media.start(args.host, args.media_port)
        stack.push_async_callback(media.stop)
        meta = MetaServer(world, media.url_for, rules=MetaRules(calls_per_hour=args.meta_calls_per_hour))
        await meta.start(args.host, args.meta_port)
        stack.push_async_callback(meta.stop)
        serpapi = SerpApiServer(world, media.url_for)
        await serpapi.start(args.host, args.serpapi_port)
        stack.push_async_callback(serpapi.stop)
        openai, bedrock = OpenAiServer(), BedrockServer()
        await openai.start(args.host, args.openai_port)
        stack.push_async_callback(openai.stop)
        await bedrock.start(args.host, args.bedrock_port)
        stack.push_async_callback(bedrock.stop)
        servers = (media, meta, serpapi, openai, bedrock)
        print(json.dumps({server.name: server.origin for server in servers}), flush=True)
        await stop.wait()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m upstreams", description=__doc__)
    parser.add_argument("--world", type=Path, required=True, help="folder with world.json and media/")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    for name in ("meta", "serpapi", "media", "openai", "bedrock"):
        parser.add_argument(f"--{name}-port", type=int, default=0, help="port, 0 for any free one (default)")
    parser.add_argument("--media-ttl", type=float, default=3600.0, help="life of media addresses, seconds")
    parser.add_argument("--meta-calls-per-hour", type=int, default=200, help="quota of a Meta token")
    args = parser.parse_args()
    asyncio.run(serve(args))


if __name__ == "__main__":
    main()
