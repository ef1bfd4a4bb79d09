"""The customer database source over real SQLite files."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
import tracemalloc
from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import sqlalchemy as sa

from adology import Ad, Brand, ConfigError, Page, Retry
from adology_customer_db import Columns, CustomerDb, Mark, rows
from adology_customer_db.connection import parse_url
from adology_customer_db.source import MAX_ROWS_PER_AD, _Ads
from tests.unit.customer_db.conftest import (
    BRAND,
    COLUMNS,
    NOW,
    QUERY,
    Insert,
    make_context,
    make_settings,
    read_ads,
    read_pages,
)

FOREVER = "with recursive n(i) as (select 1 union all select i + 1 from n) select i as id from n"
FOREVER_NOTHING = f"{FOREVER} where i < 0"


def row(number: int, **over: Any) -> dict[str, Any]:
    stamp = f"2026-05-{number:02d} 10:00:00"
    return {"id": f"ad-{number}", "body": f"Body {number}", "updated_at": stamp, **over}


def test_a_row_becomes_an_ad_of_the_organisation(url: str, insert: Insert) -> None:
    insert(
        row(
            1,
            headline="Half price",
            image_url="https://cdn.acme.example/a.jpg",
            video_url="https://cdn.acme.example/a.mp4",
            landing_url="https://acme.example/sale",
            starts_on="2026-05-01",
            ends_on="2026-05-20",
        )
    )
    (ad,) = read_ads(make_settings(url))
    assert (ad.id, ad.owner_org_id, ad.bodies, ad.titles) == ("ad-1", "org-1", ("Body 1",), ("Half price",))
    assert [(m.url, m.kind, m.position) for m in ad.media] == [
        ("https://cdn.acme.example/a.jpg", "image", 0),
        ("https://cdn.acme.example/a.mp4", "video", 1),
    ]
    assert (ad.started_on, ad.stopped_on, ad.status) == (date(2026, 5, 1), date(2026, 5, 20), "stopped")
    assert ad.raw["updated_at"] == "2026-05-01 10:00:00"
    assert msgspec.json.decode(msgspec.json.encode(ad), type=type(ad)) == ad


def test_only_the_rows_of_the_brands_handles_are_read(url: str, insert: Insert) -> None:
    insert(row(1), row(2, brand="OTHER"), row(3, brand="ACME-DE"))
    two = Brand(id="acme", handles={"customer_db": ("ACME", "ACME-DE")})
    assert [ad.id for ad in read_ads(make_settings(url))] == ["ad-1"]
    assert [ad.id for ad in read_ads(make_settings(url), brand=two)] == ["ad-1", "ad-3"]


def test_a_brand_without_handle_gets_nothing(url: str, insert: Insert) -> None:
    insert(row(1), row(2, brand=""))
    query = "select * from ads"
    assert read_ads(make_settings(url, query=query), brand=Brand(id="stranger")) == []


def test_pages_come_oldest_first_and_each_cursor_is_good(url: str, insert: Insert) -> None:
    insert(*(row(n) for n in (5, 1, 4, 2, 3)))
    pages = read_pages(make_settings(url, page_size=2, lag_s=0))
    assert [ad.id for page in pages for ad in page.ads] == [f"ad-{n}" for n in range(1, 6)]
    cursors = [page.cursor for page in pages]
    assert None not in cursors
    assert cursors == sorted(cast("list[Mark]", cursors))
    for at, page in enumerate(pages):
        later = {ad.id for ad in read_ads(make_settings(url, lag_s=0), page.cursor)}
        assert {ad.id for rest in pages[at + 1 :] for ad in rest.ads} <= later


def test_a_resumed_gathering_goes_on_after_the_stored_page(url: str, insert: Insert) -> None:
    insert(*(row(n) for n in range(1, 10)))
    settings = make_settings(url, page_size=3)
    pages = read_pages(settings)
    for at, page in enumerate(pages):
        rest = {ad.id for ad in read_ads(settings, resume=page.resume)}
        missing = {ad.id for later in pages[at + 1 :] for ad in later.ads} - rest
        assert not missing
    assert len(read_ads(settings, resume=pages[-1].resume)) == 1


def test_rows_that_tie_with_the_cursor_are_not_lost(url: str, insert: Insert) -> None:
    insert(row(1), row(2))
    settings = make_settings(url, lag_s=0)
    cursor = read_pages(settings)[-1].cursor
    insert(row(3, updated_at="2026-05-02 10:00:00"), row(4, updated_at="2026-05-02 10:00:00"))
    assert {"ad-3", "ad-4"} <= {ad.id for ad in read_ads(settings, cursor)}


def test_late_rows_within_the_lag_are_found_and_older_ones_are_not_read_again(url: str, insert: Insert) -> None:
    insert(row(1), row(10))
    cursor = read_pages(make_settings(url))[-1].cursor
    insert(row(11, updated_at="2026-05-10 09:15:00"))
    assert [ad.id for ad in read_ads(make_settings(url, lag_s=3600), cursor)] == ["ad-11", "ad-10"]
    assert [ad.id for ad in read_ads(make_settings(url, lag_s=60), cursor)] == ["ad-10"]


def test_reading_the_lag_again_never_moves_the_cursor_back(url: str, insert: Insert, database: Path) -> None:
    insert(row(1), row(2, updated_at="2026-05-01 10:30:00"))
    cursor = read_pages(make_settings(url))[-1].cursor
    with sqlite3.connect(database) as link:
        link.execute("delete from ads where id = 'ad-2'")
    link.close()
    assert read_pages(make_settings(url), cursor)[-1].cursor == cursor


def test_a_date_in_the_future_does_not_hide_what_comes_after_it(url: str, insert: Insert) -> None:
    insert(row(1), row(2, updated_at="2099-01-01 00:00:00"))
    settings = make_settings(url, lag_s=0)
    cursor = read_pages(settings)[-1].cursor
    insert(row(3, updated_at="2026-06-01 12:00:01"))
    assert "ad-3" in {ad.id for ad in read_ads(settings, cursor, now=NOW + timedelta(hours=1))}


def test_rows_without_a_cursor_value_are_read_every_time(url: str, insert: Insert) -> None:
    insert(row(1, updated_at=None), row(2))
    settings = make_settings(url, lag_s=0)
    cursor = read_pages(settings)[-1].cursor
    assert [ad.id for ad in read_ads(settings, cursor)] == ["ad-1", "ad-2"]


def test_a_whole_number_cursor_reads_again_by_lag_number(url: str, database: Path) -> None:
    with sqlite3.connect(database) as link:
        link.execute("create table log (n integer, id text)")
        link.executemany("insert into log values (?, ?)", [(n, f"ad-{n}") for n in range(1, 21)])
    link.close()
    more = {"query": "select * from log", "columns": Columns(id="id"), "cursor_column": "n"}
    cursor = read_pages(make_settings(url, **more))[-1].cursor
    assert cursor == Mark("number", 20)
    assert len(read_ads(make_settings(url, lag_number=5, **more), cursor)) == 6


def test_without_a_cursor_column_every_row_is_read_each_time(url: str, insert: Insert) -> None:
    insert(row(1), row(2))
    pages = read_pages(make_settings(url, cursor_column=""))
    assert [page.cursor for page in pages] == [None] * len(pages)
    assert len([ad for page in pages for ad in page.ads]) == 2


def test_the_query_may_use_the_cursor_itself(url: str, insert: Insert) -> None:
    insert(row(1), row(9))
    query = f"{QUERY} and (:since is null or updated_at >= :since) -- newest only"
    settings = make_settings(url, query=query, lag_s=0)
    cursor = read_pages(settings)[-1].cursor
    assert len(read_ads(settings)) == 2
    assert [ad.id for ad in read_ads(settings, cursor)] == ["ad-9"]


def test_neighbouring_rows_of_one_ad_become_one_ad_even_across_pages(url: str, insert: Insert) -> None:
    for n in (1, 2, 3):
        insert(*(row(n, image_url=f"https://cdn.acme.example/{n}-{k}.jpg") for k in range(3)))
    for size in (1, 2, 4, 100):
        ads = read_ads(make_settings(url, page_size=size))
        assert [(ad.id, len(ad.media)) for ad in ads] == [("ad-1", 3), ("ad-2", 3), ("ad-3", 3)]
        assert [m.position for m in ads[0].media] == [0, 1, 2]
        assert len(ads[0].raw["more_rows"]) == 2


def test_a_row_without_id_is_told_apart_by_its_content(url: str, insert: Insert) -> None:
    insert(row(1, id=None), row(2, id=""), row(3))
    first = [ad.id for ad in read_ads(make_settings(url))]
    assert first == [ad.id for ad in read_ads(make_settings(url))]
    assert len(set(first)) == 3
    assert first[0].startswith("row-")


def test_touching_a_row_without_id_does_not_make_a_new_ad_of_it(url: str, insert: Insert, database: Path) -> None:
    insert(row(1))
    settings = make_settings(url, columns=Columns(bodies=("body",)))
    before = [ad.id for ad in read_ads(settings)]
    with sqlite3.connect(database) as link:
        link.execute("update ads set updated_at = '2026-05-30 10:00:00'")
    link.close()
    assert [ad.id for ad in read_ads(settings)] == before


@pytest.mark.parametrize(
    "value",
    [
        '["https://c.example/a.jpg", "https://c.example/b.jpg?x=1,2"]',
        "https://c.example/a.jpg,https://c.example/b.jpg?x=1,2",
        "https://c.example/a.jpg\nhttps://c.example/b.jpg?x=1,2",
    ],
)
def test_a_media_column_may_hold_several_addresses(url: str, insert: Insert, value: str) -> None:
    insert(row(1, image_url=value))
    (ad,) = read_ads(make_settings(url))
    assert [m.url for m in ad.media] == ["https://c.example/a.jpg", "https://c.example/b.jpg?x=1,2"]


def test_relative_media_need_a_base_and_are_not_taken_for_text_ads_without_one(url: str, insert: Insert) -> None:
    insert(row(1, image_url="spring/a.jpg, spring/b.jpg"))
    (ad,) = read_ads(make_settings(url))
    assert (ad.media, ad.outcome()) == ((), "unavailable")
    (ad,) = read_ads(make_settings(url, media_base_url="https://cdn.acme.example/ads/"))
    assert [m.url for m in ad.media] == [f"https://cdn.acme.example/ads/spring/{n}.jpg" for n in "ab"]


@pytest.mark.parametrize("base", ["", "https://cdn.acme.example/"])
def test_an_address_that_nobody_can_read_costs_its_row_a_creative_and_no_other_row(
    url: str, insert: Insert, base: str
) -> None:
    insert(row(1, image_url="https://[CDN]/a.jpg"), row(2, image_url="https://cdn.acme.example/b.jpg"))
    ads = read_ads(make_settings(url, media_base_url=base))
    assert [(ad.outcome(), len(ad.media)) for ad in ads] == [("unavailable", 0), ("media", 1)]


def test_a_file_address_in_the_data_is_never_handed_on(url: str, insert: Insert) -> None:
    insert(row(1, image_url="file:///etc/passwd"))
    (ad,) = read_ads(make_settings(url, media_base_url="https://cdn.acme.example/"))
    assert ad.media == ()


def test_long_texts_end_a_page_early(url: str, insert: Insert) -> None:
    insert(*(row(n, body="x" * 3_000_000) for n in range(1, 8)))
    pages = read_pages(make_settings(url, cursor_column=""))
    assert len(pages) >= 3
    assert sum(len(page.ads) for page in pages) == 7


def test_a_misspelt_column_is_named_with_the_nearest_one(url: str) -> None:
    columns = msgspec.structs.replace(COLUMNS, titles=("headlin",))
    with pytest.raises(ConfigError, match=r"sources\.customer_db\.columns\.titles: .*no column headlin.*headline\?"):
        read_ads(make_settings(url, columns=columns))


def test_a_column_is_found_whatever_its_case(url: str, insert: Insert) -> None:
    insert(row(1))
    columns = Columns(id="ID", bodies=("BODY",))
    assert [ad.bodies for ad in read_ads(make_settings(url, columns=columns, cursor_column=""))] == [("Body 1",)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select * from adds", "no such table: adds"),
        ("select * from", "refuses it"),
        ("delete from ads", "begins with 'delete'"),
        ("-- hello\n/* x */ update ads set id = 1", "begins with 'update'"),
        ("select * from ads where x = :nobody", r"parameter :nobody; allowed: :brand, :handle, :since"),
        ("select * from ads; drop table ads", "refuses it"),
        ("", "begins with ''"),
    ],
)
def test_a_query_that_cannot_work_is_a_setting_to_change(url: str, query: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected) as caught:
        read_ads(make_settings(url, query=query))
    assert caught.value.setting == "sources.customer_db.query"


def test_check_reads_no_row_and_finds_what_is_wrong(url: str) -> None:
    asyncio.run(CustomerDb().check(make_context(make_settings(url))))
    asyncio.run(
        CustomerDb().check(make_context(make_settings(url, query=FOREVER, columns=Columns(), cursor_column="")))
    )
    with pytest.raises(ConfigError, match="no such table"):
        asyncio.run(CustomerDb().check(make_context(make_settings(url, query="select * from gone"))))


@pytest.mark.parametrize("driver", ["sqlite", "sqlite+pysqlite"])
def test_a_missing_file_is_told_and_not_created(driver: str, tmp_path: Path) -> None:
    path = tmp_path / "typo.sqlite"
    with pytest.raises(ConfigError, match=r"url: SQLite file .*typo\.sqlite does not exist"):
        read_ads(make_settings(f"{driver}:///{path}"))
    assert not path.exists()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("no url at all: hunter2-secret", "is not a database URL"),
        ("sqlite+aiosqlite:///x", "aiosqlite"),
        ("postgresql+psycopg_async://u:hunter2-secret@127.0.0.1/x", "names the asynchronous driver .* synchronous"),
        ("postgresql+asyncpg://u:hunter2-secret@127.0.0.1/x", "asyncpg"),
        ("nosuchdb://u:hunter2-secret@127.0.0.1/x", "dialect nosuchdb"),
        ("mysql+nosuchdriver://u:hunter2-secret@127.0.0.1/x", "nosuchdriver"),
    ],
)
def test_a_url_that_cannot_work_is_told_without_its_password(url: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected) as caught:
        read_ads(make_settings(url))
    assert caught.value.setting == "sources.customer_db.url"
    assert "hunter2" not in str(caught.value)


def test_a_database_that_is_away_is_tried_again_and_the_password_is_not_shown() -> None:
    settings = make_settings("postgresql://reader:hunter2-secret@127.0.0.1:1/ads", timeout_s=3)
    with pytest.raises(Retry, match=r"cannot connect to postgresql database 127\.0\.0\.1:1/ads") as caught:
        read_ads(settings)
    assert "hunter2" not in str(caught.value)


def test_a_connection_of_ours_cannot_write(url: str) -> None:
    from adology_customer_db.connection import Link, parse_url

    link = Link(parse_url(url, "url"), 5, "url")
    try:
        with pytest.raises(Exception, match="readonly database"):
            link.open().exec_driver_sql("insert into ads (id) values ('x')")
    finally:
        link.close()


def test_a_query_without_end_is_interrupted_after_its_time(url: str) -> None:
    settings = make_settings(url, query=FOREVER_NOTHING, columns=Columns(), cursor_column="", timeout_s=0.3)
    started = time.monotonic()
    with pytest.raises(Retry, match=r"more than 0\.3 s \(setting sources\.customer_db\.timeout_s\)"):
        read_ads(settings)
    assert time.monotonic() - started < 5


def test_cancelling_a_slow_query_ends_it_and_its_thread(url: str) -> None:
    settings = make_settings(url, query=FOREVER_NOTHING, columns=Columns(), cursor_column="", timeout_s=50)

    async def run() -> None:
        task = asyncio.ensure_future(anext(CustomerDb().pages(make_context(settings), BRAND, None)))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    started = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - started < 5
    assert not [t for t in threading.enumerate() if t.name.startswith("customer_db-rows")]


def test_closing_early_leaves_neither_thread_nor_connection(url: str, insert: Insert, database: Path) -> None:
    insert(*(row(n) for n in range(1, 29)))

    async def run() -> None:
        pages = CustomerDb().pages(make_context(make_settings(url, page_size=2)), BRAND, None)
        await anext(pages)
        await cast("AsyncGenerator[Page[Mark], None]", pages).aclose()

    asyncio.run(run())
    assert not [t for t in threading.enumerate() if t.name.startswith("customer_db-rows")]
    with sqlite3.connect(database, timeout=0.2, isolation_level="EXCLUSIVE") as link:
        link.execute("delete from ads")
    link.close()


def test_many_rows_pass_in_bounded_memory() -> None:
    many = """with recursive n(i) as (select 1 union all select i + 1 from n where i < 6000)
        select i as id, hex(zeroblob(2000)) as body from n"""
    columns = Columns(id="id", bodies=("body",))
    settings = make_settings(
        "sqlite:///file::memory:?uri=true", query=many, columns=columns, cursor_column="", page_size=200
    )

    async def run() -> int:
        return sum([len(page.ads) async for page in CustomerDb().pages(make_context(settings), BRAND, None)])

    tracemalloc.start()
    try:
        assert asyncio.run(run()) == 6_000
        assert tracemalloc.get_traced_memory()[1] < 12_000_000, "24 MB of texts are in the table"
    finally:
        tracemalloc.stop()


def test_text_that_is_not_utf_8_does_not_end_the_gathering(url: str, insert: Insert, database: Path) -> None:
    insert(row(1), row(2))
    with sqlite3.connect(database) as link:
        link.execute("update ads set body = cast(x'ff48690041' as text) where id = 'ad-1'")
    link.close()
    assert [ad.bodies for ad in read_ads(make_settings(url))] == [("\N{REPLACEMENT CHARACTER}HiA",), ("Body 2",)]


def test_the_settings_never_show_the_url() -> None:
    assert "hunter2" not in repr(make_settings("postgresql://u:hunter2@h/x"))


def test_now_is_the_contexts_not_the_clocks(url: str, insert: Insert) -> None:
    insert(row(1, ends_on="2026-05-20"))
    (ad,) = read_ads(make_settings(url), now=datetime(2026, 5, 19, tzinfo=UTC))
    assert ad.status == "active"


def test_a_column_that_tells_no_ads_apart_is_a_setting_to_change(url: str, insert: Insert) -> None:
    insert(*(row(1, id="same") for _ in range(MAX_ROWS_PER_AD + 1)))
    with pytest.raises(ConfigError, match=r"columns\.id: more than 1000 rows in a row have the id 'same'") as caught:
        read_ads(make_settings(url))
    assert caught.value.code == "ADO-2308"


def test_a_cursor_column_without_an_order_is_a_setting_to_change(url: str) -> None:
    ads = _Ads(make_context(make_settings(url)), None)
    with pytest.raises(ConfigError, match=r"cursor_column: updated_at holds a truth value; allowed: numbers, "):
        ads.add([(Ad(id="1"), True)])


def test_a_driver_that_never_answers_is_waited_for_no_longer_than_was_set(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_GRACE_S", 0.05)

    async def ask() -> None:
        statement = sa.select(sa.text("1"))
        async with rows.Rows(
            parse_url(url, "url"), statement, plugin="customer_db", page_size=1, timeout_s=0.1
        ) as found:
            await found._run("sleep", lambda: time.sleep(0.5))

    with pytest.raises(Retry, match=r"did not answer within 0\.1 s\. The setting is sources\.customer_db\.timeout_s"):
        asyncio.run(ask())
