"""The plans of lists of ads: read by index, in order, whatever is filtered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg

from adology_server.ads.filters import Filter, values_of
from adology_server.ads.listing import statement_of
from adology_server.ads.model import Sort

ORDERS: Final[dict[Sort, str]] = {
    "newest": "feed_newest", "last_seen": "feed_last_seen", "longest": "feed_longest",
}  # fmt: skip


def explain(
    link: psycopg.Connection[Any], space: Any, which: Filter, sort: Sort = "newest", *, collapse: bool = False
) -> str:
    """The plan of the second page, run."""
    key: Any = 50 if sort == "longest" else datetime.now(UTC) - timedelta(hours=1)
    values = {**values_of(which), "space": space, "stale": timedelta(days=3), "key": key, "ad": 1}
    statement = statement_of(which, sort, limit=51, begun=True, collapse=collapse)
    return "\n".join(row[0] for row in link.execute(f"explain (analyze) {statement}", values).fetchall())


def check_orders(link: psycopg.Connection[Any], space: Any, filters: list[Filter]) -> int:
    """Each order under each filter; how many plans were looked at.

    Raises:
        AssertionError: one reads the feed otherwise than by the index of its order.
    """
    for sort, index in ORDERS.items():
        for which in filters:
            plan = explain(link, space, which, sort)
            assert plan.count(f"Index Scan using {index} on feed f") == 2, (sort, which, plan)
            assert "Seq Scan on feed " not in plan, (sort, which, plan)
            # Sorted is only what the indexes gave: for the last row of the page, the last of each brand, the page.
            assert plan.count("Sort Key") == 3, (sort, which, plan)
    return len(ORDERS) * len(filters)


def check_words(link: psycopg.Connection[Any], space: Any, word: str) -> None:
    """A search for a word goes by its index.

    Raises:
        AssertionError: it does not.
    """
    plan = explain(link, space, Filter(q=word))
    assert "Function Scan on feed_found" in plan, plan
    assert "Seq Scan on feed " not in plan, plan


def check_near_duplicates(link: psycopg.Connection[Any], space: Any) -> None:
    """Near-duplicates are looked up by creative.

    Raises:
        AssertionError: they are not.
    """
    plan = explain(link, space, Filter(), collapse=True)
    assert "Seq Scan on feed " not in plan, plan
    assert plan.count("feed_by_asset on feed g") == 3, plan
