"""Re-analyses as they are done: written down, asked for bit by bit, and followed until all are made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from adology.engine.analyzers import UnknownAnalyzerError
from adology.engine.renewal import wanted_of
from adology.errors import EngineError, LeaseLostError, Skip
from adology.queues.messages import AnalyzeMessage, encode
from adology.store import Database
from adology.store.database import Connection
from adology.store.staleness import page_statement, values_of
from adology_server.analyzers import Analyzers
from adology_server.tasks.model import Work
from adology_server.tasks.reanalysis import Reanalysis, quote, too_much
from adology_server.tasks.refresh import batch_key
from adology_server.tasks.store import TaskStore
from adology_server.tenancy import Tenants

PAGE = 5000
"""Subjects that are looked up at a time: each page counts all that the organisation sees."""
WINDOW = 100
"""Analyses of a task that workers have at a time: after it was cancelled no more are made."""
MOST_PUT_OFF = 1000
"""Those that wait for a budget or a vendor; with so many no more are asked for."""
LOST_S = 900.0
"""What nobody began for so long is asked for again."""

# A page is written once: what failed before is opened for one more try, however often runners begin anew.
_WRITE: Final = """
with fresh as (
    insert into task_analyses (task, org_id, key, analyzer, subject_kind, subject, brand)
    select %(task)s, %(org)s, w.key, %(analyzer)s, %(kind)s, w.subject, w.brand
    from unnest(%(keys)s::text[], %(subjects)s::text[], %(brands)s::text[]) w (key, subject, brand)
    on conflict do nothing returning key
), opened as (
    update analyses set state = 'deferred', retry_at = now(), deferrals = 0, asked_at = now()
    where key in (select key from fresh) and state = 'failed'
) select 1"""
_MINE: Final = "select id from tasks where id = %s and epoch = %s and state = 'processing' for share"

_OPEN: Final = "select id from tasks where kind = 'reanalyze' and state = 'processing' and batch_key is not null"
_TAKE: Final = (
    f"select id, org_id, request, progress from tasks where id = %s and id in ({_OPEN}) for update skip locked"
)

# The subject shows it, or was given another one meanwhile.
_END: Final = """
update task_analyses t set outcome = case
    when n.state = 'failed' and n.error_code is distinct from %(skip)s then 'failed' else 'done' end
from analyses n
where t.task = %(task)s and t.sent_at is not null and t.outcome is null and n.key = t.key
    and n.state in ('done', 'failed') and (n.done_at < now() - interval '30 seconds'
        or exists (select from asset_analyses l where l.sha256 = t.subject and l.key = t.key)
        or exists (select from ads a join ad_analyses l on l.ad_id = a.id and l.analyzer = t.analyzer
            where a.copy_hash = t.subject and l.key = t.key))
returning t.outcome, n.cost_usd::float as cost"""
_STAND: Final = """
select count(*) filter (where n.state is distinct from 'deferred') as busy,
    count(*) filter (where n.state = 'deferred') as put_off,
    coalesce(array_agg(distinct n.error_code) filter (where n.state = 'deferred' and n.error_code is not null), '{}')
        as why
from task_analyses t left join analyses n on n.key = t.key
where t.task = %(task)s and t.sent_at is not null and t.outcome is null"""
_NEXT: Final = """
select key, analyzer, subject_kind, subject, brand from task_analyses
where task = %(task)s and sent_at is null order by key limit %(room)s"""
_LOST: Final = """
update task_analyses t set sent_at = null
where t.task = %(task)s and t.outcome is null and t.sent_at < now() - %(lost)s
    and not exists (select from analyses n where n.key = t.key
        and (n.state <> 'pending' or n.lease_until > now()))"""
_CHANGE: Final = """
update tasks set state = %(state)s, progress = %(progress)s, result = %(result)s, error = %(error)s,
    ended_at = case when %(ended)s then now() end,
    expires_at = case when %(state)s = 'completed' then now() + %(kept)s end
where id = %(task)s"""

Send = Callable[[Sequence[str]], Awaitable[None]]


class AnalyzerMissingError(EngineError):
    """The server took a re-analysis, and the task runner does not know its analyzer."""

    code = "ADO-5906"


class Renewer:
    """Starts re-analyses, and follows all that are under way. Workers with role analyze do them, as any other."""

    def __init__(
        self,
        database: Database,
        tenants: Tenants,
        store: TaskStore,
        analyzers: Analyzers,
        send: Send,
        *,
        kept_s: float,
        window: int = WINDOW,
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._store = store
        self._analyzers = analyzers
        self._send = send
        self._kept = timedelta(seconds=kept_s)
        self._window = window

    async def start(self, work: Work) -> None:
        """Write down what is to be made, and hand the task on to `look`.

        Raises:
            UnavailableError: a store is away; it is tried again.
            LeaseLostError: it was ended, or another runner has it.
            AnalyzerMissingError: this process has other analyzers than the server.
        """
        what = msgspec.convert(work.request, Reanalysis)
        analyzers = (await self._analyzers.load()).all
        try:
            chosen = wanted_of(analyzers, what.analyzers)
        except UnknownAnalyzerError as error:
            raise AnalyzerMissingError(
                f"task {work.id} is about an analyzer that the server has and this runner has not: {error}",
                hint="Give server, task runners and workers the same plugins and settings.",
            ) from error
        refused = too_much(what, await quote(self._tenants, work.org_id, analyzers, what))
        if refused:
            await self._store.fail(work, refused)
            return
        for analyzer, wanted in chosen:
            values = {**values_of(wanted, brands=what.brands, ads=what.ads), "reasons": list(what.reasons)}
            async for page in self._pages(work.org_id, page_statement(wanted.kind), values, what.limit):
                keys = [analyzer.claim(wanted.kind, row["subject"]).key for row in page]
                await self._write(work, analyzer.name, wanted.kind, keys, page)
        await self._store.hand_on(work, batch_key(work.id))

    async def look(self) -> int:
        """Bring all followed tasks up to date; how many changed. Several may look: each task is one's."""
        async with self._database.connection("tasks.renewals") as connection:
            ids = [row[0] for row in await (await connection.execute(_OPEN)).fetchall()]
        changed = 0
        for task in ids:
            async with self._database.connection("tasks.renew", task=str(task)) as connection, connection.transaction():
                changed += await self._follow(connection, task)
        return changed

    async def _pages(
        self, org_id: str, statement: str, values: dict[str, Any], most: int
    ) -> AsyncIterator[list[DictRow]]:
        after = ""
        while most > 0:
            size = min(PAGE, most)
            # As the organisation: only what it sees is analysed for it.
            rows = await self._tenants.rows(org_id, statement, {**values, "after": after, "limit": size})
            if rows:
                yield [row for row in rows if row["payer"] is not None]
                after, most = rows[-1]["subject"], most - len(rows)
            if len(rows) < size:
                return

    async def _write(self, work: Work, analyzer: str, kind: str, keys: list[str], page: list[DictRow]) -> None:
        async with self._database.connection("tasks.renewal") as connection, connection.transaction():
            if await (await connection.execute(_MINE, [work.id, work.epoch])).fetchone() is None:
                raise LeaseLostError(f"task {work.id} has ended or was taken up again")
            await connection.execute(
                _WRITE,
                {
                    "task": work.id,
                    "org": work.org_id,
                    "analyzer": analyzer,
                    "kind": kind,
                    "keys": keys,
                    "subjects": [row["subject"] for row in page],
                    "brands": [row["payer"] for row in page],
                },
            )

    async def _follow(self, connection: Connection, task: UUID) -> int:
        cursor = connection.cursor(row_factory=dict_row)
        held = await (await cursor.execute(_TAKE, [task])).fetchone()
        if held is None:
            return 0
        before = held["progress"]
        if "analyses" not in before:
            await cursor.execute("select count(*) as n from task_analyses where task = %s", [task])
            before = {"analyses": (await cursor.fetchall())[0]["n"], "done": 0, "failed": 0, "cost_usd": 0.0}
        await cursor.execute(_END, {"task": task, "skip": Skip.code})
        ended = await cursor.fetchall()
        progress = {
            **before,
            **{kind: before[kind] + sum(row["outcome"] == kind for row in ended) for kind in ("done", "failed")},
            "cost_usd": round(before["cost_usd"] + sum(row["cost"] or 0.0 for row in ended), 8),
        }
        await cursor.execute(_LOST, {"task": task, "lost": timedelta(seconds=LOST_S)})
        await cursor.execute(_STAND, {"task": task})
        (stand,) = await cursor.fetchall()
        progress |= {"put_off": stand["put_off"], "why": stand["why"]}
        most = held["request"].get("most_usd")
        over = most is not None and progress["cost_usd"] > most
        if not over and stand["put_off"] < MOST_PUT_OFF:
            await self._ask(connection, held, self._window - stand["busy"])
        if progress == held["progress"]:
            return 0
        # The last statement: it writes an event, after which no row is locked.
        await cursor.execute(_CHANGE, self._change(task, progress, most if over else None))
        return 1

    async def _ask(self, connection: Connection, held: DictRow, room: int) -> None:
        if room <= 0:
            return
        cursor = connection.cursor(row_factory=dict_row)
        rows = await (await cursor.execute(_NEXT, {"task": held["id"], "room": room})).fetchall()
        if not rows:
            return
        await self._send([encode(_message(row, held["org_id"])) for row in rows])
        await cursor.execute(
            "update task_analyses set sent_at = now() where task = %s and key = any(%s)",
            [held["id"], [row["key"] for row in rows]],
        )

    def _change(self, task: UUID, progress: dict[str, Any], passed: float | None) -> dict[str, Any]:
        completed = progress["done"] + progress["failed"] >= progress["analyses"]
        state = "completed" if completed else "processing" if passed is None else "failed"
        result = {name: progress[name] for name in ("analyses", "done", "failed", "cost_usd")}
        return {
            "task": task,
            "state": state,
            "progress": Jsonb(progress),
            "result": Jsonb(result) if completed else None,
            "error": f"it has cost {progress['cost_usd']:.8g} USD by now, and most_usd is {passed:.8g}"
            if state == "failed"
            else None,
            "ended": state != "processing",
            "kept": self._kept,
        }


def _message(row: DictRow, org_id: str) -> AnalyzeMessage:
    return AnalyzeMessage(
        brand=row["brand"],
        kind=row["subject_kind"],
        subject=row["subject"],
        analyzers=(row["analyzer"],),
        organisation=org_id,
    )
