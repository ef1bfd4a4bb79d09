"""`file:` URLs: regular files below the allowed folders, and nothing else."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import sys
from pathlib import Path

import pytest

from adology.errors import AdologyError, FetchRefusedError, MediaExpiredError, MediaUnusableError, Terminal
from adology.fetch import Fetched, Fetcher
from adology.settings.model import FetchSettings
from tests.unit.fetch.sites import PNG, files_in

pytestmark = pytest.mark.anyio


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "a b#ü.png").write_bytes(PNG)
    (folder / "notes.png").write_text("only text")
    (tmp_path / "secret.png").write_bytes(PNG)
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


async def fetch(url: str, scratch: Path, *roots: Path | str, max_bytes: int = 1 << 30) -> Fetched:
    async with Fetcher(FetchSettings(max_bytes=max_bytes)) as fetcher:
        return await fetcher.fetch(url, folder=scratch, file_roots=[str(root) for root in roots])


async def test_file_below_a_root_is_copied_with_its_hash(root: Path, scratch: Path) -> None:
    original = root / "a b#ü.png"
    got = await fetch(original.as_uri(), scratch, root)
    assert got.path.parent == scratch
    assert got.path.read_bytes() == PNG
    assert got.sha256 == hashlib.sha256(PNG).hexdigest()
    assert (got.content_type, got.extension, got.reported_type) == ("image/png", "png", "")
    # A copy: whoever goes on writing to the original does not change what was hashed.
    assert got.path.stat().st_ino != original.stat().st_ino


async def test_roots_of_the_settings_and_of_the_call_both_count(root: Path, scratch: Path) -> None:
    url = (root / "a b#ü.png").as_uri()
    async with Fetcher(FetchSettings(file_roots=(str(root),))) as fetcher:
        await fetcher.fetch(url, folder=scratch)
        await fetcher.fetch(url.replace("file://", "FILE://localhost"), folder=scratch, file_roots=["/nowhere"])


async def test_root_reached_through_a_link_is_the_folder_behind_it(root: Path, scratch: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    await fetch((link / "a b#ü.png").as_uri(), scratch, link)
    await fetch((root / "a b#ü.png").as_uri(), scratch, link)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("file://{root}/../secret.png", "not below an allowed folder"),
        ("file://{root}/%2e%2e/secret.png", "not below an allowed folder"),
        ("file://{root}/out.png", "not below an allowed folder"),
        ("file://{root}/up/secret.png", "not below an allowed folder"),
        ("file://{root}-evil/a.png", "not below an allowed folder"),
        ("file://{root}", "not below an allowed folder"),
        ("file:///etc/passwd", "not below an allowed folder"),
        ("file:///proc/self/environ", "not below an allowed folder"),
        ("file://evil.example{root}/a.png", "names a host"),
        ("file:relative.png", "no absolute path"),
        ("file://", "no absolute path"),
        ("file://{root}/a%00.png", "no absolute path"),
        ("file://[{root}", "malformed"),
        ("file://{root}/folder", "it is a folder"),
        ("file://{root}/pipe", "it is a pipe"),
        ("file://{root}/socket", "it is a socket"),
    ],
)
async def test_what_is_no_regular_file_below_a_root_is_refused(root: Path, scratch: Path, path: str, why: str) -> None:
    (root / "out.png").symlink_to(root.parent / "secret.png")
    (root / "up").symlink_to(root.parent)
    (root / "folder").mkdir()
    os.mkfifo(root / "pipe")
    (root.parent / "root-evil").mkdir()
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(root / "socket"))
        with pytest.raises(FetchRefusedError, match=why):
            await asyncio.wait_for(fetch(path.replace("{root}", str(root)), scratch, root), 5)
    assert files_in(scratch) == []


async def test_device_is_refused(scratch: Path) -> None:
    for device in ("/dev/zero", "/dev/null"):
        with pytest.raises(FetchRefusedError, match="it is a device"):
            await asyncio.wait_for(fetch(f"file://{device}", scratch, "/dev"), 5)


@pytest.mark.parametrize("roots", [(), ("",)])
async def test_without_roots_every_file_is_refused(
    root: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, roots: tuple[str, ...]
) -> None:
    monkeypatch.chdir(root)
    with pytest.raises(FetchRefusedError, match="no folder is allowed"):
        await fetch((root / "a b#ü.png").as_uri(), scratch, *roots)


async def test_link_exchanged_after_it_was_resolved_is_noticed(
    root: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parent folder becomes a link to elsewhere between resolving and opening."""
    from adology.fetch import files

    (root / "sub").mkdir()
    (root / "sub" / "secret.png").write_bytes(PNG)
    open_regular = files._open_regular

    def exchange_first(path: str, url: str) -> int:
        (root / "sub").rename(root / "moved")
        (root / "sub").symlink_to(root.parent)
        return open_regular(path, url)

    monkeypatch.setattr(files, "_open_regular", exchange_first)
    with pytest.raises(FetchRefusedError, match="not below an allowed folder"):
        await fetch((root / "sub" / "secret.png").as_uri(), scratch, root)
    assert files_in(scratch) == []


async def test_pipe_put_in_a_files_place_is_neither_waited_for_nor_read(
    root: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adology.fetch import files

    os.mkfifo(root / "pipe")
    check, calls = files._check_regular, []

    def miss_the_first(status: os.stat_result, url: str) -> None:
        calls.append(url)
        if len(calls) > 1:
            check(status, url)

    monkeypatch.setattr(files, "_check_regular", miss_the_first)
    with pytest.raises(FetchRefusedError, match="it is a pipe"):
        await asyncio.wait_for(fetch((root / "pipe").as_uri(), scratch, root), 5)


async def test_missing_file_is_expired_media(root: Path, scratch: Path) -> None:
    with pytest.raises(MediaExpiredError, match="No such file"):
        await fetch((root / "gone.png").as_uri(), scratch, root)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that cannot be read even by root")
async def test_unreadable_file_is_final(scratch: Path) -> None:
    with pytest.raises(Terminal, match="cannot be read: Input/output error") as caught:
        await fetch("file:///proc/self/mem", scratch, "/proc")
    assert caught.value.code == "ADO-5103"


async def test_file_that_is_no_creative_is_unusable(root: Path, scratch: Path) -> None:
    with pytest.raises(MediaUnusableError, match="text/plain"):
        await fetch((root / "notes.png").as_uri(), scratch, root)
    (root / "empty.png").touch()
    with pytest.raises(MediaUnusableError, match="empty"):
        await fetch((root / "empty.png").as_uri(), scratch, root)
    assert files_in(scratch) == []


async def test_file_beyond_the_limit_is_refused(root: Path, scratch: Path) -> None:
    with pytest.raises(FetchRefusedError, match="allowed are 2048"):
        await fetch((root / "a b#ü.png").as_uri(), scratch, root, max_bytes=2048)


async def test_large_sparse_file_is_copied(root: Path, scratch: Path) -> None:
    with (root / "large.png").open("wb") as file:
        file.write(PNG)
        file.truncate(20_000_000)
    got = await fetch((root / "large.png").as_uri(), scratch, root)
    assert got.size_bytes == got.path.stat().st_size == 20_000_000


async def test_every_failure_is_one_of_ours(root: Path, scratch: Path) -> None:
    for url in (
        "file:///" + "a" * 5000,
        "file:///" + "a/" * 3000,
        "file:///\ud800",
        "file:///%ff%fe",
        "file:?",
        "FILE:#",
    ):
        with pytest.raises(AdologyError):
            await fetch(url, scratch, "/", "~nobody-here/x", root)
