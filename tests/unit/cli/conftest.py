from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

with warnings.catch_warnings():
    # typer 0.24 still imports names that click 8.5 deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    from adology.cli.app import main

from adology.log import logger
from adology.settings import AdologySettings, load_settings
from adology.store import Database
from tests.conftest import HEAVY, WITHOUT

T = TypeVar("T")


class Result:
    """How one command line ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither the developer's settings nor the developer's stack."""
    for name in [name for name in os.environ if name.startswith("ADOLOGY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(WITHOUT, ",".join(HEAVY))
    monkeypatch.chdir(tmp_path)
    yield
    logger.remove()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_it(*arguments: str | Path) -> Result:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run_it


def run_process(*arguments: str | Path, timeout: float = 60, cwd: Path | None = None, **env: str) -> Result:
    """The command in a process of its own, as a shell would start it."""
    done = subprocess.run(
        [sys.executable, "-m", "adology.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **env},
        cwd=cwd,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def stack_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose servers run, migrated, for the tests of this folder."""
    home = tmp_path_factory.mktemp("stack") / "home"
    try:
        up = run_process("up", "--only", "postgres,mongo,aws", "--home", home, cwd=home.parent)
        assert up.code == 0, up.err
        yield home
    finally:
        run_process("down", "--home", home, cwd=home.parent)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process runs all tests on that home: each other one would start servers of its own."""
    for item in items:
        if "stack_home" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("cli stack"))


@pytest.fixture
def stack(stack_home: Path, monkeypatch: pytest.MonkeyPatch) -> AdologySettings:
    monkeypatch.setenv("ADOLOGY_HOME", str(stack_home))
    return load_settings()


@pytest.fixture
def with_database(stack: AdologySettings) -> Callable[[Callable[[Database], Awaitable[T]]], T]:
    """Run a coroutine function on the stack's database."""

    def run_on(work: Callable[[Database], Awaitable[T]]) -> T:
        async def opened() -> T:
            async with Database(stack.postgres) as database:
                return await work(database)

        return asyncio.run(opened())

    return run_on
