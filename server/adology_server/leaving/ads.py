"""Private ads, and the creatives and analyses that nobody else has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from adology.errors import EngineError
from adology.log import logger
from adology.storage import S3Store
from adology.store.database import Connection, Database
from adology.store.likenesses import forget_likenesses
from adology_server.leaving.documents import Documents

CHUNK = 100
"""Ads that are removed together: committers of the same creatives wait as long as that takes."""

_CHUNK: Final = "select id, copy_hash from ads where owner_org_id = %s and id > %s order by id limit %s"
_ALONE: Final = """
select sha256, s3_path from assets where sha256 = any(array(select sha256 from ad_assets where ad_id = any(%(ads)s)))
    and not exists (select from ad_assets o where o.sha256 = assets.sha256 and o.ad_id <> all(%(ads)s))
order by sha256 for update"""
"""Locked: a commit that would show one of them waits, and finds it gone."""
_KEYS: Final = """
select key from analyses where subject_kind = 'asset' and subject = any(%(assets)s)
    or subject_kind = 'ad' and subject = any(%(copies)s)"""
_COPIES: Final = """
select h from unnest(%(copies)s::text[]) h
where not exists (select from ads a where a.copy_hash = h and a.id <> all(%(ads)s))"""
_BUSY: Final = """
select distinct a.id from ads a left join ad_assets m on m.ad_id = a.id
join (batch_items i join batches b on b.id = i.batch_id and b.state in ('discovering', 'acquiring'))
    on position(convert_to(m.sha256, 'UTF8') in i.result) > 0
        or exists (select from ad_analyses l where l.ad_id = a.id
            and position(convert_to(l.key, 'UTF8') in i.result) > 0)
where a.id = any(%(ads)s)"""
"""A batch under way has met the same bytes, and will commit them with the analyses that are there."""
_OF_ADS: Final = ("ad_analyses", "observations", "brand_ads", "ad_assets")


class PrivateAds:
    """Removes an organisation's own ads, some at a time."""

    def __init__(self, database: Database, objects: S3Store, documents: Documents) -> None:
        self._database = database
        self._objects = objects
        self._documents = documents

    async def remove(self, org: str) -> tuple[int, int]:
        """Remove what can be removed now; how many ads, and how many have to wait for batches under way."""
        removed = waiting = last = 0
        while True:
            async with self._database.connection("leaving.ads", org=org) as connection, connection.transaction():
                found = await (await connection.execute(_CHUNK, [org, last, CHUNK])).fetchall()
                if not found:
                    return removed, waiting
                last = found[-1][0]
                ads = [row[0] for row in found]
                busy = {row[0] for row in await (await connection.execute(_BUSY, {"ads": ads})).fetchall()}
                waiting += len(busy)
                free = {row[0]: row[1] for row in found if row[0] not in busy}
                await self._remove(connection, list(free), sorted(set(free.values())))
                removed += len(free)

    async def _remove(self, connection: Connection, ads: list[int], copies: list[str]) -> None:
        if not ads:
            return
        alone = {row[0]: row[1] for row in await _fetch(connection, _ALONE, {"ads": ads})}
        copies = [row[0] for row in await _fetch(connection, _COPIES, {"ads": ads, "copies": copies})]
        keys = [row[0] for row in await _fetch(connection, _KEYS, {"assets": list(alone), "copies": copies})]
        for table in _OF_ADS:
            await connection.execute(f"delete from {table} where ad_id = any(%s)".encode(), [ads])
        await connection.execute("delete from ads where id = any(%s)", [ads])
        await forget_likenesses(connection, list(alone))
        await connection.execute("delete from asset_analyses where sha256 = any(%s)", [list(alone)])
        await connection.execute("delete from assets where sha256 = any(%s)", [list(alone)])
        await connection.execute(
            "delete from analyses n where key = any(%s) and not exists (select from vendor_requests r"
            " where r.key = n.key) and not exists (select from asset_analyses l where l.key = n.key)"
            " and not exists (select from ad_analyses l where l.key = n.key)",
            [keys],
        )
        # Before the rows are gone for good: who is broken off here finds them again.
        await self._documents.remove_analyses(keys)
        await self._remove_files(alone.items())

    async def _remove_files(self, files: Iterable[tuple[str, str]]) -> None:
        for sha256, path in files:
            try:
                await self._objects.delete(self._objects.key_of(path))
            except EngineError as error:
                logger.bind(error=str(error), path=path).error("leaving: a file in a bucket that is not ours stays")
            async for key in self._objects.list_keys(f"derived/{sha256[:2]}/{sha256}/"):
                await self._objects.delete(key)


async def _fetch(connection: Connection, statement: str, values: dict[str, Any]) -> list[Any]:
    return await (await connection.execute(statement.encode(), values)).fetchall()
