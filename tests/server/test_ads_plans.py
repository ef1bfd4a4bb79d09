"""Lists of ads are read by index, in order: their plans, on brands with many ads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from adology.settings import AdologySettings
from adology_server.ads.filters import Filter, values_of
from adology_server.ads.listing import statement_of
from adology_server.ads.model import Sort
from tests.server.ads_rig import Ads

pytestmark = pytest.mark.timeout(120)
BRANDS, ADS = 20, 40_000


ROWS = f"""
insert into brands (id, name) select 'b' || i, 'b' || i from generate_series(1, {BRANDS}) i;
insert into batches (id, brand, state) values ('x', 'b1', 'committed');
insert into ads (source, source_ad_id, media_outcome, copy_hash, first_seen_at, last_seen_at, first_batch, last_batch)
    select 'facebook', i::text, 'media', i::text, now() - i * interval '1 minute', now(), 'x', 'x'
    from generate_series(1, {ADS}) i;
insert into feed (brand, ad_id, brands, source, source_ad_id, format, platforms, languages, first_seen_at,
        last_seen_at, looked_at, vendor_status, run_days, run_basis, landing_domain, labels, rules_passed,
        rules_failed, sha256, item, search)
    select b, id, array[b], source, source_ad_id, 'image', '{{}}', '{{}}', first_seen_at,
        last_seen_at - id * interval '1 second', now(), 'active', id % 100, 'seen', '', array['theme:' || id % 10],
        '{{}}', '{{}}', lpad(id::text, 64, '0'), '{{' || repeat(' ', 500) || '}}',
        to_tsvector('simple', 'shoes w' || id % 1000)
    from (select *, 'b' || 1 + id % {BRANDS} as b from ads) a;
insert into feed_coverage select 'b' || i, 'facebook', null, now(), 'ok', now() - interval '1 hour',
    now() - interval '1 hour' from generate_series(1, {BRANDS}) i;
insert into brandspaces (org_id, name) values ('acme', 's');
insert into brandspace_brands (brandspace_id, org_id, brand, role)
    select id, 'acme', 'b' || i, 'followed' from brandspaces, generate_series(1, 5) i;
analyze
"""  # noqa: S608 - our own numbers


@pytest.fixture
def link(store_settings: AdologySettings) -> Iterator[psycopg.Connection[Any]]:
    """The server's role, in an organisation whose brandspace has five of the brands."""
    ads = Ads(store_settings)
    ads.add_org("acme")
    for statement in ROWS.split(";"):
        ads.rows(statement.replace("%", "%%").encode())
    with psycopg.connect(store_settings.postgres.url, autocommit=True) as link:
        link.execute("set role adology_app")
        link.execute("select set_config('adology.org_id', 'acme', false)")
        yield link


def explain(link: psycopg.Connection[Any], which: Filter, sort: Sort = "newest", *, collapse: bool = False) -> str:
    """The plan of the second page, run."""
    ((space,),) = link.execute("select id from brandspaces").fetchall()
    key: Any = 50 if sort == "longest" else datetime.now(UTC) - timedelta(hours=1)
    values = {**values_of(which), "space": space, "stale": timedelta(days=3), "key": key, "ad": 1}
    statement = statement_of(which, sort, limit=51, begun=True, collapse=collapse)
    return "\n".join(row[0] for row in link.execute(f"explain (analyze) {statement}", values).fetchall())


def test_each_order_is_read_from_its_index(link: psycopg.Connection[Any]) -> None:
    orders: tuple[tuple[Sort, str], ...] = (
        ("newest", "feed_newest"),
        ("last_seen", "feed_last_seen"),
        ("longest", "feed_longest"),
    )
    for sort, index in orders:
        for which in (Filter(), Filter(status=("running",)), Filter(label=("theme:3",)), Filter(role=("followed",))):
            plan = explain(link, which, sort)
            assert f"Index Scan using {index} on feed f" in plan, (sort, which, plan)
            assert "Seq Scan on feed " not in plan
            # Sorted is only what the indexes gave, a page for each brand.
            assert plan.count("Sort Key") == 1, plan


def test_words_are_found_by_their_index(link: psycopg.Connection[Any]) -> None:
    plan = explain(link, Filter(q="w7"))
    assert "Function Scan on feed_found" in plan
    assert "Seq Scan on feed " not in plan
    found = "select f.ad_id from feed f where f.search @@ ad_query('w7') and f.brand = any(array['b1','b8'])"
    link.execute("reset role")
    inside = "\n".join(row[0] for row in link.execute(f"explain {found}").fetchall())
    assert "feed_by_words" in inside


def test_near_duplicates_are_looked_up_by_creative(link: psycopg.Connection[Any]) -> None:
    plan = explain(link, Filter(), collapse=True)
    assert plan.count("feed_by_asset on feed g") == 2, plan
    assert "Seq Scan on feed " not in plan
