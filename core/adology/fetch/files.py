"""`file:` URLs: regular files below the allowed folders, copied like any other transfer.

Copied and not hard-linked: whoever owns the original may go on writing to it, and then the
hash would no longer be the hash of the bytes that are archived and analysed.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote_to_bytes, urlsplit

from adology.errors import FetchRefusedError, MediaExpiredError, Terminal
from adology.fetch.scratch import FLUSH_BYTES, Received, Scratch, check_size
from adology.fetch.targets import shown

_LOCAL = frozenset({"", "localhost"})


def is_file_url(url: str) -> bool:
    """Whether `url` is of the `file` scheme."""
    return url[:5].lower() == "file:"


def copy_file(url: str, roots: Sequence[str], scratch: Scratch, *, max_bytes: int) -> Received:
    """Copy the file into `scratch`. Blocks: to be called in a thread.

    Raises:
        FetchRefusedError: not a regular file below one of `roots`, or too large.
        MediaExpiredError: there is no such file.
        MediaUnusableError: its bytes are no image or video.
        Terminal: it cannot be read.
    """
    path = _resolve(url, roots)
    try:
        number = _open_regular(path, url)
    except OSError as error:
        raise _unreadable(error, url) from error
    with os.fdopen(number, "rb", buffering=0) as file:
        # Links may have been exchanged since they were resolved; what counts is what was opened.
        _check_below(_path_of(number, path), roots, url)
        check_size(os.fstat(number).st_size, max_bytes, shown(url))
        try:
            while data := file.read(FLUSH_BYTES):
                scratch.append(data)
        except OSError as error:
            raise _unreadable(error, url) from error
    return scratch.finish()


def _resolve(url: str, roots: Sequence[str]) -> str:
    try:
        parts = urlsplit(url)
        path = os.fsdecode(unquote_to_bytes(parts.path))
    except ValueError:  # UnicodeError too
        _refuse(url, "it is malformed")
    if parts.netloc.lower() not in _LOCAL:
        _refuse(url, "it names a host; file URLs are file:///path")
    if not path.startswith("/") or "\0" in path:
        _refuse(url, "it holds no absolute path")
    try:
        resolved = os.path.realpath(path)
    except (OSError, ValueError):
        _refuse(url, "its path cannot be resolved")
    _check_below(resolved, roots, url)
    return resolved


def _check_below(path: str, roots: Sequence[str], url: str) -> None:
    """Both sides are resolved, so neither a link nor `..` leads out of a root."""
    # An empty root would mean the working folder, which nobody wrote down.
    resolved = [os.path.realpath(os.path.expanduser(root)) for root in roots if root]  # noqa: PTH111 - never raises
    if any(path != root and os.path.commonpath((root, path)) == root for root in resolved):
        return
    _refuse(
        url,
        "it is not below an allowed folder" if resolved else "no folder is allowed",
        hint="See the setting fetch.file_roots.",
    )


def _open_regular(path: str, url: str) -> int:
    """Open without following links or waiting for the other end of a pipe."""
    # Asked before as well: merely opening some devices has effects.
    _check_regular(os.lstat(path), url)
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        _check_regular(os.fstat(number), url)
    except BaseException:
        os.close(number)
        raise
    return number


def _check_regular(status: os.stat_result, url: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        kinds = ((stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "pipe"), (stat.S_ISLNK, "link"), (stat.S_ISSOCK, "socket"))
        kind = next((name for is_kind, name in kinds if is_kind(status.st_mode)), "device")
        _refuse(url, f"it is a {kind}, not a regular file")


def _path_of(number: int, opened: str) -> str:
    """The path of an open file, by the kernel's own word where it gives it."""
    try:
        return str(Path(f"/proc/self/fd/{number}").readlink())
    except OSError:
        pass
    if hasattr(fcntl, "F_GETPATH"):  # macOS
        return os.fsdecode(fcntl.fcntl(number, fcntl.F_GETPATH, b"\0" * 1024).rstrip(b"\0"))
    return os.path.realpath(opened)


def _unreadable(error: OSError, url: str) -> Terminal:
    text = f"{shown(url)} cannot be read: {error.strerror or type(error).__name__}."
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return MediaExpiredError(text)
    return Terminal(text, code="ADO-5103")


def _refuse(url: str, why: str, *, hint: str | None = None) -> NoReturn:
    raise FetchRefusedError(f"refused to fetch {shown(url)}: {why}.", hint=hint)
