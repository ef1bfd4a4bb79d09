"""Real databases for the customer database source: SQLite files, and PostgreSQL started once."""

from __future__ import annotations

import asyncio
import sqlite3
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adology import Ad, Brand, Context, Page
from adology.embedded import start_stack, stop_stack
from adology_customer_db import Columns, CustomerDb, CustomerDbSettings, Mark

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
BRAND = Brand(id="acme", handles={"customer_db": ("ACME",)})
QUERY = "select * from ads where brand = :handle"
COLUMNS = Columns(
    id="id",
    bodies=("body",),
    titles=("headline",),
    images=("image_url",),
    videos=("video_url",),
    landing_url="landing_url",
    started_on="starts_on",
    stopped_on="ends_on",
)
TABLE = """create table ads (id text, brand text, body text, headline text, image_url text, video_url text,
    landing_url text, starts_on text, ends_on text, updated_at timestamp)"""

Insert = Callable[..., None]


def make_settings(url: str, **over: Any) -> CustomerDbSettings:
    given = {"owner_org_id": "org-1", "query": QUERY, "columns": COLUMNS, "cursor_column": "updated_at", **over}
    return CustomerDbSettings(url=url, **given)


def make_context(
    settings: CustomerDbSettings, *, now: datetime = NOW, resume: str | None = None
) -> Context[CustomerDbSettings]:
    return Context("customer_db", settings, now=lambda: now, resume=resume)


def read_pages(
    settings: CustomerDbSettings,
    since: Mark | None = None,
    *,
    brand: Brand = BRAND,
    now: datetime = NOW,
    resume: str | None = None,
) -> list[Page[Mark]]:
    async def read() -> list[Page[Mark]]:
        context = make_context(settings, now=now, resume=resume)
        return [page async for page in CustomerDb().pages(context, brand, since)]

    return asyncio.run(read())


def read_ads(settings: CustomerDbSettings, since: Mark | None = None, **more: Any) -> list[Ad]:
    return [ad for page in read_pages(settings, since, **more) for ad in page.ads]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "customer.sqlite"
    with sqlite3.connect(path) as link:
        link.execute(TABLE)
    link.close()
    return path


@pytest.fixture
def url(database: Path) -> str:
    return f"sqlite:///{database}"


@pytest.fixture
def insert(database: Path) -> Insert:
    def add(*rows: dict[str, Any]) -> None:
        link = sqlite3.connect(database)
        with link:
            for row in rows:
                full = {"brand": "ACME", **row}
                names = ", ".join(full)
                marks = ", ".join(f":{name}" for name in full)
                link.execute(f"insert into ads ({names}) values ({marks})", full)  # noqa: S608 - our own column names
        link.close()

    return add


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("customer-postgres")
    start_stack(home, only=("postgres",))
    try:
        yield tomllib.loads((home / "stack.toml").read_text("utf-8"))["postgres"]["url"]
    finally:
        stop_stack(home)


@pytest.fixture
def postgres_link(postgres: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres, autocommit=True) as link:
        link.execute("drop table if exists ads")
        yield link
