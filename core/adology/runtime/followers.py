"""The process of sinks that keep something in step with what is committed."""

from __future__ import annotations

import asyncio
import contextlib
import time

from adology.engine.sinks import ReadySink, ready_sinks
from adology.errors import describe
from adology.log import logger
from adology.plugins import Plugins, load_plugins
from adology.settings import AdologySettings

FIRST_PAUSE_S = 1.0
LAST_PAUSE_S = 60.0


async def run_followers(settings: AdologySettings, stop: asyncio.Event, *, plugins: Plugins | None = None) -> None:
    """Let every follower follow until `stop` is set; one that fails is started again, later each time.

    Raises:
        ConfigError: a sink's settings are wrong.
    """
    own = settings.plugins
    loaded = plugins or load_plugins(only=own.only, without=own.without, strict=own.strict, trace=own.trace)
    followers = [p for p in loaded.of_kind("sink") if p.cls.role == "follower"]
    ready = ready_sinks(followers, settings)
    logger.bind(sinks=[sink.name for sink in ready]).info("followers ready")
    async with asyncio.TaskGroup() as group:
        for sink in ready:
            group.create_task(_keep_following(sink, stop), name=sink.name)
        await stop.wait()
    logger.info("followers stopped")


async def _keep_following(ready: ReadySink, stop: asyncio.Event) -> None:
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        started = time.monotonic()
        try:
            await _follow(ready, stop)
        except Exception as error:  # noqa: BLE001 - the others go on; a store may come back
            if time.monotonic() - started > LAST_PAUSE_S:
                pause_s = FIRST_PAUSE_S  # it worked for a while: this is another fault
            logger.bind(sink=ready.name, error=describe(error), pause_s=pause_s).opt(exception=True).error(
                "follower failed; starting it again"
            )
        else:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause_s)
        pause_s = min(LAST_PAUSE_S, pause_s * 2)


async def _follow(ready: ReadySink, stop: asyncio.Event) -> None:
    try:
        await ready.sink.open(ready.context)
        await ready.sink.follow(ready.context, stop)
    finally:
        await ready.sink.close()
