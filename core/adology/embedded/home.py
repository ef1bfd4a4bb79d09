"""The folder that holds everything the embedded servers keep: data, logs, addresses, passwords."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from adology.embedded.model import StackState
from adology.errors import StackError

LOW_DISK_BYTES = 200 * 1024 * 1024
_LONGEST_SOCKET_FOLDER = 85
"""A unix socket address holds 107 bytes, and PostgreSQL appends its file name and a lock's."""


class Home:
    """Paths below one folder, and the few files the stack itself reads and writes."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(_find_working_folder(Path("/")) / root.expanduser()))  # noqa: PTH100 - resolve() would follow links
        self.logs = self.root / "logs"
        self.run = self.root / "run"
        self.state_file = self.root / "state.json"
        self.stack_file = self.root / "stack.toml"
        self.options_file = self.run / "options.json"
        self.lock_file = self.run / "supervisor.lock"
        self.start_lock_file = self.run / "start.lock"
        self.working_folder = _find_working_folder(self.root)

    def failure_file(self, token: str) -> Path:
        """Where the supervisor of that name says why it could not start."""
        return self.run / f"failed-{token}"

    def program_environment(self) -> dict[str, str]:
        """The environment of our own programs: the caller's, pointed to this home."""
        return {**os.environ, "ADOLOGY_HOME": str(self.root)}

    def prepare(self) -> None:
        """Create the folders, readable by their owner only.

        Raises:
            StackError: the folder cannot be made or written, with the reason and what to do.
        """
        try:
            for folder in (self.root, self.logs, self.run):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                probe = folder / f".write-{os.getpid()}-{secrets.token_hex(4)}"
                probe.write_bytes(b"")
                probe.unlink()
        except OSError as error:
            raise StackError(_explain(self.root, error), hint=_advise(error), code="ADO-5501") from error

    def find_low_disk(self) -> str:
        """A warning when the disk is nearly full, else an empty string."""
        free = shutil.disk_usage(self.root).free
        if free >= LOW_DISK_BYTES:
            return ""
        return (
            f"the disk of {self.root} is nearly full: {free // 2**20} MB free, "
            f"{LOW_DISK_BYTES // 2**20} MB wanted; servers stop accepting writes when it is full"
        )

    def find_socket_folder(self) -> Path | None:
        """The folder for PostgreSQL's unix socket; None where the path is too long for one."""
        return self.run if len(os.fsencode(self.run)) <= _LONGEST_SOCKET_FOLDER else None

    def log(self, name: str) -> Path:
        """The log file of one service."""
        return self.logs / f"{name}.log"

    def read_json(self, name: str) -> dict[str, Any]:
        """The content of a small JSON file of ours; empty when absent or torn."""
        try:
            content = msgspec.json.decode((self.run / name).read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return {}
        return content if isinstance(content, dict) else {}

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a small JSON file of ours: atomically, mode 0600."""
        write_private(self.run / name, msgspec.json.encode(value))

    def get_password(self, name: str) -> str:
        """The random password kept under `name`, made at the first call.

        Raises:
            StackError: the file of passwords is damaged. New ones would not open the old data.
        """
        known = self.read_json("secrets.json")
        if not known and (self.run / "secrets.json").exists():
            raise StackError(
                f"{self.run / 'secrets.json'} does not hold the servers' passwords any more: it is no JSON object.",
                hint="Restore it, or move the whole home away to start with empty servers.",
                code="ADO-5505",
            )
        if name not in known:
            known[name] = secrets.token_urlsafe(24)
            self.write_json("secrets.json", known)
        return str(known[name])

    def read_state(self) -> StackState:
        """The state as last written; says nothing about whether it is still true."""
        try:
            return msgspec.json.decode(self.state_file.read_bytes(), type=StackState)
        except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
            return StackState()
        except OSError as error:
            raise StackError(_explain(self.root, error), hint=_advise(error), code="ADO-5501") from error


class Lock:
    """At most one supervisor works on a home; the system frees the lock when its holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def try_acquire(self) -> bool:
        """Whether the lock is now ours."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._fd = fd
        return True

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def write_private(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace `path` by `content` in one step, readable by its owner only."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def _find_working_folder(root: Path) -> Path:
    """Where we were started; a shell may stand in a folder that is gone."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return root


_REASONS = {
    errno.EACCES: "this user may not write there",
    errno.EPERM: "this user may not write there",
    errno.EROFS: "the file system is mounted read-only",
    errno.ENOSPC: "the disk is full",
    errno.ENOTDIR: "part of the path is a file, not a folder",
    errno.EEXIST: "there is a file of that name, not a folder",
    errno.ENAMETOOLONG: "the path is too long",
    errno.ENOENT: "the system does not let it be made there",
}


def _explain(root: Path, error: OSError) -> str:
    reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
    return f"the stack's folder {root} cannot be used: {reason} ({error.filename or root})."


def _advise(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "Free some space, or choose another folder with --home or ADOLOGY_HOME."
    return "Choose another folder with --home or ADOLOGY_HOME."
