"""The newest migration can be taken back, and made again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from psycopg.errors import CheckViolation
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from adology.migrations import migrate
from adology.migrations import run as migrations
from adology.settings import AdologySettings
from tests.server.ads_rig import follow, two_orgs
from tests.server.rig import World

pytestmark = pytest.mark.timeout(60)
TABLES = ("audit", "audit_heads", "idempotency_keys", "rate_buckets")
FUNCTIONS = ("audit_bytes", "chain_audit", "finish_change", "idempotency_reserve", "rate_take")


def there(world: World) -> tuple[int, int]:
    """How many of the migration's tables and functions there are."""
    ((tables,),) = world.rows("select count(*) from pg_class where relkind = 'r' and relname = any(%s)", [list(TABLES)])
    ((functions,),) = world.rows("select count(*) from pg_proc where proname = any(%s)", [list(FUNCTIONS)])
    return tables, functions


@contextlib.contextmanager
def taken_back(url: str, revision: str) -> Iterator[None]:
    """The database as it was at that revision, for the length of the block."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    engine.dispose()
    yield
    migrate(url)


def test_audit_keys_and_limits_are_taken_back_without_a_trace(store_settings: AdologySettings) -> None:
    world, url = World(store_settings), store_settings.postgres.url
    assert there(world) == (len(TABLES), len(FUNCTIONS))
    with taken_back(url, "0012"):
        assert there(world) == (0, 0)
    assert there(world) == (len(TABLES), len(FUNCTIONS))


def test_tasks_of_new_kinds_are_taken_back_and_files_of_old_ones_are_remembered(
    store_settings: AdologySettings,
) -> None:
    world = World(store_settings)
    world.add_org("acme")
    for kind in ("export", "search", "reanalyze"):
        world.rows("insert into tasks (org_id, kind, deadline) values ('acme', %s, now())", [kind])
    world.rows(
        "insert into task_analyses (task, org_id, key, analyzer, subject_kind, subject, brand)"
        " select id, 'acme', 'k', 'a', 'ad', 's', 'b' from tasks where kind = 'reanalyze'"
    )
    with taken_back(store_settings.postgres.url, "0014"):
        assert world.rows("select kind from tasks") == [("export",)]
        with pytest.raises(CheckViolation):
            world.rows("insert into tasks (org_id, kind, deadline) values ('acme', 'search', now())")
    assert world.rows("select kind, files from tasks") == [("export", True)]
    assert world.rows("select count(*) from task_analyses") == [(0,)]


def lets_in(world: World) -> list[str]:
    """The functions that let people in, as they stand."""
    rows = world.rows(
        "select pg_get_functiondef(oid) from pg_proc where proname like 'auth\\_%%' and prosrc like '%%deleted_at%%'"
        " order by proname"
    )
    return [row[0] for row in rows]


def test_suspensions_and_versions_are_taken_back_without_a_trace(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    world.add_org("acme")
    after = lets_in(world)
    assert len(after) == 7
    assert all("suspended_at" in text for text in after)
    columns = (
        "select count(*) from information_schema.columns where table_schema = 'public' and column_name = 'version'"
        " and data_type = 'integer'"
    )
    with taken_back(store_settings.postgres.url, "0015"):
        before = lets_in(world)
        assert [text.replace(" and o.suspended_at is null", "") for text in after] == before
        traces = (
            "select proname from pg_proc where proname like 'operator\\_%%' or proname in"
            " ('is_operator', 'raise_version')"
        )
        assert world.rows(traces) == []
        with_versions = world.rows(columns)
    assert lets_in(world) == after
    assert world.rows(columns)[0][0] == with_versions[0][0] + 3
    world.rows("update organisations set name = 'Other'")
    assert world.rows("select version from organisations") == [(2,)]


def test_versions_of_feeds_are_taken_back_without_a_trace(store_settings: AdologySettings) -> None:
    world = World(store_settings)
    traces = "select count(*) from pg_trigger where tgname like '%%is\\_noted' union all select count(*) from pg_class"
    traces += (
        " where relname = 'feed_versions' union all select count(*) from pg_proc where proname = 'note_feed_change'"
    )
    assert world.rows(traces) == [(7,), (1,), (1,)]
    with taken_back(store_settings.postgres.url, "0018"):
        assert world.rows(traces) == [(0,), (0,), (0,)]
    assert world.rows(traces) == [(7,), (1,), (1,)]


def test_what_lists_show_is_moved_there_and_back(store_settings: AdologySettings) -> None:
    ads = two_orgs(store_settings, "nike")
    ads.commit_ad("a", titles=["Running shoes"])
    ads.commit_ad("own", owner="acme", source="crm")
    asyncio.run(follow(store_settings))
    moved = "select brand, ad_id, owner_org_id, thumbnail, item::jsonb, search::text from feed_items order by ad_id"
    found = "select f.ad_id from feed_found('{nike}', 'shoes') f"
    before, words = ads.rows(moved), ads.rows(found)
    assert (len(before), len(words)) == (2, 1)
    with taken_back(store_settings.postgres.url, "0019"):
        assert ads.rows("select to_regclass('feed_items')") == [(None,)]
        ((item, seen),) = ads.rows("select item::jsonb, last_seen_at from feed where owner_org_id is null")
        assert (datetime.fromisoformat(item["last_seen_at"]), item["run_days"]) == (seen, 1)
        assert ads.rows(found) == words
    assert (ads.rows(moved), ads.rows(found)) == (before, words)
