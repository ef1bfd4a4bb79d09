from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adology.cli.stack import make_programs
from adology.embedded.ports import choose_port
from adology.settings import AdologySettings
from adology.settings.model import ServerSettings
from tests.unit.cli.conftest import Run, run_process


def test_programs_are_the_registry_the_steward_and_the_workers() -> None:
    port = choose_port(set())
    programs = make_programs(AdologySettings(server=ServerSettings(port=port)), 3)
    others = ["registry", "server", "steward", "follow", "tasks"]
    assert [p.name for p in programs] == [*others, "worker-1", "worker-2", "worker-3"]
    registry, server, steward, worker, *_ = programs
    assert registry.argv == (
        sys.executable, "-m", "adology.cli", "registry", "--host", "127.0.0.1", "--port", "{port}",
    )  # fmt: skip
    assert (registry.port, registry.health) == (0, "/healthz")
    assert (server.port, server.health) == (port, "/healthz")
    assert registry.settings == {"registry.url": "http://127.0.0.1:{port}"}
    assert steward.argv[2:] == ("adology.cli", "steward", "--migrate")
    assert worker.after == ("postgres", "mongo", "aws", "registry")
    assert worker.grace_s == AdologySettings().worker.drain_s + 10


@pytest.mark.parametrize("held", [False, True])
def test_the_server_takes_another_port_where_somebody_has_its_own(
    held: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1] if held else choose_port(set())
        _, server, *_ = make_programs(AdologySettings(server=ServerSettings(port=port)), 0)
    assert server.port == (0 if held else port)
    assert (f"port {port} is in use" in capsys.readouterr().err) is held


def test_no_workers_is_a_stack_for_those_who_run_them_elsewhere() -> None:
    settings = AdologySettings(server=ServerSettings(port=0))
    assert [p.name for p in make_programs(settings, 0)] == ["registry", "server", "steward", "follow", "tasks"]


def test_status_of_nothing_says_how_to_begin_and_exits_with_1(run: Run) -> None:
    result = run("status")
    assert result.code == 1
    assert "Nothing was started here yet. Run `adology up`." in result.out


def test_down_of_nothing_is_no_failure(run: Run) -> None:
    result = run("down")
    assert result.code == 0
    assert "nothing runs in" in result.err


@pytest.mark.parametrize("command", ["status", "down"])
def test_recovery_commands_work_with_broken_settings(
    run: Run, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADOLOGY_HOME", str(tmp_path / "there"))
    (tmp_path / "adology.toml").write_text("worker = [broken\n")
    result = run(command, "--json")
    assert json.loads(result.out)["home"] == str(tmp_path / "there")
    assert result.err.startswith("warning: setting")
    assert f"Going on with home {tmp_path / 'there'}." in result.err


@pytest.mark.stack
def test_servers_come_up_are_shown_and_go_down(tmp_path: Path) -> None:
    home = tmp_path / "home"
    try:
        up = run_process("up", "--only", "postgres", "--home", home)
        assert up.code == 0, up.err
        assert "postgres is ready on port" in up.err
        again = run_process("up", "--only", "postgres", "--home", home, "--json")
        assert json.loads(again.out)["state"] == "ready"
        status = run_process("status", "--home", home, "--json")
        assert status.code == 0
        (line,) = status.json["services"]
        assert (line["name"], line["state"], line["error"]) == ("postgres", "ready", "")
        assert line["memory_bytes"] > 1_000_000
        shown = run_process("status", "--home", home).out
        assert f"{line['port']}" in shown
        assert "Adology ready" in shown
        more = run_process("up", "--home", home)
        assert more.code == 1
        assert "Run `adology down` first" in more.err
        port = line["port"] % 60_000 + 1
        moved = run_process("up", "--only", "postgres", "--port", f"postgres={port}", "--port", "aws=1", "--home", home)
        assert f"postgres runs on port {line['port']} already, not on {port}: `adology down` first" in moved.err
        assert "--port aws=1 has no effect: aws is not started" in moved.err
    finally:
        down = run_process("down", "--home", home)
    assert down.code == 0
    assert "postgres is stopped" in down.err
    assert f"stopped 1 service; data is in {home}" in down.out
    status = run_process("status", "--home", home, "--json")
    assert status.code == 1
    assert [(line["state"], line["error"]) for line in status.json["services"]] == [("stopped", "")]


def test_a_database_that_does_not_answer_is_told_at_once_and_without_its_password(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADOLOGY_POSTGRES__URL", "postgresql://u:hunter22x@127.0.0.1:1/d")
    result = run("brand", "list")
    assert result.code == 1
    assert result.err.startswith("error: the database cannot be reached: ")
    assert "127.0.0.1" in result.err
    assert "Check postgres.url" in result.err
    assert result.err.count("\n") == 1
    monkeypatch.setenv("ADOLOGY_POSTGRES__URL", "mysql://u:hunter22x@127.0.0.1/d")
    other = run("brand", "list")
    assert other.err.startswith("error: the database cannot be reached: ")
    assert "hunter22x" not in result.err + other.err


@pytest.mark.stack
def test_migrating_twice_is_harmless(run: Run, stack: AdologySettings) -> None:
    del stack
    first = run("migrate", "--json").json
    assert first["before"] == first["after"]
    assert f"The database is at the newest revision, {first['after']}." in run("migrate").out


def test_migrating_without_a_database_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "setting postgres.url: is not set. Run `adology up` for embedded servers" in run("migrate").err
    monkeypatch.setenv("ADOLOGY_POSTGRES__URL", "postgresql://u:hunter22x@127.0.0.1:1/d")
    result = run("migrate")
    assert result.code == 1
    assert "error: the database cannot be reached" in result.err
    assert "hunter22x" not in result.err


def test_the_registry_says_where_it_listens_and_ends_on_sigterm() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "adology.cli", "registry", "--port", "0"],
        stderr=subprocess.PIPE,
        env={**os.environ, "ADOLOGY_LOG__FORMAT": "json"},
        text=True,
    )
    assert process.stderr is not None
    try:
        line = json.loads(process.stderr.readline())
        assert line["msg"] == "registry listening"
        assert line["svc"] == "registry"
        assert line["address"].startswith("http://127.0.0.1:")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert time.monotonic() - began < 10
    finally:
        process.kill()
        process.stderr.close()
        process.wait()


@pytest.mark.stack
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_worker_drains_and_ends_with_0_on_sigterm(stack: AdologySettings, processes: str, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "adology.cli", "worker", "--queues", "gather", "--processes", processes],
            stderr=out,
            env={
                **os.environ,
                "ADOLOGY_LOG__FORMAT": "json",
                "ADOLOGY_QUEUES__WAIT_S": "1",
                "ADOLOGY_HOME": stack.home,
            },
        )
    try:
        deadline = time.monotonic() + 45
        while log.read_text().count("worker ready") < int(processes):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
        assert log.read_text().count("worker stopped") == int(processes)
    finally:
        process.kill()
        process.wait()


def test_a_service_without_its_stores_fails_in_one_line() -> None:
    result = run_process("steward")
    assert result.code == 1
    assert "error: setting postgres.url: is not set." in result.err
    assert "Traceback" not in result.err
