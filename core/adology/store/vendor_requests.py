"""The requests of vendors' batches and the analyses that wait for them; all within somebody's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from psycopg.types.json import Jsonb

from adology.engine.vendor_batch import IN_BATCH, Asked
from adology.store.database import Connection

HELD = timedelta(days=30)
"""As long as the vendor keeps the answers; only then a worker may make the analyses itself."""


async def claim_requests(connection: Connection, batch_id: str, asked: Sequence[Asked], *, reopen: bool) -> set[str]:
    """The keys that nobody has a result of, or works on: they wait for this batch now."""
    keys = [one.claim.key for one in asked]
    found = await connection.execute(
        "select key, error_code, error from analyses where key = any(%s) and state = 'failed' and %s"
        " order by key for update",
        [keys, reopen],
    )
    failed = {key: (code, error) for key, code, error in await found.fetchall()}
    found = await connection.execute(
        """insert into analyses as a (key, analyzer, version, fingerprint, subject_kind, subject, state, retry_at,
               error_code, error)
           select key, analyzer, version, fingerprint, kind, subject, 'deferred', now() + %(held)s, %(code)s, %(why)s
           from unnest(%(keys)s::text[], %(analyzers)s::text[], %(versions)s::int[], %(fingerprints)s::text[],
               %(kinds)s::text[], %(subjects)s::text[]) as t(key, analyzer, version, fingerprint, kind, subject)
           where not exists (select 1 from vendor_requests r where r.key = t.key) order by key
           on conflict (key) do update set state = 'deferred', retry_at = excluded.retry_at, deferrals = 0,
               error_code = excluded.error_code, error = excluded.error, done_at = null
               where a.state = 'failed' and a.key = any(%(failed)s)
           returning key""",
        {
            "keys": keys,
            "analyzers": [one.claim.analyzer for one in asked],
            "versions": [one.claim.version for one in asked],
            "fingerprints": [one.claim.fingerprint for one in asked],
            "kinds": [one.claim.subject_kind for one in asked],
            "subjects": [one.claim.subject for one in asked],
            "failed": list(failed),
            "held": HELD,
            "code": IN_BATCH,
            "why": f"waits for the vendor's batch {batch_id}",
        },
    )
    taken = {row[0] for row in await found.fetchall()}
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "insert into vendor_requests (key, batch, brand, info, was_code, was_error)"
            " values (%s, %s, %s, %s, %s, %s)",
            [
                (one.claim.key, batch_id, one.brand, Jsonb(one.info), *failed.get(one.claim.key, (None, None)))
                for one in asked
                if one.claim.key in taken
            ],
        )
    return taken


async def reclaim(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Make analyses that still wait for a batch pending, as those are that `finish` may finish."""
    await connection.execute(
        "select 1 from analyses where key = any(%s) order by key for update",  # in one order, as claims do
        [list(keys)],
    )
    found = await connection.execute(
        "update analyses set state = 'pending', attempts = attempts + 1, retry_at = null"
        " where key = any(%s) and state = 'deferred' returning key",
        [list(keys)],
    )
    return {row[0] for row in await found.fetchall()}


async def count_outcomes(connection: Connection, batch_id: str) -> dict[str, int]:
    """Requests of a batch by what became of them; missing: nothing yet."""
    found = await connection.execute(
        "select coalesce(outcome, 'missing'), count(*) from vendor_requests where batch = %s group by 1", [batch_id]
    )
    return dict(await found.fetchall())


async def give_back(connection: Connection, batch_id: str) -> None:
    """Requests without an answer: their analyses are as they were before."""
    found = await connection.execute(
        "select r.key, r.was_code, r.was_error from vendor_requests r join analyses n on n.key = r.key"
        " where r.batch = %s and r.outcome is null and n.state = 'deferred' and n.error_code = %s"
        " order by r.key for update",
        [batch_id, IN_BATCH],
    )
    rows = await found.fetchall()
    await connection.execute("delete from vendor_requests where batch = %s and outcome is null", [batch_id])
    await connection.execute("delete from analyses where key = any(%s)", [[key for key, code, _ in rows if not code]])
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "update analyses set state = 'failed', error_code = %s, error = %s, retry_at = null, done_at = now()"
            " where key = %s",
            [(code, error, key) for key, code, error in rows if code],
        )


async def usage(connection: Connection, batch_id: str) -> dict[str, dict[str, dict[str, float]]]:
    """Brand → model → unit → how many, of all answers that were billed."""
    found = await connection.execute(
        "select r.brand, coalesce(r.model, ''), u.key, sum(u.value::numeric)::float"
        " from vendor_requests r, jsonb_each_text(r.units) u where r.batch = %s group by 1, 2, 3",
        [batch_id],
    )
    used: dict[str, dict[str, dict[str, float]]] = {}
    for brand, model, unit, count in await found.fetchall():
        used.setdefault(brand, {}).setdefault(model, {})[unit] = count
    return used
