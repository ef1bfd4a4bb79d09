"""Notices of the database, heard on a connection of their own that comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import psycopg
from psycopg import AsyncConnection, sql

from adology.log import logger

QUIET_S = 20.0
"""After so long without a notice the connection is asked whether it lives."""
FIRST_PAUSE_S, LAST_PAUSE_S = 0.2, 10.0


async def listen(
    url: str,
    channels: Sequence[str],
    heard: Callable[[str, str], object],
    connected: Callable[[], object],
    *,
    role: str = "",
    lost: Callable[[], object] = lambda: None,
) -> None:
    """Listen until cancelled.

    Args:
        url: the database, without a pooler between that gives connections to others.
        channels: what to listen to.
        heard: called with channel and payload of each notice.
        connected: called whenever listening begins, for the first time and anew. What was said
            before is lost: look for it.
        role: what to become; empty: as the address says.
        lost: called when the connection is lost or cannot be made.
    """
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            async with await AsyncConnection.connect(
                url,
                autocommit=True,
                connect_timeout=10,
                application_name="adology-listen",
                options=f"-c role={role}" if role else None,
            ) as connection:
                for channel in channels:
                    await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
                connected()
                pause_s = FIRST_PAUSE_S
                await _hear(connection, heard)
        except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as error:
            lost()
            logger.bind(error=str(error).splitlines()[:1], pause_s=pause_s).warning("not listening; connecting anew")
        await asyncio.sleep(pause_s)
        pause_s = min(LAST_PAUSE_S, pause_s * 2)


async def _hear(connection: AsyncConnection, heard: Callable[[str, str], object]) -> None:
    while True:
        async for notice in connection.notifies(timeout=QUIET_S):
            heard(notice.channel, notice.payload)
        async with asyncio.timeout(QUIET_S):
            await connection.execute("select 1")
