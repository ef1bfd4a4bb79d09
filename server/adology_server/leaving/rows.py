"""Rows of organisations: what people made, and what would still name the organisation elsewhere."""

from __future__ import annotations

from typing import Final

from adology.store.database import Connection, Database

KEPT: Final = {
    "audit": "the log outlives its organisation; its last hash is told",
    "audit_heads": "the end of that log",
    "changes": "hashes by which the indexes find what to forget; gone within days",
}
"""Tables with an organisation's name that keep rows of it, and why."""

_IN_ORDER: Final = (
    "ws_tickets",
    "session_tokens",
    "sessions",
    "api_keys",
    "invitations",
    "notes",
    "ad_tags",
    "board_ads",
    "boards",
    "brandspace_brands",
    "brands_added",
    "task_analyses",
    "tasks",
    "idempotency_keys",
    "events",
)
"""Tables with `org_id`: those that point at others first. Brandspaces and users, which point at each other, follow."""

_ENDED: Final = """update organisations set deleted_at = coalesce(deleted_at, now()) where id = %s
    returning id"""
_SETTLED: Final = "deleted_at + interval '15 minutes'"
"""Whatever was under way at the end has ended by then: requests, and replicas that missed the notice."""
_DUE: Final = f"""
select id from organisations o where deleted_at is not null and id > %s
    and (purged_at is null or purged_at < {_SETTLED} and now() >= {_SETTLED}
        or exists (select from ads a where a.owner_org_id = o.id)) order by id limit 1"""
_SOURCES: Final = """
select source from (select distinct source from ads where owner_org_id = %(org)s
    union select source from feed_coverage where owner_org_id = %(org)s union select unnest(%(known)s::text[])) s
where not exists (select from ads a where a.source = s.source and a.owner_org_id is distinct from %(org)s)"""
_OPEN: Final = """
select count(*) from batches b where b.state in ('discovering', 'acquiring') and (b.sources ?| %(sources)s
    or b.brand in (select brand from feed_coverage where owner_org_id = %(org)s)
    or b.brand in (select l.brand from ads a join brand_ads l on l.ad_id = a.id where a.owner_org_id = %(org)s))"""


class Rows:
    """Each step may be done again: who was broken off begins anew."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next_due(self, after: str = "") -> str | None:
        """The next organisation that has ended and has something left; also what came after it was removed once."""
        async with self._database.connection("leaving.due") as connection:
            row = await (await connection.execute(_DUE, [after])).fetchone()
        return row[0] if row else None

    async def end(self, org: str) -> bool:
        """From now on nobody gets in; False where there is no such organisation."""
        async with self._database.connection("leaving.end", org=org) as connection:
            return (await connection.execute(_ENDED, [org])).rowcount > 0

    async def own_sources(self, org: str, known: list[str]) -> list[str]:
        """Sources that brought ads of this organisation and of nobody else; `known` are those that settings say."""
        async with self._database.connection("leaving.sources", org=org) as connection:
            found = await connection.execute(_SOURCES, {"org": org, "known": known})
            return sorted(row[0] for row in await found.fetchall())

    async def stop_gathering(self, sources: list[str]) -> None:
        """No brand is looked for in these sources any more."""
        async with self._database.connection("leaving.stop") as connection:
            await connection.execute(
                "update brands set handles = handles - %(sources)s::text[] where handles ?| %(sources)s",
                {"sources": sources},
            )
            await connection.execute("delete from source_cursors where source = any(%s)", [sources])

    async def count_open(self, org: str, sources: list[str]) -> int:
        """Batches under way that may still bring ads of the organisation."""
        async with self._database.connection("leaving.open", org=org) as connection:
            row = await (await connection.execute(_OPEN, {"org": org, "sources": sources})).fetchone()
        return int(row[0]) if row else 0

    async def ended_batches(self, sources: list[str]) -> list[str]:
        """Batches that are not under way and asked one of these sources."""
        async with self._database.connection("leaving.batches") as connection:
            found = await connection.execute(
                "select id from batches where sources ?| %s and state in ('committed', 'failed') order by id", [sources]
            )
            return [row[0] for row in await found.fetchall()]

    async def remove(self, org: str) -> int:
        """What people of the organisation made, and themselves; how many rows."""
        async with self._database.connection("leaving.rows", org=org) as connection, connection.transaction():
            count = 0
            for table in _IN_ORDER:
                count += await _delete(connection, table, org)
            await connection.execute("update users set brandspace_id = null where org_id = %s", [org])
            for table in ("brandspaces", "users"):
                count += await _delete(connection, table, org)
            await connection.execute("delete from rate_buckets where bucket = %s", [f"o:{org}"])
            # What was paid stays in the books, without saying for whom.
            scope = f"organisation:{org}"
            await connection.execute(
                "update paid_calls set owner_org_id = null, scopes = array_remove(scopes, %s) where owner_org_id = %s",
                [scope, org],
            )
            await connection.execute("delete from budget_use where scope = %s", [scope])
        return count

    async def close(self, org: str, *, changed: bool) -> str:
        """Nothing is left: the row keeps its id alone. The hash of the log's last record, which says so.

        Where nothing was there any more the log is not written again.
        """
        async with self._database.connection("leaving.close", org=org) as connection, connection.transaction():
            await connection.execute("delete from feed_coverage where owner_org_id = %s", [org])
            found = await connection.execute(
                "update organisations o set purged_at = now(), name = 'deleted', suspended_why = ''"
                " from (select purged_at from organisations where id = %(org)s) before where o.id = %(org)s"
                " returning before.purged_at is null",
                {"org": org},
            )
            row = await found.fetchone()
            if changed or (row and row[0]):
                await connection.execute(
                    "insert into audit (org_id, actor, action, target, outcome)"
                    " values (%s, 'system', 'purgeOrganisation', '/v1/organisation', 'done')",
                    [org],
                )
            found = await connection.execute("select encode(hash, 'hex') from audit_heads where org_id = %s", [org])
            row = await found.fetchone()
        return str(row[0]) if row else ""


async def _delete(connection: Connection, table: str, org: str) -> int:
    return (await connection.execute(f"delete from {table} where org_id = %s".encode(), [org])).rowcount
