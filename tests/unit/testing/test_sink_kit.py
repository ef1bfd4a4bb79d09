from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from adology import CommitBatch, Context, Settings, Sink
from adology.testing import SinkConformance, list_checks
from adology.testing.checks import run_check


class FolderSettings(Settings, frozen=True, kw_only=True):
    folder: str = ""


class Lines(Sink[FolderSettings]):
    """One file per batch, which appears whole or not at all."""

    name = "lines"
    version = 1

    async def write(self, ctx: Context[FolderSettings], batch: CommitBatch) -> None:
        folder = Path(ctx.settings.folder)
        rows = [msgspec.json.encode(row) + b"\n" async for row in batch.ads()]
        (folder / f"{batch.id}.part").write_bytes(b"".join(rows))
        (folder / f"{batch.id}.part").replace(folder / f"{batch.id}.jsonl")


class Archive(Sink[FolderSettings]):
    name = "archive"
    version = 1
    role = "archive"

    async def open(self, ctx: Context[FolderSettings]) -> None:
        self.folder = Path(ctx.settings.folder)

    async def put(self, key: str, path: Path, content_type: str) -> bool:
        del content_type
        target = self.folder / key.replace("/", "_")
        if target.exists():
            return False
        shutil.copyfile(path, target)
        return True


@contextlib.asynccontextmanager
async def empty_folder() -> AsyncIterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        yield {"folder": folder}


def read_lines(folder: Path) -> list[tuple[str, str]]:
    return [(file.name, line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]


class FolderKit(SinkConformance):
    settings: ClassVar = {"folder": "replaced"}

    def vendor(self) -> contextlib.AbstractAsyncContextManager[dict[str, Any]]:
        return empty_folder()

    async def stored(self, ctx: Context[Any]) -> Any:
        return read_lines(Path(ctx.settings.folder))


class TestLines(FolderKit):
    plugin = Lines


class TestArchive(FolderKit):
    plugin = Archive


def verdict(check: str, plugin: type[Any]) -> str:
    result = run_check(type("Kit", (FolderKit,), {"plugin": plugin}), f"test_{check}")
    assert result.outcome != "skipped", result.problem
    assert not result.problem or result.fix, "a finding comes with a way to fix it"
    return result.problem


@pytest.mark.parametrize("check", list_checks(SinkConformance))
def test_every_check_applies_to_a_good_sink(check: str) -> None:
    assert verdict(check.removeprefix("test_"), Archive if "archive" in check else Lines) == ""


class Appends(Lines):
    """Writes line by line to one file: twice is twice, and half stays half."""

    async def write(self, ctx: Context[FolderSettings], batch: CommitBatch) -> None:
        with (Path(ctx.settings.folder) / "all.jsonl").open("ab") as file:
            async for row in batch.ads():
                file.write(msgspec.json.encode(row) + b"\n")
                file.flush()


class WritesLater(Lines):
    async def write(self, ctx: Context[FolderSettings], batch: CommitBatch) -> None:
        self.later = (ctx, batch)


class TakesWhatComes(Lines):
    async def write(self, ctx: Context[FolderSettings], batch: CommitBatch) -> None:
        with contextlib.suppress(Exception):
            await super().write(ctx, batch)


class HidesCause(Lines):
    async def write(self, ctx: Context[FolderSettings], batch: CommitBatch) -> None:
        try:
            await super().write(ctx, batch)
            failed = False
        except Exception:  # noqa: BLE001 - what the mutant does wrong
            failed = True
        if failed:
            raise ValueError("write failed")


class Replaces(Archive):
    async def put(self, key: str, path: Path, content_type: str) -> bool:
        del content_type
        shutil.copyfile(path, self.folder / key.replace("/", "_"))
        return True


class ClosesOnce(Lines):
    async def close(self) -> None:
        self.connection.close()  # type: ignore[attr-defined]  # what the mutant does wrong


def test_a_batch_that_counts_twice_is_found() -> None:
    found = verdict("the_same_batch_twice_counts_once", Appends)
    assert found == "after the second write of the same batch the target differs: 7 entries before, 14 after"


def test_a_write_that_is_not_durable_is_found() -> None:
    found = verdict("the_same_batch_twice_counts_once", WritesLater)
    assert found.startswith("write() returned and the target is as before")


def test_a_half_write_that_stays_is_found() -> None:
    found = verdict("a_crash_within_a_write_is_repaired", Appends)
    assert found == "after a broken write and a whole one the target differs: 7 entries before, 10 after"


def test_a_broken_batch_that_counts_as_written_is_found() -> None:
    found = verdict("a_broken_batch_is_not_success", TakesWhatComes)
    assert found == "write() returns though the batch could not be read to its end: rows are missing"


def test_a_fault_whose_cause_is_lost_is_found() -> None:
    found = verdict("a_broken_batch_is_not_success", HidesCause)
    assert found == "a broken batch becomes ValueError: write failed, its cause is lost"


def test_an_archive_that_replaces_is_found() -> None:
    found = verdict("an_archive_stores_a_key_once", Replaces)
    assert found == "put() of one key twice answers True and True; allowed: True, then False"


def test_a_close_that_needs_an_open_is_found() -> None:
    found = verdict("close_is_safe", ClosesOnce)
    assert "close() without an open() before it raises AttributeError" in found
