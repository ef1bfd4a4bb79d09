"""Pages of ads hold what a sort of all rows would give, however unevenly brands share the page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adology.settings import AdologySettings
from adology_server.ads.filters import Filter, values_of
from adology_server.ads.listing import statement_of
from tests.server.ads_rig import Ads, sha

pytestmark = pytest.mark.timeout(120)
BRANDS, MOST = 4, 40
WORLD = f"""
insert into brands (id, name) select 'b' || i, 'b' || i from generate_series(1, {BRANDS}) i;
insert into batches (id, brand, state) values ('x', 'b1', 'committed');
insert into ads (source, source_ad_id, media_outcome, copy_hash, first_seen_at, last_seen_at, first_batch, last_batch)
    select 'facebook', i::text, 'media', i::text, now(), now(), 'x', 'x' from generate_series(1, {MOST}) i;
insert into brandspaces (org_id, name) values ('acme', 's');
insert into brandspace_brands (brandspace_id, org_id, brand, role)
    select id, 'acme', 'b' || i, 'followed' from brandspaces, generate_series(1, {BRANDS}) i;
insert into feed_coverage select 'b' || i, 'facebook', null, now(), 'ok', now() - interval '1 hour',
    now() - interval '1 hour' from generate_series(1, {BRANDS}) i
"""  # noqa: S608 - our own numbers
ROW = """
insert into feed (brand, ad_id, brands, source, source_ad_id, format, platforms, languages, first_seen_at,
        last_seen_at, looked_at, vendor_status, run_days, run_basis, landing_domain, labels, rules_passed,
        rules_failed, sha256)
    values (%(brand)s, %(ad)s, %(brands)s, 'facebook', %(ad)s, 'image', '{}', '{}', now(), now(), now(),
        %(status)s, %(days)s, 'seen', '', %(labels)s, '{}', '{}', %(sha)s)"""


class Ad(NamedTuple):
    """A row of the feed; `also` is another brand that has the ad."""

    brand: int
    also: int
    days: int
    labelled: bool
    stopped: bool
    creative: int


AD = st.builds(
    Ad,
    brand=st.sampled_from([1, 1, 1, 2, 3, BRANDS]),
    also=st.integers(1, BRANDS),
    days=st.integers(0, 9),
    labelled=st.booleans(),
    stopped=st.booleans(),
    creative=st.integers(0, 12),
)
# Of each length as often: lists are short otherwise, and pages hold all of them.
ADS = st.integers(0, MOST).flatmap(lambda ads: st.lists(AD, min_size=ads, max_size=ads))
UNEVEN = [Ad(1, 1, 9, True, False, place) for place in range(30)] + [Ad(2, 2, 1, True, False, 40 + n) for n in range(9)]
FILTERS = st.builds(
    Filter, label=st.sampled_from([(), ("theme:a",)]), status=st.sampled_from([(), ("running", "unknown")])
)


@pytest.fixture
def link(store_settings: AdologySettings) -> Iterator[psycopg.Connection[Any]]:
    """The server's own rows, in a database that has four brands in a brandspace."""
    ads = Ads(store_settings)
    ads.add_org("acme")
    for statement in WORLD.split(";"):
        ads.rows(statement.encode())
    with psycopg.connect(store_settings.postgres.url, autocommit=True) as link:
        yield link


def fill(link: psycopg.Connection[Any], ads: list[Ad]) -> None:
    """Make the feed what `ads` says."""
    link.execute("delete from feed")
    with link.cursor() as cursor:
        for number, ad in enumerate(ads, start=1):
            brands = [f"b{brand}" for brand in sorted({ad.brand, ad.also})]
            told = {
                "ad": number, "brands": brands, "days": ad.days, "sha": sha(str(ad.creative)),
                "status": "stopped" if ad.stopped else "active", "labels": ["theme:a"] if ad.labelled else [],
            }  # fmt: skip
            cursor.executemany(ROW, [{**told, "brand": brand} for brand in brands])
    link.execute("insert into feed_items (brand, ad_id, item, search) select brand, ad_id, '{}', '' from feed")


def expected(ads: list[Ad], which: Filter, *, collapse: bool) -> list[int]:
    """The ids of all pages, by sorting."""
    left = [
        (ad.days, number, ad.creative)
        for number, ad in enumerate(ads, start=1)
        if (ad.labelled or not which.label) and not (ad.stopped and which.status)
    ]
    found, creatives = [], set()
    for _, number, creative in sorted(left, reverse=True):
        if not collapse or creative not in creatives:
            found.append(number)
            creatives.add(creative)
    return found


def walk(link: psycopg.Connection[Any], which: Filter, limit: int, *, collapse: bool) -> list[int]:
    """The ids of all pages, page after page."""
    found: list[int] = []
    ((space,),) = link.execute("select id from brandspaces").fetchall()
    values = {**values_of(which), "space": space, "stale": timedelta(days=3)}
    while True:
        text = statement_of(which, "longest", limit=limit, begun="key" in values, collapse=collapse)
        rows = link.execute(text, values).fetchall()
        assert len(rows) <= limit
        found += [row[0] for row in rows]
        if len(rows) < limit:
            return found
        values["ad"], values["key"] = rows[-1][0], rows[-1][1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ads=ADS, which=FILTERS, limit=st.integers(2, 45), collapse=st.booleans())
@example(ads=UNEVEN, which=Filter(), limit=21, collapse=False)
@example(ads=UNEVEN, which=Filter(label=("theme:a",)), limit=34, collapse=False)
def test_pages_are_those_of_a_sort_of_all_rows(
    link: psycopg.Connection[Any], ads: list[Ad], which: Filter, limit: int, *, collapse: bool
) -> None:
    fill(link, ads)
    assert walk(link, which, limit, collapse=collapse) == expected(ads, which, collapse=collapse)
