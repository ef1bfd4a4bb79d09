"""Bounded log files of the children.

Children write to the file itself, not to a pipe of the supervisor: they must be able to shut down
in order after the supervisor was killed. So a full file is copied aside and emptied in place; lines
written between the two steps are lost, which a server's own chatter can bear.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from adology.log import REDACTOR

_TAIL_BYTES = 8192


def open_log(path: Path) -> int:
    """A descriptor that appends to `path`, mode 0600."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def turn_over(path: Path, limit: int) -> bool:
    """Move the content of a log larger than `limit` bytes to ``<name>.1``; whether it did."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size <= limit:
            return False
        older = path.with_name(path.name + ".1")
        try:
            older.touch(mode=0o600)
            shutil.copyfile(path, older)
        except OSError:
            # On a full disk the bound matters more than old lines.
            older.unlink(missing_ok=True)
        os.truncate(path, 0)
        return True
    return False


def read_tail(path: Path, lines: int = 12) -> str:
    """The last non-empty lines of a log, with secrets masked; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    kept = [line.rstrip() for line in text.splitlines() if line.strip()]
    return REDACTOR.redact("\n".join(kept[-lines:]))
