"""Why URLs of a batch failed, grouped by reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from adology.cli.model import FailureLine
from adology.engine.model import Batch
from adology.store import Database, Items

MAX_ROWS = 100_000
_VARIABLE = re.compile(r"https?://\S+|file:\S+|\b[0-9a-f]{16,}\b|\b\d+(?:\.\d+)?\b")


async def list_failures(database: Database, batch: Batch) -> list[FailureLine]:
    """Failures of the batch, most frequent reason first: committed ones, or those counted so far."""
    if batch.state == "committed":
        async with database.connection("failures.list", batch=batch.id) as connection:
            found = await connection.execute(
                "select error_code, error, url from failures where batch_id = %s order by url limit %s",
                [batch.id, MAX_ROWS],
            )
            return group([(str(code), str(error), str(url)) for code, error, url in await found.fetchall()])
    rows = [
        (item.result.error_code or "", item.result.error or "", item.url)
        async for page in Items(database).pages(batch.id)
        for item in page
        if item.result is not None and item.result.status == "failed"
    ]
    return group(rows)


def group(rows: Iterable[tuple[str, str, str]]) -> list[FailureLine]:
    """One line per code and reason; addresses and numbers in a reason do not tell reasons apart."""
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for code, reason, url in rows:
        key = (code, _VARIABLE.sub("…", reason))
        counts[key] += 1
        first.setdefault(key, (reason, url))
    lines = []
    for key, number in counts.most_common():
        reason, url = first[key]
        lines.append(FailureLine(code=key[0], reason=reason if number == 1 else key[1], count=number, example=url))
    return lines
