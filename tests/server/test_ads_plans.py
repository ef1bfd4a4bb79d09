"""Lists of ads are read by index, in order: their plans, on brands with many ads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from adology.settings import AdologySettings
from adology_server.ads.filters import Filter
from adology_server.tenancy import PLANNER
from tests.server.ads_rig import Ads
from tests.server.plans import check_near_duplicates, check_orders, check_words

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
        rules_failed, sha256)
    select b, id, array[b], source, source_ad_id, 'image', '{{}}', '{{}}', first_seen_at,
        last_seen_at - id * interval '1 second', now(), 'active', id % 100, 'seen', '', array['theme:' || id % 10],
        '{{}}', '{{}}', lpad(id::text, 64, '0')
    from (select *, 'b' || 1 + id % {BRANDS} as b from ads) a;
insert into feed_items (brand, ad_id, item, search)
    select brand, ad_id, '{{' || repeat(' ', 500) || '}}', to_tsvector('simple', 'shoes w' || ad_id % 1000) from feed;
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
    with psycopg.connect(store_settings.postgres.url, autocommit=True, options=PLANNER) as link:
        link.execute("set role adology_app")
        link.execute("select set_config('adology.org_id', 'acme', false)")
        yield link


def space_of(link: psycopg.Connection[Any]) -> Any:
    ((space,),) = link.execute("select id from brandspaces").fetchall()
    return space


def test_each_order_is_read_from_its_index(link: psycopg.Connection[Any]) -> None:
    filters = [Filter(), Filter(status=("running",)), Filter(label=("theme:3",)), Filter(role=("followed",))]
    assert check_orders(link, space_of(link), filters) == 12


def test_words_are_found_by_their_index(link: psycopg.Connection[Any]) -> None:
    check_words(link, space_of(link), "w7")
    found = "select f.ad_id from feed_items f where f.search @@ ad_query('w7') and f.brand = any(array['b1','b8'])"
    link.execute("reset role")
    inside = "\n".join(row[0] for row in link.execute(f"explain {found}").fetchall())
    assert "feed_by_words" in inside


def test_near_duplicates_are_looked_up_by_creative(link: psycopg.Connection[Any]) -> None:
    check_near_duplicates(link, space_of(link))
