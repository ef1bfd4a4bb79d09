"""Turns itself into a server that cannot outlive its supervisor.

Run as a plain script by the interpreter without site packages, so that it costs milliseconds:
``launch.py PARENT_PID DEATH_SIGNAL IDENTITY COMMAND…``. IDENTITY is

- ``same``: stay who we are;
- ``userns:UID:GID``: enter a user namespace where we are called UID. Towards the rest of the
  system we stay who we are, so no file changes its owner and no permission is widened;
- ``setuid:UID:GID``: really become UID.
"""

from __future__ import annotations

import ctypes
import os
import sys

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
EXIT_ORPHANED = 125
EXIT_IDENTITY = 126
EXIT_NOT_RUN = 127


def _become(identity: str) -> None:
    kind, _, ids = identity.partition(":")
    if kind == "same":
        return
    uid, gid = (int(part) for part in ids.split(":"))
    if kind == "setuid":
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        return
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    if _libc().unshare(_CLONE_NEWUSER) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    for name, content in (
        ("setgroups", "deny"),
        ("gid_map", f"{gid} {outer_gid} 1"),
        ("uid_map", f"{uid} {outer_uid} 1"),
    ):
        # A short-lived write: the kernel takes the map in a single call.
        fd = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(fd, content.encode())
        os.close(fd)


def _die_with(parent: int, death_signal: int) -> None:
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(EXIT_ORPHANED)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Take on the identity, bind to the parent, become the command."""
    parent, death_signal, identity, *command = sys.argv[1:]
    try:
        _become(identity)
    except OSError as error:
        sys.stderr.write(f"cannot take on the identity {identity}: {error}\n")
        sys.exit(EXIT_IDENTITY)
    # After the change of identity: the kernel forgets the death signal when credentials change.
    _die_with(int(parent), int(death_signal))
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted here
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]}: {error.strerror}\n")
        sys.exit(EXIT_NOT_RUN)


if __name__ == "__main__":
    main()
