"""Who may run a stack: an ordinary user, and root, whom PostgreSQL refuses."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

import adology
from adology.embedded import Home, Options, launch
from adology.embedded.identity import choose_identity
from adology.embedded.servers import postgres
from adology.embedded.servers.base import check_installed
from adology.embedded.service import Service

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="this run is an ordinary user's: every other test shows it")
NOBODY = pwd.getpwnam("nobody").pw_uid
NAMELESS = 64321


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may pass through; pytest's own is closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="adology-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def find_shared_python() -> list[str]:
    """A command of this version of Python that an ordinary user can run, with our packages; empty without one."""
    parts = [str(Path(adology.__file__).parents[1]), *(p for p in sys.path if p.endswith("site-packages"))]
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        command = ["env", f"PYTHONPATH={os.pathsep.join(parts)}", python]
        if run_as_stranger([*command, "-c", "import adology.cli, psycopg, secantus, ministack"], cwd="/") == 0:
            return command
    return []


def run_as_stranger(command: Sequence[str], cwd: str) -> int:
    """The exit code; 126, as in a shell, where the program is out of a stranger's reach."""
    try:
        done = subprocess.run(
            command, user=NOBODY, group=NOBODY, extra_groups=[], cwd=cwd, capture_output=True, check=False
        )
    except PermissionError:
        return 126
    return done.returncode


@needs_root
@pytest.mark.parametrize(
    ("uid", "servers"),
    [
        pytest.param(NOBODY, "postgres,mongo,aws", id="account"),
        pytest.param(NAMELESS, "postgres", id="uid-without-a-name"),
    ],
)
def test_an_ordinary_user_runs_the_servers(open_folder: Path, uid: int, servers: str) -> None:
    """GIVEN a user without any right WHEN up, status, down THEN the servers run as him and end."""
    python = find_shared_python()
    if not python:
        pytest.skip(f"no Python {sys.version_info.minor} with our packages is readable by an ordinary user")
    home = open_folder / "home"
    home.mkdir()
    os.chown(home, uid, uid)

    def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*python, "-m", "adology.cli", "--home", str(folder), *arguments, "--json"]
        return subprocess.run(
            command, user=uid, group=uid, extra_groups=[], cwd=home, capture_output=True, text=True, check=False
        )

    def adology_does(*arguments: str) -> dict[str, object]:
        done = run(home / "stack", *arguments)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    refused = run(open_folder / "roots", "up", "--only", servers)
    assert refused.returncode == 1
    assert f"the stack's folder {open_folder / 'roots'} cannot be used: this user may not write" in refused.stderr

    up = adology_does("up", "--only", servers)
    try:
        assert up["state"] == adology_does("status")["state"] == "ready"
        assert isinstance(up["services"], list)
        for service in up["services"]:
            assert Path(f"/proc/{service['pid']}").stat().st_uid == uid, service["name"]
    finally:
        assert adology_does("down")["state"] == "stopped"
    owners = {path.lstat().st_uid for path in home.rglob("*")}
    assert owners == {uid}


@needs_root
def test_where_root_looks_like_an_ordinary_user_postgres_runs_as_him(tmp_path: Path) -> None:
    """GIVEN a container whose only user is not root WHEN up and down THEN it works as there."""
    guard = [sys.executable, "-I", "-S", str(launch.__file__), str(os.getpid()), str(int(signal.SIGTERM))]
    code = f"""
import os
from pathlib import Path
from adology.embedded import start_stack, stop_stack
assert os.geteuid() == 1000
home = Path({str(tmp_path / "home")!r})
try:
    print(start_stack(home, only=("postgres",)).state, flush=True)
finally:
    print(stop_stack(home).state)
"""
    done = subprocess.run(
        [*guard, "userns:1000:1000", sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    if "cannot take on the identity" in done.stderr:
        pytest.skip(f"user namespaces are not allowed here: {done.stderr.strip()}")
    assert done.stdout.split() == ["ready", "stopped"], done.stderr


@needs_root
def test_root_runs_postgres_as_nobody_where_namespaces_are_forbidden(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN root, without user namespaces THEN the data belongs to nobody, and the server serves."""
    binary = check_installed(postgres.PostgresServer, "postgres") / f"pginstall{postgres.MAJOR}/bin/postgres"
    if run_as_stranger([str(binary), "--version"], cwd="/") != 0:
        pytest.skip(f"{binary} is not readable by an ordinary user")
    monkeypatch.setattr(postgres, "choose_identity", functools.partial(choose_identity, kinds=("setuid",)))
    folder = open_folder / "home"
    home = Home(folder)
    home.prepare()
    folder.chmod(0o711)
    server = postgres.PostgresServer("postgres", home, 0)
    server.port = _free_port()

    async def live() -> tuple[object, ...] | None:
        service = Service(server, Options(), lambda: None)
        running = asyncio.create_task(service.run([]))
        try:
            async with asyncio.timeout(40):
                await service.ready.wait()
            async with await psycopg.AsyncConnection.connect(server.settings()["postgres.url"]) as link:
                cursor = await link.execute("select '[1,2]'::vector <-> '[1,3]'")
                return await cursor.fetchone()
        finally:
            service.stop()
            await running
            assert service.state.last_exit == "stopped", service.state.error

    assert asyncio.run(live()) == (1.0,)
    assert {path.lstat().st_uid for path in (folder / "postgres").rglob("*")} == {NOBODY}


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
