"""The customer database source over a real PostgreSQL: types, read-only, server-side cursor, cancel."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, date, datetime
from typing import Any, cast

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from adology import Brand, ConfigError, Retry, Spend
from adology_customer_db import Columns, CustomerDb, Mark
from tests.unit.customer_db.conftest import (
    BRAND,
    QUERY,
    make_context,
    make_settings,
    read_ads,
    read_pages,
)

pytestmark = pytest.mark.stack
Connection = psycopg.Connection[Any]

TABLE = """create table ads (id bigint primary key, brand text, body text, tags text[], media jsonb,
    spent numeric(12,4), live boolean, "startsOn" date, thumb bytea,
    key uuid default gen_random_uuid(), updated_at timestamptz)"""
COLUMNS = Columns(
    id="id", bodies=("body",), platforms="tags", media=("media",), spend="spent", status="live", started_on="startsOn"
)


@pytest.fixture
def ads(postgres_link: Connection) -> Connection:
    postgres_link.execute(TABLE)
    postgres_link.execute(
        """insert into ads (id, brand, body, updated_at)
        select n, 'ACME', 'Body ' || n, timestamptz '2026-05-01 10:00:00.123456+02' + n * interval '1 hour'
        from generate_series(1, 20) n"""
    )
    return postgres_link


def settings(url: str, **over: Any) -> Any:
    return make_settings(url, **{"columns": COLUMNS, **over})


def test_columns_of_every_type_arrive_as_plain_data(postgres: str, ads: Connection) -> None:
    ads.execute(
        """update ads set tags = %s, media = %s, spent = 12.5, live = true, "startsOn" = '2026-05-01', thumb = %s
        where id = 1""",
        [["facebook", "instagram"], Jsonb(["https://c.example/a.mp4"]), b"\xff" * 5000],
    )
    ad = read_ads(settings(postgres))[0]
    assert (ad.id, ad.platforms, ad.status) == ("1", ("facebook", "instagram"), "active")
    assert ad.spend == Spend(lower=12.5, upper=12.5)
    assert ad.started_on == date(2026, 5, 1)
    assert [m.url for m in ad.media] == ["https://c.example/a.mp4"]
    assert (ad.raw["spent"], ad.raw["thumb"], ad.raw["startsOn"]) == ("12.5000", "5000 bytes", "2026-05-01")
    assert ad.raw["updated_at"].startswith("2026-05-01T")


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("updated_at", "timestamp"),
        ("updated_at at time zone 'utc'", "local"),
        ("updated_at::date", "date"),
        ("id", "number"),
        ("id::numeric / 3", "number"),
        ("id::float8", "number"),
        ("to_char(id, '0000')", "text"),
        ("int8send(id)", "bytes"),
    ],
)
def test_a_cursor_of_any_type_finds_what_is_new_and_loses_no_tie(
    postgres: str, ads: Connection, column: str, kind: str
) -> None:
    query = QUERY.replace("*", f"*, {column} as moved")
    given = settings(postgres, query=query, cursor_column="moved", lag_s=0, page_size=7)
    pages = read_pages(given)
    cursor = cast("Mark", pages[-1].cursor)
    assert cursor.kind == kind
    assert sum(len(page.ads) for page in pages) == 20
    ads.execute("insert into ads (id, brand, updated_at) select 21, 'ACME', max(updated_at) from ads")
    again = [ad.id for ad in read_ads(given, cursor)]
    assert {"20", "21"} <= set(again)
    assert len(again) <= 21 if kind in {"date", "local"} else len(again) <= 3


def test_several_handles_are_asked_for_together_in_order(postgres: str, ads: Connection) -> None:
    ads.execute("update ads set brand = 'ACME-DE' where id % 2 = 0")
    brand = Brand(id="acme", handles={"customer_db": ("ACME", "ACME-DE", "ACME-FR")})
    query = "select * from ads where brand = :handle order by id desc limit 100"
    found = read_ads(settings(postgres, query=query, page_size=3), brand=brand)
    assert [int(ad.id) for ad in found] == list(range(1, 21))


@pytest.mark.usefixtures("ads")
def test_the_query_may_use_the_cursor_itself(postgres: str) -> None:
    query = """with recent as (select * from ads where cast(:since as timestamptz) is null or updated_at >= :since)
        select * from recent where brand = :handle and :brand = 'acme';"""
    given = settings(postgres, query=query, lag_s=0)
    assert len(read_ads(given)) == 20
    assert [ad.id for ad in read_ads(given, read_pages(given)[-1].cursor)] == ["20"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("with gone as (delete from ads returning *) select * from gone", "top level"),
        ("select setval('ads_seq', 5) as id, now() as updated_at", "never allowed"),
        ("select id, wrong from ads", 'column "wrong" does not exist'),
        ("select 1 / 0 as id, now() as updated_at", "division by zero"),
    ],
)
def test_a_query_that_writes_or_is_wrong_is_a_setting_to_change(
    postgres: str, ads: Connection, query: str, expected: str
) -> None:
    ads.execute("create sequence if not exists ads_seq")
    with pytest.raises(ConfigError, match=expected) as caught:
        read_ads(settings(postgres, query=query, columns=Columns(id="id")))
    assert caught.value.setting == "sources.customer_db.query"
    assert ads.execute("select count(*) from ads").fetchone() == (20,)


def test_a_wrong_password_is_a_setting_to_change_and_is_not_shown(postgres: str) -> None:
    wrong = postgres.replace("://adology:", "://adology:hunter2-")
    with pytest.raises(ConfigError, match=r"url: postgresql database .* refuses us") as caught:
        read_ads(settings(wrong))
    assert "hunter2" not in str(caught.value)
    assert wrong.split(":")[2].split("@")[0] not in str(caught.value)


def test_a_slow_statement_is_ended_by_the_database(postgres: str) -> None:
    query = "select pg_sleep(30), 1 as id, now() as updated_at"
    started = time.monotonic()
    with pytest.raises(Retry, match=r"more than 0\.5 s") as caught:
        read_ads(settings(postgres, query=query, columns=Columns(id="id"), timeout_s=0.5))
    assert caught.value.code == "ADO-2301"
    assert time.monotonic() - started < 5


def test_cancelling_ends_the_statement_in_the_database(postgres: str, postgres_link: Connection) -> None:
    query = "select pg_sleep(50), 1 as id, now() as updated_at"
    given = settings(postgres, query=query, columns=Columns(id="id"))

    async def run() -> None:
        task = asyncio.ensure_future(anext(CustomerDb().pages(make_context(given), BRAND, None)))
        while not _running(postgres_link):  # noqa: ASYNC110 - another server's state has no event
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert _running(postgres_link) == 0
    assert not [t for t in threading.enumerate() if t.name.startswith("customer_db-rows")]


def test_rows_stay_in_the_database_until_they_are_asked_for(postgres: str, ads: Connection) -> None:
    ads.execute("create sequence if not exists read_rows")
    ads.execute("insert into ads (id, brand, updated_at) select n, 'ACME', now() from generate_series(21, 5000) n")
    given = settings(postgres, page_size=50)

    async def run() -> int:
        pages = CustomerDb().pages(make_context(given), BRAND, None)
        await anext(pages)
        cursors = ads.execute(
            "select count(*) from pg_stat_activity where query ilike 'fetch%' or query ilike 'declare%'"
        )
        open_cursors = cast("tuple[int]", cursors.fetchone())[0]
        await cast("Any", pages).aclose()
        return open_cursors

    assert asyncio.run(run()) == 1
    ours = "select count(*) from pg_stat_activity where application_name = 'adology' and datname = current_database()"
    assert ads.execute(ours).fetchone() == (0,)


def test_the_connection_lost_under_way_is_worth_another_try(postgres: str, ads: Connection) -> None:
    ads.execute("insert into ads (id, brand, updated_at) select n, 'ACME', now() from generate_series(21, 5000) n")

    async def run() -> None:
        pages = CustomerDb().pages(make_context(settings(postgres, page_size=50)), BRAND, None)
        await anext(pages)
        ads.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'adology'")
        async for _page in pages:
            pass

    with pytest.raises(Retry, match="reading from postgresql database"):
        asyncio.run(run())


def test_a_login_that_may_only_read_is_enough(postgres: str, ads: Connection) -> None:
    ads.execute("drop owned by reader" if _has_reader(ads) else "create role reader login")
    ads.execute(sql.SQL("alter role reader password {}").format("only-reads"))
    ads.execute("grant select on ads to reader")
    place = postgres.split("@", 1)[1]
    assert len(read_ads(settings(f"postgresql+psycopg://reader:only-reads@{place}"))) == 20


def test_a_naive_cursor_is_not_moved_by_the_servers_time_zone(postgres: str, postgres_link: Connection) -> None:
    postgres_link.execute("create table ads (id int, brand text, updated_at timestamp)")
    postgres_link.execute("insert into ads values (1, 'ACME', '2026-05-01 10:00:00.5')")
    given = settings(postgres, columns=Columns(id="id"), lag_s=0)
    cursor = cast("Mark", read_pages(given)[-1].cursor)
    assert cursor.value == datetime(2026, 5, 1, 10, 0, 0, 500_000, tzinfo=UTC).replace(tzinfo=None)
    assert [ad.id for ad in read_ads(given, cursor)] == ["1"]


def _has_reader(link: Connection) -> bool:
    return link.execute("select 1 from pg_roles where rolname = 'reader'").fetchone() is not None


def _running(link: Connection) -> int:
    found = link.execute(
        "select count(*) from pg_stat_activity where application_name = 'adology' and wait_event = 'PgSleep'"
    ).fetchone()
    return cast("tuple[int]", found)[0]
