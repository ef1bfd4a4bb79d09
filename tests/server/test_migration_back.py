"""The newest migration can be taken back, and made again."""

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


def test_audit_keys_and_limits_are_taken_back_without_a_trace(store_settings: AdologySettings) -> None:
    world, url = World(store_settings), store_settings.postgres.url
    assert there(world) == (len(TABLES), len(FUNCTIONS))
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0012")
    engine.dispose()
    assert there(world) == (0, 0)
    migrate(url)
    assert there(world) == (len(TABLES), len(FUNCTIONS))
