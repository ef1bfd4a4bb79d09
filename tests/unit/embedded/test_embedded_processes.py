"""Ports, processes and identities: what the supervisor takes from the system."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from adology.embedded import Home, launch
from adology.embedded.identity import choose_identity, give_folder
from adology.embedded.ports import assign_ports, choose_port, is_free
from adology.embedded.processes import (
    describe_exit,
    find_process,
    get_create_time,
    is_alive,
    kill_inside,
    stop_process,
    wait_gone,
)
from adology.embedded.spawn import launch_command, run_once, server_environment
from adology.errors import StackError

SLEEP = (sys.executable, "-S", "-c", "import time; time.sleep(600)")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


def test_ports_are_kept_over_runs_and_differ(home: Home) -> None:
    first = assign_ports(home, ["a", "b"], {})
    assert assign_ports(home, ["b", "a", "c"], {}).items() >= first.items()
    assert len(set(first.values())) == 2


def test_a_kept_port_that_is_taken_now_is_replaced(home: Home) -> None:
    kept = assign_ports(home, ["a"], {})["a"]
    with socket.create_server(("127.0.0.1", kept)):
        other = assign_ports(home, ["a"], {})["a"]
    assert other != kept
    assert is_free(other)


def test_a_fixed_port_wins_over_a_kept_one_and_is_not_kept(home: Home) -> None:
    kept = assign_ports(home, ["a", "b"], {})
    assert assign_ports(home, ["a", "b"], {"b": kept["a"]})["b"] == kept["a"]
    assert assign_ports(home, ["a", "b"], {})["b"] == kept["b"]


def test_damaged_ports_are_chosen_anew(home: Home) -> None:
    (home.run / "ports.json").write_bytes(b'{"a": "many", ')
    assert is_free(assign_ports(home, ["a"], {})["a"])


def test_chosen_ports_lie_outside_of_what_clients_get() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    assert all(choose_port(set()) < first for _ in range(20))


def test_a_reused_pid_is_never_signalled() -> None:
    with subprocess.Popen(SLEEP) as child:
        born = get_create_time(child.pid)
        assert born is not None
        assert find_process(child.pid, born - 100) is None
        assert stop_process(child.pid, born - 100, signal.SIGKILL, 0) == "gone"
        assert child.poll() is None
        assert is_alive(child.pid, born)
        child.kill()


def test_a_zombie_is_not_alive() -> None:
    with subprocess.Popen(SLEEP) as child:
        born = get_create_time(child.pid)
        child.kill()
        assert wait_gone(child.pid, born, 5.0)
        assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE


def test_only_the_named_processes_inside_a_folder_are_killed(tmp_path: Path) -> None:
    name = psutil.Process().name()
    (tmp_path / "data").mkdir()
    with (
        subprocess.Popen(SLEEP, cwd=tmp_path / "data") as inside,
        subprocess.Popen(["sleep", "600"], cwd=tmp_path / "data") as unnamed,
        subprocess.Popen(SLEEP, cwd=tmp_path) as outside,
    ):
        name = psutil.Process(inside.pid).name()
        assert kill_inside(tmp_path / "data", name) == 1
        assert inside.wait(5) == -signal.SIGKILL
        assert (unnamed.poll(), outside.poll()) == (None, None)
        unnamed.kill()
        outside.kill()


def test_an_exit_is_described_for_people() -> None:
    assert describe_exit(3) == "exit code 3"
    assert describe_exit(-9) == "killed by SIGKILL"
    assert describe_exit(-250) == "killed by signal 250"


def test_a_launched_command_dies_with_its_parent() -> None:
    """GIVEN a parent that launches a command WHEN the parent is killed THEN the command gets its signal."""
    code = (
        "import subprocess, sys\nfrom adology.embedded.spawn import launch_command\n"
        f"child = subprocess.Popen(launch_command({SLEEP!r}))\nprint(child.pid, flush=True)\nchild.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        born = get_create_time(pid)
        parent.kill()
    assert wait_gone(pid, born, 10.0)


def test_a_command_whose_parent_is_gone_already_does_not_start(tmp_path: Path) -> None:
    command = launch_command([sys.executable, "-c", "open('started', 'w')"])
    command[command.index(str(os.getpid()))] = "1" if os.getppid() != 1 else "2"
    assert subprocess.run(command, check=False, cwd=tmp_path).returncode == launch.EXIT_ORPHANED
    assert list(tmp_path.iterdir()) == []


def test_an_impossible_identity_is_said() -> None:
    """GIVEN a process that may not become another user WHEN it is to THEN it says so and runs nothing."""
    inner = launch_command(["true"], identity="setuid:1:1")
    done = subprocess.run(
        launch_command(inner, identity="userns:1000:1000"), capture_output=True, text=True, check=False
    )
    assert done.returncode == launch.EXIT_IDENTITY
    assert done.stderr.startswith("cannot take on the identity ")


def test_nothing_of_the_users_environment_reaches_a_server(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/elsewhere")
    monkeypatch.setenv("AWS_PROFILE", "production")
    environment = server_environment(home.root, {"PORT": "1"})
    assert environment["HOME"] == environment["TMPDIR"] == str(home.run / "tmp")
    assert environment["PORT"] == "1"
    assert not {"PGDATA", "AWS_PROFILE"} & set(environment)


def test_a_one_time_command_is_killed_with_its_cancellation(home: Home) -> None:
    async def cut_off() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await run_once(
                    SLEEP, log=home.log("once"), cwd=home.root, env=server_environment(home.root), identity="same"
                )

    asyncio.run(cut_off())
    time.sleep(0.05)
    left = [p for p in psutil.Process().children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]
    assert left == []


@needs_root
def test_an_identity_that_cannot_work_says_what_was_tried(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    folder = tmp_path / "postgres"
    folder.mkdir()
    with pytest.raises(StackError) as caught:
        choose_identity(Path("/bin/true"), folder, kinds=("setuid",))
    assert caught.value.code == "ADO-5503"
    assert "the account nobody: nobody may not pass through " in str(caught.value)
    assert "Run as an ordinary user, or allow nobody to reach" in str(caught.value)


@needs_root
def test_a_server_that_does_not_start_under_an_identity_says_why(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"a user namespace: cannot run /none/postgres: No such file"):
        choose_identity(Path("/none/postgres"), tmp_path, kinds=("userns",))


@needs_root
def test_data_follows_the_identity_that_runs_the_server(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to("/etc/passwd")
    nobody = pwd.getpwnam("nobody").pw_uid
    give_folder(tmp_path, nobody)
    assert {p.lstat().st_uid for p in (tmp_path, *tmp_path.rglob("*"))} == {nobody}
    assert Path("/etc/passwd").stat().st_uid == 0
    give_folder(tmp_path, 0)
    assert {p.lstat().st_uid for p in (tmp_path, *tmp_path.rglob("*"))} == {0}
