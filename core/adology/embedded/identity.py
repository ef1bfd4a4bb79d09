"""Under which identity PostgreSQL runs: it refuses root, and a uid without a name; users are not ours to create."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from adology.embedded.spawn import launch_command
from adology.errors import StackError

_TIMEOUT_S = 20.0


class Identity(msgspec.Struct, frozen=True):
    """Who a server is. `owner` is the uid that its data folder must belong to."""

    text: str
    owner: int


def choose_identity(binary: Path, folder: Path, kinds: Sequence[str] = ("userns", "setuid")) -> Identity:
    """An identity under which `binary` runs and may write below `folder`.

    An ordinary user stays who he is. Root becomes an ordinary uid inside a user namespace, where
    files keep their owner; where the system forbids that, the unprivileged account ``nobody``. A
    uid that has no name, as containers give out, gets one inside a user namespace.

    Args:
        binary: a program of the server, run once with ``--version`` to see that it starts.
        folder: the data folder; exists.
        kinds: ways to try, in order; only root can use ``setuid``.

    Raises:
        StackError: none works, with each way and why it failed.
    """
    own = os.geteuid()
    if own != 0 and _has_name(own):
        return Identity("same", own)
    account = _find_account()
    tried: list[str] = []
    for kind in kinds if own == 0 else ("userns",):
        identity = Identity(f"{kind}:{account.pw_uid}:{account.pw_gid}", own if kind == "userns" else account.pw_uid)
        problem = _find_problem(identity, binary, folder, account)
        if not problem:
            return identity
        tried.append(f"{_NAMES[kind]}: {problem}")
    who = "as root" if own == 0 else f"as uid {own}, which has no name here"
    raise StackError(
        f"PostgreSQL does not run {who}, and no other identity works here. Tried {'; '.join(tried)}.",
        hint=f"Run as an ordinary user, or allow {account.pw_name} to reach {folder} and {binary.parent}."
        if own == 0
        else "Run as a user that the system knows (in a container: add it to /etc/passwd).",
        code="ADO-5503",
    )


_NAMES = {"userns": "a user namespace", "setuid": "the account nobody"}


def give_folder(folder: Path, owner: int) -> None:
    """Make `folder` and all below it belong to `owner`, if it does not already.

    Raises:
        StackError: an ordinary user meets data of somebody else.
    """
    found = folder.stat().st_uid
    if found == owner:
        return
    if os.geteuid() != 0:
        raise StackError(
            f"the data folder {folder} belongs to uid {found}, and this is uid {owner}.",
            hint="Run as its owner, or choose another folder with --home or ADOLOGY_HOME.",
            code="ADO-5501",
        )
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, -1, follow_symlinks=False)


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _find_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        ordinary = next((entry for entry in pwd.getpwall() if entry.pw_uid != 0), None)
    return ordinary or pwd.struct_passwd(("nobody", "x", 65534, 65534, "", "/", "/bin/false"))


def _find_problem(identity: Identity, binary: Path, folder: Path, account: pwd.struct_passwd) -> str:
    command = launch_command([str(binary), "--version"], identity=identity.text)
    try:
        done = subprocess.run(  # noqa: S603 - our own launcher and the bundled server
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        return lines[-1] if lines else f"exit code {done.returncode}"
    if identity.owner != os.geteuid():
        blocked = _find_blocked(folder, account)
        if blocked:
            return f"{account.pw_name} may not pass through {blocked}"
    return ""


def _find_blocked(folder: Path, account: pwd.struct_passwd) -> Path | None:
    """The first parent of `folder` that `account` may not traverse."""
    for parent in reversed(folder.parents):
        status = parent.stat()
        if status.st_uid == account.pw_uid:
            allowed = status.st_mode & 0o100
        elif status.st_gid == account.pw_gid:
            allowed = status.st_mode & 0o010
        else:
            allowed = status.st_mode & 0o001
        if not allowed:
            return parent
    return None
