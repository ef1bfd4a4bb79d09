"""Migrating: once, whoever comes at the same time; and what a person reads when it cannot be done."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adology.errors import EngineError
from adology.migrations import current_revision, migrate
from adology.migrations import run as migrations_run
from tests.system.conftest import Stack

NEWEST = max(path.name[1:5] for path in (Path(migrations_run.__file__).parent / "versions").glob("v*.py"))


@pytest.fixture
def url(stack: Stack) -> Iterator[str]:
    """An empty database."""
    name = f"m_{uuid.uuid4().hex[:16]}"
    stack.sql("create database {}", name)
    yield stack.database_url(name)
    stack.sql("drop database {} with (force)", name)


def run(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as link:
        found = link.execute(statement.encode())
        return found.fetchall() if found.description else []


def test_two_that_migrate_at_once_both_find_the_newest_revision(url: str) -> None:
    assert current_revision(url) is None
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(migrate, [url, url])) == [NEWEST, NEWEST]
    assert current_revision(url) == NEWEST


def test_data_of_the_first_revision_comes_along(url: str) -> None:
    assert migrate(url, "0001") == "0001"
    run(url, "insert into brands (id, name) values ('nike', 'Nike')")
    run(url, "insert into batches (id, brand, state) values ('b1', 'nike', 'committed')")
    assert migrate(url) == NEWEST
    assert run(url, "select id, insight_asks from batches") == [("b1", 0)]


def test_a_migration_that_fails_leaves_nothing_half_done_and_says_what_is_wrong(url: str) -> None:
    run(url, "create table ads (theirs integer)")
    with pytest.raises(EngineError) as caught:
        migrate(url)
    assert str(caught.value) == 'the database cannot be migrated: relation "ads" already exists'
    assert run(url, "select tablename::text from pg_tables where schemaname = 'public'") == [("ads",)]
    run(url, "drop table ads")
    assert migrate(url) == NEWEST, "the lock was given back"


def test_a_database_that_a_newer_version_migrated_is_left_alone(url: str) -> None:
    migrate(url)
    run(url, "update alembic_version set version_num = '9999'")
    with pytest.raises(EngineError) as caught:
        migrate(url)
    assert str(caught.value) == (
        "the database cannot be migrated: Can't locate revision identified by '9999'. "
        "If a newer version of adology has migrated it, use that version or a newer one."
    )


@pytest.mark.parametrize("call", [migrate, current_revision])
@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("postgresql://someone:geheim@127.0.0.1:1/adology", "cannot be reached: connection failed: .*port 1 failed"),
        ("nonsense", "cannot be migrated: Could not parse SQLAlchemy URL"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_without_its_password(call: Any, address: str, problem: str) -> None:
    with pytest.raises(EngineError, match=problem) as caught:
        call(address)
    assert "geheim" not in str(caught.value)
