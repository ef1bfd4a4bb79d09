"""Tasks as the runner sees them: of all organisations, each taken up by one at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from adology.errors import LeaseLostError
from adology.settings.model import ServerSettings
from adology.store import Database
from adology_server.tasks.model import Work

FORGOTTEN = timedelta(days=30)
"""Rows of ended tasks are kept for so long beyond their results."""
PASSED = "it was not done by its deadline"

_END = """
update tasks set state = 'failed', error = %s, ended_at = now()
where id in (select id from tasks where state in ('queued', 'processing') and deadline <= now()
    order by id limit %s for update skip locked)"""
_DATE = """
update tasks set expires_at = ended_at + %s
where id in (select id from tasks where state = 'completed' and expires_at is null
    order by id limit %s for update skip locked)"""
_EXPIRE = """
update tasks set state = 'expired', result = null
where id in (select id from tasks where state = 'completed' and expires_at <= now()
    and not files order by id limit %s for update skip locked)"""
_FORGET = """
delete from tasks
where id in (select id from tasks where ended_at < now() - %s and not files
    order by id limit %s for update skip locked)"""
_FORGET_ANALYSES = """
delete from task_analyses where (task, key) in (select a.task, a.key from task_analyses a join tasks t on t.id = a.task
    where t.state not in ('queued', 'processing') limit %s)"""

Send = Callable[[Sequence[UUID]], Awaitable[None]]


class TaskStore:
    """The rows are the truth about tasks: messages only say where to look.

    Whatever changes a row writes an event as well, by a trigger: no row is locked after that
    in the same transaction (`order_events`).
    """

    def __init__(self, database: Database, settings: ServerSettings) -> None:
        self._database = database
        self._lease = timedelta(seconds=settings.task_lease_s)
        self._kept = timedelta(seconds=settings.task_kept_s)

    async def dispatch(self, send: Send, *, limit: int = 100) -> int:
        """Send the messages that are due: of new tasks, and of those that nobody holds although time went by."""
        async with self._database.connection("tasks.dispatch") as connection, connection.transaction():
            found = await connection.execute(
                "select id from tasks where state in ('queued', 'processing') and batch_key is null"
                " and (sent_at is null or sent_at < now() - %s) and coalesce(lease_until, '-infinity') < now()"
                " order by created_at limit %s for update skip locked",
                [self._lease, limit],
            )
            due = [row[0] for row in await found.fetchall()]
            if due:
                await send(due)
                await connection.execute("update tasks set sent_at = now() where id = any(%s)", [due])
        return len(due)

    async def take(self, task: UUID) -> Work | None:
        """Take the task up; None when it has ended, was handed on, or somebody holds it."""
        async with (
            self._database.connection("tasks.take") as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(
                "update tasks set state = 'processing', epoch = epoch + 1, attempts = attempts + 1,"
                " started_at = coalesce(started_at, now()), lease_until = now() + %s"
                " where id = %s and state in ('queued', 'processing') and batch_key is null and deadline > now()"
                " and coalesce(lease_until, '-infinity') < now()"
                " returning id, org_id, kind, brand, request, epoch, attempts, deadline",
                [self._lease, task],
            )
            row = await cursor.fetchone()
        return msgspec.convert(row, Work) if row else None

    async def renew(self, work: Work) -> None:
        """Prolong the hold. Raises LeaseLostError when the task has ended or somebody else holds it."""
        await self._fenced(work, "lease_until = now() + %s", [self._lease])

    async def release(self, work: Work) -> None:
        """Let go of it: it is tried again."""
        await self._fenced(work, "lease_until = null, sent_at = now()", [])

    async def hand_on(self, work: Work, batch_key: str) -> None:
        """From now on no message is sent: the task is what becomes of what was asked for under this key."""
        await self._fenced(work, "batch_key = %s, lease_until = null", [batch_key])

    async def note_progress(self, work: Work, progress: dict[str, Any]) -> None:
        """Tell how far it is, and prolong the hold."""
        await self._fenced(work, "progress = %s, lease_until = now() + %s", [Jsonb(progress), self._lease])

    async def note_files(self, work: Work) -> None:
        """From now on there may be files of it in S3: they are removed when it has ended."""
        await self._fenced(work, "files = true, lease_until = now() + %s", [self._lease])

    async def complete(self, work: Work, result: Any) -> None:
        """End it with its result."""
        change = "state = 'completed', result = %s, ended_at = now(), expires_at = now() + %s, lease_until = null"
        await self._fenced(work, change, [Jsonb(result), self._kept])

    async def fail(self, work: Work, error: str) -> None:
        """End it without a result."""
        await self._fenced(work, "state = 'failed', error = %s, ended_at = now(), lease_until = null", [error])

    async def _fenced(self, work: Work, change: str, values: Sequence[Any]) -> None:
        async with self._database.connection("tasks.change", task=str(work.id)) as connection:
            done = await connection.execute(
                f"update tasks set {change} where id = %s and epoch = %s and state = 'processing'",
                [*values, work.id, work.epoch],
            )
            if done.rowcount == 0:
                raise LeaseLostError(f"task {work.id} has ended or was taken up again")

    async def list_past_files(self, *, limit: int = 100) -> list[tuple[str, UUID]]:
        """Organisation and id of tasks whose files nobody may read any more.

        Those that ended without a result wait for a lease: a runner that did not notice yet is through by then.
        """
        async with self._database.connection("tasks.past_files") as connection:
            found = await connection.execute(
                "select org_id, id from tasks where files and (state = 'completed' and expires_at <= now()"
                " or state = 'expired' or state in ('failed', 'cancelled') and ended_at < now() - %s)"
                " order by ended_at limit %s",
                [self._lease, limit],
            )
            return [(row[0], row[1]) for row in await found.fetchall()]

    async def forget_files(self, tasks: Sequence[UUID]) -> None:
        """The files of these tasks are gone."""
        async with self._database.connection("tasks.forget_files") as connection:
            await connection.execute("update tasks set files = false where id = any(%s)", [list(tasks)])

    async def tidy(self, *, limit: int = 500) -> int:
        """End what is past its deadline, forget results and rows that are past their time; how many rows.

        Rows whose files are still there are kept: they are what the files are found by.
        """
        changed = 0
        async with self._database.connection("tasks.tidy") as connection:
            for statement, values in (
                (_END, [PASSED, limit]),
                (_DATE, [self._kept, limit]),
                (_EXPIRE, [limit]),
                (_FORGET_ANALYSES, [20 * limit]),
                (_FORGET, [self._kept + FORGOTTEN, limit]),
            ):
                changed += (await connection.execute(statement, values)).rowcount
        return changed
