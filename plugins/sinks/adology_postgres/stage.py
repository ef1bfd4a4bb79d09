"""The batch in temporary tables: streamed in by COPY, dropped with the transaction.

Nothing shared is locked while ads and results are still being read from S3 and the item store.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeVar

from adology import CommitBatch
from adology.store.database import Connection
from adology_postgres.rows import AD_COLUMNS, RESULT_COLUMNS, ad_row, result_row

T = TypeVar("T")


async def stage_batch(connection: Connection, batch: CommitBatch) -> None:
    """Fill `staged_ads` and `staged_results`, in the caller's transaction."""
    await _stage(connection, "staged_ads", AD_COLUMNS, batch.ads(), ad_row)
    await _stage(connection, "staged_results", RESULT_COLUMNS, batch.results(), result_row)
    # Temporary tables have no statistics of their own accord: without them joins are guesses. Of
    # what is joined only: statistics of the wide columns cost as much as staging the rows.
    await connection.execute(
        "analyze staged_ads (source, source_ad_id, owner_org_id), staged_results (url_hash, sha256, source_ad_id)"
    )


async def _stage(
    connection: Connection,
    table: str,
    columns: Mapping[str, str],
    items: AsyncIterator[T],
    as_row: Callable[[T], tuple[Any, ...]],
) -> None:
    described = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    await connection.execute(f"create temporary table {table} ({described}) on commit drop".encode())
    statement = f"copy {table} ({', '.join(columns)}) from stdin (format binary)".encode()
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        # Rows hold lists as bytes that are already in the form of the list's type.
        copy.set_types(["bytea" if kind.endswith("[]") else kind for kind in columns.values()])
        async for item in items:
            await copy.write_row(as_row(item))
