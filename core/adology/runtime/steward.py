"""The steward process: a round every few seconds, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib

from adology.errors import AdologyError, describe
from adology.log import logger
from adology.plugins import Plugins
from adology.runtime.engine import open_engine
from adology.settings import AdologySettings


async def run_steward(settings: AdologySettings, stop: asyncio.Event, *, plugins: Plugins | None = None) -> None:
    """Repair rounds until `stop` is set. Several stewards may run: one works, the others wait."""
    async with open_engine(settings, plugins=plugins) as engine:
        steward = engine.make_steward()
        logger.bind(interval_s=settings.steward.interval_s).info("steward ready")
        while not stop.is_set():
            try:
                await steward.run_round()
            except AdologyError as error:
                logger.bind(error=describe(error)).warning("steward round failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), settings.steward.interval_s)
    logger.info("steward stopped")
