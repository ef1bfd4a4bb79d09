"""The embedded servers, started once per run, and a database, bucket and queues for each test."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psycopg
import pytest
from psycopg import sql

from adology.aws import open_client
from adology.embedded import Options, start_stack, stop_stack
from adology.migrations import migrate
from adology.queues.admin import ensure_bucket, ensure_queues
from adology.settings import AdologySettings, load_settings

TEMPLATE = "adology_template"
"""A migrated database that is copied for each test: a copy takes a tenth of the migrations' time."""

UNCLOSED_BY_PYMONGO = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
)
"""pymongo leaves a socket open when its monitor is cancelled while it connects; which test meets that is chance."""


class Stack:
    """The servers of this run: shared by all its tests and all its xdist workers."""

    def __init__(self, home: Path, settings: AdologySettings) -> None:
        self.home = home
        self.settings = settings

    def sql(self, statement: str, *names: str) -> None:
        """Run one statement outside of any transaction; `names` fill its ``{}`` as identifiers."""
        with psycopg.connect(self.settings.postgres.url, autocommit=True) as link:
            link.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def database_url(self, name: str) -> str:
        """The address of another database of the same server."""
        return self.settings.postgres.url.rpartition("/")[0] + f"/{name}"

    @contextlib.contextmanager
    def fresh(self) -> Iterator[AdologySettings]:
        """Settings of a migrated database of its own; its Mongo database, bucket and queues are names yet."""
        name = f"t_{uuid.uuid4().hex[:16]}"
        self.sql(f"create database {{}} template {TEMPLATE}", name)
        replace, whole = msgspec.structs.replace, self.settings
        yield replace(
            whole,
            postgres=replace(whole.postgres, url=self.database_url(name)),
            mongo=replace(whole.mongo, database=name),
            s3=replace(whole.s3, bucket=name.replace("_", "-")),
            queues=replace(whole.queues, prefix=f"{name}-"),
        )
        # The Mongo database stays until the run ends: the server drops thousands of documents one by one.
        self._drop(name)

    def _drop(self, name: str) -> None:
        """Drop a database; while autovacuum, which is not ours to end, is in it, look again in a moment."""
        for last in (*[False] * 50, True):
            try:
                self.sql("drop database {} with (force)", name)
            except psycopg.errors.InsufficientPrivilege:
                if last:
                    raise
                time.sleep(0.2)
            else:
                return


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running servers. Under xdist the first worker starts them; they end with the controller."""
    base = tmp_path_factory.getbasetemp()
    shared = "PYTEST_XDIST_WORKER" in os.environ
    home = (base.parent if shared else base) / "stack"
    home.mkdir(exist_ok=True)
    with _locked(home / "start.lock"):
        start_stack(home, options=Options(owner=os.getppid() if shared else os.getpid(), provision=False))
        found = Stack(home, load_settings(overrides={"home": str(home)}, env={}, cwd=home))
        _make_template(found)
    yield found
    if not shared:
        stop_stack(home)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def store_settings(stack: Stack) -> Iterator[AdologySettings]:
    """Settings of an own, migrated Postgres database and an own Mongo database; no bucket, no queues."""
    with stack.fresh() as settings:
        yield settings


@pytest.fixture
def settings(store_settings: AdologySettings) -> Iterator[AdologySettings]:
    """Settings of an own database, Mongo database, bucket and queues, all of them there."""
    asyncio.run(_provision(store_settings))
    yield store_settings
    asyncio.run(_discard(store_settings))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for the servers is marked so."""
    for item in items:
        if {"stack", "store_settings", "settings"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)
            item.add_marker(UNCLOSED_BY_PYMONGO)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make_template(stack: Stack) -> None:
    with psycopg.connect(stack.settings.postgres.url, autocommit=True) as link:
        if link.execute("select 1 from pg_database where datname = %s", [TEMPLATE]).fetchone():
            return
    unfinished = f"{TEMPLATE}_new"
    stack.sql("drop database if exists {}", unfinished)
    stack.sql("create database {}", unfinished)
    migrate(stack.database_url(unfinished))
    stack.sql("alter database {} rename to {}", unfinished, TEMPLATE)


async def _provision(settings: AdologySettings) -> None:
    await asyncio.gather(ensure_bucket(settings), ensure_queues(settings))


async def _discard(settings: AdologySettings) -> None:
    """Empty and drop the bucket, drop the queues: the emulator keeps everything in memory."""
    async with open_client(settings.aws, "s3") as s3:
        async for page in s3.get_paginator("list_objects_v2").paginate(Bucket=settings.s3.bucket):
            for entry in page.get("Contents", []):
                await s3.delete_object(Bucket=settings.s3.bucket, Key=entry["Key"])
        await s3.delete_bucket(Bucket=settings.s3.bucket)
    async with open_client(settings.aws, "sqs") as sqs:
        found = await sqs.list_queues(QueueNamePrefix=settings.queues.prefix)
        for url in found.get("QueueUrls", []):
            await sqs.delete_queue(QueueUrl=url)
