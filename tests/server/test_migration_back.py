"""The newest migrations can be taken back, and made again."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from adology.migrations import migrate
from adology.migrations import run as migrations
from adology.settings import AdologySettings
from tests.server.rig import World

pytestmark = pytest.mark.timeout(60)
TABLES = ("audit", "audit_heads", "idempotency_keys", "rate_buckets")
FUNCTIONS = ("audit_bytes", "chain_audit", "finish_change", "idempotency_reserve", "rate_take")


def there(world: World) -> tuple[int, int]:
    """How many of the migration's tables and functions there are."""
    ((tables,),) = world.rows("select count(*) from pg_class where relkind = 'r' and relname = any(%s)", [list(TABLES)])
    ((functions,),) = world.rows("select count(*) from pg_proc where proname = any(%s)", [list(FUNCTIONS)])
    return tables, functions


def back_to(url: str, revision: str) -> None:
    """Take all later migrations back."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    engine.dispose()


def test_audit_keys_and_limits_are_taken_back_without_a_trace(store_settings: AdologySettings) -> None:
    world, url = World(store_settings), store_settings.postgres.url
    assert there(world) == (len(TABLES), len(FUNCTIONS))
    back_to(url, "0012")
    assert there(world) == (0, 0)
    migrate(url)
    assert there(world) == (len(TABLES), len(FUNCTIONS))


def lets_in(world: World) -> list[str]:
    """The functions that let people in, as they stand."""
    rows = world.rows(
        "select pg_get_functiondef(oid) from pg_proc where proname like 'auth\\_%%' and prosrc like '%%deleted_at%%'"
        " order by proname"
    )
    return [row[0] for row in rows]


def test_suspensions_and_versions_are_taken_back_without_a_trace(store_settings: AdologySettings) -> None:
    world, url = World(store_settings), store_settings.postgres.url
    world.add_org("acme")
    after = lets_in(world)
    assert len(after) == 7
    assert all("suspended_at" in text for text in after)
    back_to(url, "0014")
    before = lets_in(world)
    assert [text.replace(" and o.suspended_at is null", "") for text in after] == before
    traces = (
        "select proname from pg_proc where proname like 'operator\\_%%' or proname in ('is_operator', 'raise_version')"
    )
    assert world.rows(traces) == []
    columns = (
        "select count(*) from information_schema.columns where table_schema = 'public' and column_name = 'version'"
    )
    with_versions = world.rows(columns)
    migrate(url)
    assert lets_in(world) == after
    assert world.rows(columns)[0][0] == with_versions[0][0] + 3
    world.rows("update organisations set name = 'Other'")
    assert world.rows("select version from organisations") == [(2,)]
