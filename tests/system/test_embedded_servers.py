"""The real servers of a stack: what they offer, what they keep, what they survive."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pymongo
import pymongo.errors
import pytest

from adology.embedded import Options, StackState, read_state, start_stack, stop_stack
from adology.embedded.processes import is_alive
from tests.system.embedded_data import (
    SAMPLES,
    Clients,
    Writer,
    invoke_lambda,
    measure,
    read_samples,
    send_through_topic,
    write_samples,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]
LONG = "a home whose name is too long for the address of a unix socket, with blänks and ünïcode"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / LONG
    yield folder
    stop_stack(folder)


def wait_for(what: Callable[[], bool], *, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def processes_of(state: StackState) -> list[tuple[int | None, float | None]]:
    return [(state.pid, state.create_time), *((s.pid, s.create_time) for s in state.services.values())]


def test_a_stack_serves_everything_and_keeps_it_over_down_and_up(home: Path) -> None:
    """GIVEN a new home WHEN up, write, down, up THEN the addresses are the same and all data is there."""
    first = start_stack(home)
    clients = Clients(home)
    write_samples(clients)

    assert stat.S_IMODE((home / "stack.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "state.json").stat().st_mode) == 0o600
    check_passwords_are_asked_for(clients)
    assert send_through_topic(clients) == "committed"
    assert measure(clients) == [3.0]
    assert invoke_lambda(clients, f"python3.{sys.version_info.minor}") == {"twice": 42}
    assert read_samples(clients) == SAMPLES

    started = time.monotonic()
    last = stop_stack(home)
    assert time.monotonic() - started < 10
    assert {s.last_exit for s in last.services.values()} == {"stopped"}
    assert [p for p in processes_of(first) if is_alive(*p)] == []
    assert read_state(home).state == "stopped"

    addresses = (home / "stack.toml").read_text("utf-8")
    start_stack(home)
    assert (home / "stack.toml").read_text("utf-8") == addresses
    assert read_samples(Clients(home)) == SAMPLES


def check_passwords_are_asked_for(clients: Clients) -> None:
    settings = clients.settings
    postgres, mongo = settings.postgres.url, settings.mongo.url
    password = postgres.split("@")[0].rpartition(":")[2]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.replace(password, "guess"))
    open_door = "mongodb://" + mongo.rpartition("@")[2].replace("authSource=admin&", "")
    with pymongo.MongoClient[dict[str, object]](open_door, serverSelectionTimeoutMS=3000) as stranger:
        with pytest.raises(pymongo.errors.OperationFailure):
            stranger["adology"]["analyses"].find_one()
        with pytest.raises(pymongo.errors.OperationFailure):
            stranger["adology"]["analyses"].insert_one({})


def test_acknowledged_writes_survive_the_kill_of_every_server_and_of_the_supervisor(home: Path) -> None:
    """GIVEN writers WHEN all servers are killed THEN they come back by themselves with each acknowledged write.

    AND WHEN the supervisor is killed THEN its servers end, and the next up brings everything back.
    """
    start_stack(home)
    clients = Clients(home)
    busy, born = run_endless_statement(clients)
    acknowledged = kill_servers_under(clients, home)
    wait_for(lambda: read_state(home).is_ready)
    state = read_state(home)
    assert {s.restarts for s in state.services.values()} == {1}
    assert {s.last_exit for s in state.services.values()} == {"killed by SIGKILL"}
    assert not is_alive(busy, born), "a backend of the killed server still worked on the data"
    check_all_there(clients, acknowledged)
    assert clients.queue_url()  # the emulator forgets queues; the supervisor makes them again

    os.kill(state.pid or 0, signal.SIGKILL)
    wait_for(lambda: not any(is_alive(*p) for p in processes_of(state)))
    assert read_state(home).state == "stopped"

    start_stack(home)
    check_all_there(clients, acknowledged)


def run_endless_statement(clients: Clients) -> tuple[int, float]:
    """A backend that is too busy to notice the death of its server."""
    with contextlib.closing(clients.postgres()) as link:
        pid = link.info.backend_pid
        born = psutil.Process(pid).create_time()
        # A backend in a loop does not notice that its client leaves, either.
        link.pgconn.send_query(b"do $$ begin loop end loop; end $$")
        wait_for(lambda: psutil.Process(pid).cpu_times().user > 0.1)
    return pid, born


def kill_servers_under(clients: Clients, home: Path) -> dict[str, set[int]]:
    with clients.postgres() as link:
        link.execute("create table kept (n int primary key)")
    link, mongo, s3 = clients.postgres(), clients.mongo(), clients.aws("s3")
    bucket = clients.settings.s3.bucket
    writers = {
        "postgres": Writer(lambda n: link.execute("insert into kept values (%s)", [n])),
        "mongo": Writer(lambda n: mongo["adology"]["kept"].insert_one({"_id": n})),
        "aws": Writer(lambda n: s3.put_object(Bucket=bucket, Key=f"kept/{n}", Body=b"x" * 2000)),
    }
    wait_for(lambda: all(len(w.acknowledged) > 50 for w in writers.values()))
    for service in read_state(home).services.values():
        os.kill(service.pid or 0, signal.SIGKILL)
    found = {name: writer.join() for name, writer in writers.items()}
    link.close()
    mongo.close()
    return found


def check_all_there(clients: Clients, acknowledged: dict[str, set[int]]) -> None:
    with clients.postgres() as link:
        rows = {row[0] for row in link.execute("select n from kept")}
    with clients.mongo() as mongo:
        documents = {document["_id"] for document in mongo["adology"]["kept"].find()}
    pages = clients.aws("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=clients.settings.s3.bucket, Prefix="kept/")
    objects = {int(entry["Key"].rpartition("/")[2]) for page in found for entry in page["Contents"]}
    assert acknowledged["postgres"] - rows == set()
    assert acknowledged["mongo"] - documents == set()
    assert acknowledged["aws"] - objects == set()


def test_the_product_meets_production_addresses_by_the_same_settings(home: Path) -> None:
    """GIVEN a stack's file WHEN the environment names production THEN that wins, one setting at a time."""
    from adology.settings import load_settings

    start_stack(home, only=("postgres",), options=Options(ports={}))
    env = {"ADOLOGY_AWS__REGION": "eu-central-1", "ADOLOGY_MONGO__URL": "mongodb+srv://atlas.example/adology"}
    settings = load_settings(overrides={"home": str(home)}, env=env, cwd=home)

    assert settings.mongo.url == "mongodb+srv://atlas.example/adology"
    assert settings.aws.region == "eu-central-1"
    assert settings.aws.endpoint_url == ""
    with psycopg.connect(settings.postgres.url) as link:
        assert link.execute("select current_database()").fetchone() == ("adology",)
