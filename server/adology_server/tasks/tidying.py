"""Forgets what is past its time and nobody asks for any more."""

from __future__ import annotations

from datetime import timedelta

from adology.store import Database

TOKENS_KEPT_DAYS = 1.0
"""Beyond their end: a refresh token that comes again is recognised as long as it could have been good."""


async def tidy_live(database: Database, events_kept_s: float, *, limit: int = 5000) -> int:
    """Forget old events, tickets and tokens; how many rows."""
    async with database.connection("events.tidy") as connection:
        # The newest event stays: what was cleared lies below the oldest that is there.
        gone = await connection.execute(
            "delete from events where id in (select id from events where at < now() - %s"
            " and id < (select max(id) from events) order by at limit %s)",
            [timedelta(seconds=events_kept_s), limit],
        )
        count = gone.rowcount
        gone = await connection.execute("delete from ws_tickets where expires_at < now()")
        await connection.execute("select auth_forget(%s)", [TOKENS_KEPT_DAYS])
    return count + gone.rowcount
