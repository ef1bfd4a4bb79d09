"""What a child process may not do, and how it keeps its pipe to itself. Runs in the child."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import resource
import signal
import sys
import threading
from pathlib import Path

from adology.isolation.wire import HEADER, MAX_FRAME

OPEN_FILES = 256
EXIT_ORPHANED = 125
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_OOM_SCORE = "800"


class Channel:
    """The pipe to the worker, taken off file numbers 0 and 1 so that no library writes into it."""

    def __init__(self) -> None:
        self._in = os.dup(0)
        self._out = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def read(self) -> bytes | None:
        """The next message; None when the worker is gone."""
        head = self._exactly(HEADER.size)
        return None if head is None else self._exactly(HEADER.unpack(head)[0])

    def write(self, message: bytes) -> None:
        """Send one message; any thread may."""
        if len(message) > MAX_FRAME:
            raise ValueError(f"a message of {len(message)} bytes is too long; allowed are {MAX_FRAME}")
        with self._lock:
            for part in (HEADER.pack(len(message)), message):
                view = memoryview(part)
                while view:
                    view = view[os.write(self._out, view) :]

    def _exactly(self, size: int) -> bytes | None:
        data = bytearray()
        while len(data) < size:
            part = os.read(self._in, min(size - len(data), 1 << 20))
            if not part:
                return None
            data += part
        return bytes(data)


def confine(parent: int, memory_bytes: int) -> None:
    """Bind this process to the life of `parent` and to its limits."""
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    # The stack of a crash reaches the worker's log through standard error.
    faulthandler.enable()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # When the machine runs out of memory, a decoder goes before the worker or a server does.
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
    if os.getppid() != parent:
        os._exit(EXIT_ORPHANED)


def _limit(kind: int, wanted: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    # Not every system knows every limit; the deadline and the crash handling hold regardless.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (value, value))
