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
select t.id, t.progress, b.id as batch, b.state, b.expected_count, b.committed_at,
    case when b.state = 'committed' then (select count(*) from brand_ads x join ads a on a.id = x.ad_id
        where x.brand = t.brand and x.last_batch = b.id and (a.owner_org_id is null or a.owner_org_id = t.org_id))
    end as ads
from tasks t
left join gather_requests r on r.request_key = t.batch_key and r.brand = t.brand
left join batches b on b.id = r.batch_id
where t.kind = 'refresh' and t.state = 'processing' and t.batch_key is not null
order by t.id for update of t skip locked"""

ITEMS = """
select batch_id, count(*) filter (where status <> 'missing') as done
from batch_items where batch_id = any(%s) group by batch_id"""

_CHANGE = """
update tasks set state = %(state)s, progress = %(progress)s, result = %(result)s, error = %(error)s,
    ended_at = case when %(ended)s then now() end, expires_at = case when %(ended)s then now() + %(kept)s end
where id = %(id)s"""

FAILED = "the gathering failed; whoever runs the system sees why"

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
            "error": FAILED if failed else None,
            "ended": committed or failed,
            "kept": self._kept,
        }


def batch_key(task: UUID) -> str:
    """The id of the request to gather that a task sends."""
    return f"task:{task}"


def progress_of(row: Row, items: Row | None) -> dict[str, Any]:
    """What clients see of a batch: its phase, the share of its media that are done, and at the end their ads.

    Phases: waiting (no worker has it), gather, acquire, done, failed. A batch may hold ads of other
    organisations' databases: neither its counts nor its errors are for everybody.
    """
    state, expected = row["state"], row["expected_count"]
    if state is None:
        return {"phase": "waiting"}
    progress: dict[str, Any] = {
        "phase": {"discovering": "gather", "acquiring": "acquire", "committed": "done"}.get(state, "failed")
    }
    if state == "committed":
        return {**progress, "share": 1.0, "ads": row["ads"]}
    if expected:
        progress["share"] = round((items["done"] if items else 0) / expected, 2)
    return progress
