"""The analysis cache: the same bytes meet the same analyzer version once in the system's life."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from psycopg.types.json import Jsonb

from adology.engine.model import AnalysisRecord, Claim, Claimed
from adology.store.database import Connection, Database


class Analyses:
    """Claims take a lease before anything is paid; leases expire, and their owner renews them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, claims: Sequence[Claim], *, owner: str, lease_s: float) -> dict[str, Claimed]:
        """For each claim: the stored outcome, or the lease, or who else is at it.

        A pending claim whose lease has run out is taken over (one of the same owner is not), and so
        is a deferred one that is due.
        """
        unique = {claim.key: claim for claim in claims}
        rows = list(unique.values())
        async with self._database.connection("analyses.claim", count=len(rows)) as connection:
            found = await connection.execute(
                """with wanted as (
                       select * from unnest(%(keys)s::text[], %(analyzers)s::text[], %(versions)s::int[],
                           %(fingerprints)s::text[], %(kinds)s::text[], %(subjects)s::text[])
                           as t(key, analyzer, version, fingerprint, subject_kind, subject)
                   ), taken as (
                       insert into analyses as a (key, analyzer, version, fingerprint, subject_kind, subject, state,
                           lease_owner, lease_until, attempts)
                       select key, analyzer, version, fingerprint, subject_kind, subject, 'pending',
                           %(owner)s, now() + %(lease)s, 1 from wanted order by key
                       on conflict (key) do update
                           set state = 'pending', lease_owner = excluded.lease_owner,
                               lease_until = excluded.lease_until, attempts = a.attempts + 1, retry_at = null
                           where (a.state = 'pending' and a.lease_until < now())
                               or (a.state = 'deferred' and a.retry_at <= now())
                       returning key
                   )
                   select w.key, t.key is not null, a.state, a.result, a.derived, a.error_code, a.error,
                       greatest(0, extract(epoch from coalesce(a.retry_at, a.lease_until) - now())),
                       coalesce(a.deferrals, 0), coalesce(a.cost_usd, 0)::float
                   from wanted w left join taken t on t.key = w.key left join analyses a on a.key = w.key""",
                {
                    "keys": [c.key for c in rows],
                    "analyzers": [c.analyzer for c in rows],
                    "versions": [c.version for c in rows],
                    "fingerprints": [c.fingerprint for c in rows],
                    "kinds": [c.subject_kind for c in rows],
                    "subjects": [c.subject for c in rows],
                    "owner": owner,
                    "lease": timedelta(seconds=lease_s),
                },
            )
            answer: dict[str, Claimed] = {}
            for key, mine, state, result, derived, code, error, wait_s, deferrals, cost in await found.fetchall():
                if mine:
                    answer[key] = Claimed(state="mine", deferrals=deferrals)
                elif state == "deferred":
                    answer[key] = Claimed(
                        state=state, error_code=code, error=error, wait_s=float(wait_s), deferrals=deferrals
                    )
                elif state in ("done", "failed"):
                    answer[key] = Claimed(
                        state=state,
                        result=result,
                        derived=tuple(derived or ()),
                        error_code=code,
                        error=error,
                        cost_usd=cost,
                    )
                else:
                    # Also a row that another transaction inserted after this statement began.
                    answer[key] = Claimed(state="busy", wait_s=float(wait_s or 0.5))
            return answer

    async def store(self, records: Sequence[AnalysisRecord]) -> None:
        """Finish or put off claims. An outcome that is stored already stands: it was paid for first."""
        async with self._database.connection("analyses.store", count=len(records)) as connection:
            await finish(connection, records)

    async def release(self, keys: Sequence[str], *, owner: str) -> None:
        """Give claims back unfinished: the next one who asks gets them at once."""
        async with self._database.connection("analyses.release", count=len(keys)) as connection:
            await connection.execute(
                "update analyses set lease_until = now() - interval '1 second', attempts = greatest(0, attempts - 1)"
                " where key = any(%s) and lease_owner = %s and state = 'pending'",
                [list(keys), owner],
            )

    async def renew(self, keys: Sequence[str], *, owner: str, lease_s: float) -> None:
        """Prolong these claims of `owner`; a claim whose answer was lost on the way runs out."""
        async with self._database.connection("analyses.renew", count=len(keys)) as connection:
            await connection.execute(
                "update analyses set lease_until = now() + %s"
                " where key = any(%s) and lease_owner = %s and state = 'pending'",
                [timedelta(seconds=lease_s), list(keys), owner],
            )

    async def load(self, keys: Sequence[str]) -> dict[str, dict[str, object]]:
        """Stored documents of finished analyses by key."""
        async with self._database.connection("analyses.load", count=len(keys)) as connection:
            found = await connection.execute(
                "select key, analyzer, version, fingerprint, subject_kind, subject, state, result, derived, error_code,"
                " error, duration_ms, cost_usd::float, done_at from analyses"
                " where key = any(%s) and state in ('done', 'failed')",
                [list(keys)],
            )
            names = [column.name for column in found.description or ()]
            return {row[0]: dict(zip(names, row, strict=True)) for row in await found.fetchall()}


async def finish(connection: Connection, records: Sequence[AnalysisRecord]) -> None:
    """As `Analyses.store`, within somebody's transaction."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """update analyses set state = %s, result = %s, derived = %s, error_code = %s, error = %s,
                   duration_ms = %s, cost_usd = %s, lease_owner = null, lease_until = null,
                   done_at = case when %s::interval is null then now() end,
                   retry_at = now() + %s::interval, asked_at = null,
                   deferrals = deferrals + (%s::interval is not null)::int
               where key = %s and state = 'pending'""",
            [_row(record) for record in records],
        )


def _row(record: AnalysisRecord) -> tuple[object, ...]:
    wait = None if record.retry_after_s is None else timedelta(seconds=record.retry_after_s)
    state = "deferred" if wait is not None else "failed" if record.error_code else "done"
    return (
        state,
        Jsonb(record.result) if record.result is not None else None,
        Jsonb(list(record.derived)),
        record.error_code,
        record.error,
        record.duration_ms,
        record.cost_usd,
        wait,
        wait,
        wait,
        record.key,
    )
