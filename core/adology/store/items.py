"""Item results, durable before the registry counts them: a lost registry costs no download."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec

from adology.abc.sink import ItemResult
from adology.engine.model import SavedItem, hash_url
from adology.store.database import Database

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ItemResult).decode
PAGE = 500


class Items:
    """One row per URL of a batch that has a result, or that had to be queued again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, results: Sequence[tuple[str, ItemResult]]) -> None:
        """Store results as (batch id, result). The first stored result of a URL stands.

        A late duplicate must not change what the registry already counted as, say, ok.
        """
        rows = {(batch, hash_url(result.url)): (batch, result) for batch, result in results}
        async with self._database.connection("items.save", count=len(rows)) as connection:
            await connection.execute(
                """insert into batch_items (batch_id, url_hash, url, status, result)
                   select * from unnest(%s::text[], %s::bytea[], %s::text[], %s::text[], %s::bytea[])
                   on conflict (batch_id, url_hash) do update
                     set status = excluded.status, result = excluded.result, updated_at = now()
                     where batch_items.status = 'missing'""",
                [
                    [batch for batch, _ in rows],
                    [key for _, key in rows],
                    [result.url.replace("\0", "") for _, result in rows.values()],
                    [result.status for _, result in rows.values()],
                    [_encode(result) for _, result in rows.values()],
                ],
            )

    async def find(self, batch_id: str, url: str) -> ItemResult | None:
        """The stored result of a URL."""
        async with self._database.connection("items.find", batch=batch_id) as connection:
            found = await connection.execute(
                "select result from batch_items where batch_id = %s and url_hash = %s",
                [batch_id, hash_url(url)],
            )
            row = await found.fetchone()
        return _decode(row[0]) if row and row[0] is not None else None

    async def pages(self, batch_id: str) -> AsyncIterator[list[SavedItem]]:
        """All rows of a batch, in pages."""
        after = b""
        while True:
            async with self._database.connection("items.page", batch=batch_id) as connection:
                found = await connection.execute(
                    "select url_hash, url, attempts, result from batch_items where batch_id = %s and url_hash > %s"
                    " order by url_hash limit %s",
                    [batch_id, after, PAGE],
                )
                rows = await found.fetchall()
            if rows:
                after = rows[-1][0]
                yield [
                    SavedItem(url=url, attempts=attempts, result=_decode(result) if result else None)
                    for _, url, attempts, result in rows
                ]
            if len(rows) < PAGE:
                return

    async def count(self, batch_id: str) -> dict[str, int]:
        """Rows of a batch by status: ok, failed, missing."""
        async with self._database.connection("items.count", batch=batch_id) as connection:
            found = await connection.execute(
                "select status, count(*) from batch_items where batch_id = %s group by status", [batch_id]
            )
            return dict(await found.fetchall())

    async def note_attempts(self, batch_id: str, urls: Sequence[str]) -> None:
        """Count one more repair of each URL that is still missing."""
        async with self._database.connection("items.attempts", batch=batch_id, count=len(urls)) as connection:
            await connection.execute(
                """insert into batch_items (batch_id, url_hash, url, status, attempts)
                   select %s, h, u, 'missing', 1 from unnest(%s::bytea[], %s::text[]) as t(h, u)
                   on conflict (batch_id, url_hash) do update
                     set attempts = batch_items.attempts + 1, updated_at = now()
                     where batch_items.status = 'missing'""",
                [batch_id, [hash_url(url) for url in urls], [url.replace("\0", "") for url in urls]],
            )
