"""Messages that were decided in a transaction and are sent after it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from adology.store.database import Connection, Database

Send = Callable[[str, Sequence[str]], Awaitable[None]]


async def add_message(connection: Connection, queue: str, body: str, batch_id: str) -> None:
    """Put a message for `queue` into the outbox, in the caller's transaction."""
    await connection.execute("insert into outbox (queue, body, batch_id) values (%s, %s, %s)", [queue, body, batch_id])


class Outbox:
    """Sends what is due and forgets it once it is sent: at least once, in order of writing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def flush(self, send: Send, *, batch_id: str | None = None, older_s: float = 0.0, limit: int = 200) -> int:
        """Send due rows through `send` and delete them; other flushers skip the rows in hand."""
        async with self._database.connection("outbox.flush") as connection, connection.transaction():
            found = await connection.execute(
                "select id, queue, body from outbox where (%s::text is null or batch_id = %s)"
                " and created_at <= now() - %s order by id limit %s for update skip locked",
                [batch_id, batch_id, timedelta(seconds=older_s), limit],
            )
            rows = await found.fetchall()
            by_queue: dict[str, list[str]] = {}
            for _, queue, body in rows:
                by_queue.setdefault(queue, []).append(body)
            for queue, bodies in by_queue.items():
                await send(queue, bodies)
            if rows:
                await connection.execute("delete from outbox where id = any(%s)", [[row[0] for row in rows]])
            return len(rows)
