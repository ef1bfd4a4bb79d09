"""Refreshes: a gathering is asked for, and the task is what becomes of its batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from adology.queues import GatherMessage, encode
from adology.store import Database
from adology_server.tasks.model import Work
from adology_server.tasks.store import TaskStore

OPEN = """
select t.id, t.progress, b.id as batch, b.state, b.error, b.counts, b.expected_count, b.committed_at
from tasks t
left join gather_requests r on r.request_key = t.batch_key and r.brand = t.brand
left join batches b on b.id = r.batch_id
where t.state = 'processing' and t.batch_key is not null
order by t.id for update of t skip locked"""

ITEMS = """
select batch_id, count(*) filter (where status <> 'missing') as done,
    count(*) filter (where status = 'failed') as failed
from batch_items where batch_id = any(%s) group by batch_id"""

_CHANGE = """
update tasks set state = %(state)s, progress = %(progress)s, result = %(result)s, error = %(error)s,
    ended_at = case when %(ended)s then now() end, expires_at = case when %(ended)s then now() + %(kept)s end
where id = %(id)s"""

Row = dict[str, Any]


class Refresher:
    """Starts refreshes and follows all that are under way, with one look for all of them."""

    def __init__(
        self, database: Database, store: TaskStore, send: Callable[[str], Awaitable[None]], kept_s: float
    ) -> None:
        self._database = database
        self._store = store
        self._send = send
        self._kept = timedelta(seconds=kept_s)

    async def start(self, work: Work) -> None:
        """Ask for the gathering. Asked twice, by two runners, it is done once: the ledger knows the request."""
        assert work.brand is not None  # noqa: S101 - refreshes have one
        key = batch_key(work.id)
        await self._send(encode(GatherMessage(brand=work.brand, request_id=key)))
        await self._store.hand_on(work, key)

    async def look(self) -> int:
        """Bring all followed tasks up to date; how many changed. Several may look: each row is one's."""
        changed = 0
        async with self._database.connection("tasks.follow") as connection, connection.transaction():
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(OPEN)
            rows = await cursor.fetchall()
            acquiring = sorted({row["batch"] for row in rows if row["state"] == "acquiring"})
            items: dict[str, Row] = {}
            if acquiring:
                await cursor.execute(ITEMS, [acquiring])
                items = {row["batch_id"]: row for row in await cursor.fetchall()}
            for row in rows:
                progress = progress_of(row, items.get(row["batch"]))
                if progress == row["progress"]:
                    continue
                await cursor.execute(_CHANGE, self._change(row, progress))
                changed += 1
        return changed

    def _change(self, row: Row, progress: dict[str, Any]) -> Row:
        committed, failed = row["state"] == "committed", row["state"] == "failed"
        result = {"batch": row["batch"], "ads": progress.get("ads", 0), "committed_at": str(row["committed_at"])}
        return {
            "id": row["id"],
            "state": "completed" if committed else "failed" if failed else "processing",
            "progress": Jsonb(progress),
            "result": Jsonb(result) if committed else None,
            "error": row["error"] or "the gathering failed" if failed else None,
            "ended": committed or failed,
            "kept": self._kept,
        }


def batch_key(task: UUID) -> str:
    """The id of the request to gather that a task sends."""
    return f"task:{task}"


def progress_of(row: Row, items: Row | None) -> dict[str, Any]:
    """What clients see of a batch: its phase, and how many of its media are done.

    Phases: waiting (no worker has it), gather, acquire, done, failed.
    """
    state, counts, expected = row["state"], row["counts"] or {}, row["expected_count"]
    if state is None:
        return {"phase": "waiting"}
    progress: dict[str, Any] = {
        "phase": {"discovering": "gather", "acquiring": "acquire", "committed": "done"}.get(state, "failed")
    }
    if "ads" in counts:
        progress["ads"] = counts["ads"]
    if expected is not None:
        done = items["done"] if items else (expected if state == "committed" else 0)
        progress |= {"expected": expected, "done": done}
        progress["failed"] = items["failed"] if items else counts.get("failures", 0)
    return progress
