"""One child process as the worker sees it: started, asked, killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Self

import msgspec

from adology.isolation.wire import (
    HEADER,
    MAX_FRAME,
    Answer,
    FromChild,
    FromWorker,
    Hello,
    LogLine,
    Started,
    decode_from_child,
    encode,
)
from adology.log import logger

START_S = 60.0
"""For an interpreter and our imports, on a machine with much else to do."""
LOAD_S = 120.0
"""For importing an analyzer with its libraries and models, before its deadline begins."""
_REAP_S = 5.0
_TAIL = 4096

_PASSED_ON = (
    *("PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "PYTHONHOME"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "XDG_CACHE_HOME", "HF_HOME", "TORCH_HOME", "FONTCONFIG_PATH"),
)
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def _nothing() -> None:
    """Nobody wants to know."""


class ChildLostError(Exception):
    """The child died, hung or talked nonsense; the text says which."""


class ChildProcess:
    """A started child. Use `start`; after any `ChildLostError`, only `end` makes sense."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise RuntimeError("a child is started with three pipes")
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._tail = b""
        self._draining = asyncio.create_task(self._drain(process.stderr))
        self.tasks = 0

    @classmethod
    async def start(cls, *, memory_bytes: int) -> Self:
        """A child that has said hello.

        Raises:
            ChildLostError: it ended or stayed silent instead; the text ends with its last words.
            OSError: the system has no room for a process.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the working folder is nobody's module path
            "-m",
            "adology.isolation.child",
            str(os.getpid()),
            str(memory_bytes),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=child_environment(),
            # Ctrl-C in a terminal is for the worker; and one signal to the group ends helpers too.
            start_new_session=True,
        )
        child = cls(process)
        try:
            async with asyncio.timeout(START_S):
                await child._greeted()
        except (TimeoutError, ChildLostError) as error:
            await child.end()
            text = str(error) or f"it said nothing for {START_S:g} s"
            raise ChildLostError(f"{text}; its last words: {child.last_words()!r}") from None
        except BaseException:
            await child.end()
            raise
        return child

    @property
    def is_alive(self) -> bool:
        """False once the system has told us of its end."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """Its process id, which is also its group's."""
        return self._process.pid

    def last_words(self) -> str:
        """The end of what it wrote to standard error (and output): a crash's stack, say."""
        return self._tail.decode("utf-8", "replace").strip()

    async def ask(self, request: FromWorker, started: Callable[[], None] = _nothing) -> Answer:
        """Its answer; `started` is called when the deadline begins.

        Raises:
            ChildLostError: there will be none.
        """
        self.tasks += 1
        try:
            async with asyncio.timeout(LOAD_S):
                await self._send(encode(request))
                first = await self._receive()
            if not isinstance(first, Started):
                return _as_answer(first)
            started()
        except TimeoutError:
            raise ChildLostError(f"took longer than {LOAD_S:g} s to load and was killed") from None
        try:
            async with asyncio.timeout(request.deadline_s):
                return _as_answer(await self._receive())
        except TimeoutError:
            raise ChildLostError(f"passed its deadline of {request.deadline_s:g} s and was killed") from None

    def kill(self) -> None:
        """End it and its helpers at once; it holds nothing that is worth a farewell."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Kill it and wait until it is gone. May be called twice."""
        self.kill()
        await self._process.wait()
        # A helper that left the group may hold the pipe open: its words are not waited for.
        await asyncio.wait([self._draining], timeout=0.2)
        self._draining.cancel()
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()

    async def _greeted(self) -> None:
        first = await self._receive()
        if not isinstance(first, Hello):
            raise ChildLostError(f"it began with {type(first).__name__}")

    async def _send(self, message: bytes) -> None:
        try:
            self._stdin.write(HEADER.pack(len(message)) + message)
            await self._stdin.drain()
        except (ConnectionError, RuntimeError):
            raise ChildLostError(await self._how_it_ended()) from None

    async def _receive(self) -> FromChild:
        """The next message that is not a log line."""
        while True:
            try:
                (size,) = HEADER.unpack(await self._stdout.readexactly(HEADER.size))
                if size > MAX_FRAME:
                    raise ChildLostError(f"sent a message of {size} bytes and was killed")
                message = decode_from_child.decode(await self._stdout.readexactly(size))
            except (asyncio.IncompleteReadError, ConnectionError):
                raise ChildLostError(await self._how_it_ended()) from None
            except msgspec.MsgspecError:
                raise ChildLostError("wrote nonsense into its pipe and was killed") from None
            if not isinstance(message, LogLine):
                return message
            level = message.level if message.level in _LEVELS else "INFO"
            logger.bind(**message.extra).log(level, "{}", message.text)

    async def _how_it_ended(self) -> str:
        """Its end in words; the pipe closes an instant before the system tells."""
        try:
            async with asyncio.timeout(_REAP_S):
                code = await self._process.wait()
        except TimeoutError:
            return "closed its pipe and was killed"
        if code >= 0:
            return f"ended with exit code {code}"
        try:
            return f"died of {signal.Signals(-code).name}"
        except ValueError:
            return f"died of signal {-code}"

    async def _drain(self, stderr: asyncio.StreamReader) -> None:
        """Read on, so that a talkative library never blocks; keep the end."""
        while data := await stderr.read(_TAIL):
            self._tail = (self._tail + data)[-_TAIL:]


_LEVELS = frozenset({"TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"})


def _as_answer(message: FromChild) -> Answer:
    if isinstance(message, (Hello, Started, LogLine)):
        raise ChildLostError(f"sent {type(message).__name__} out of turn and was killed")
    return message


def child_environment() -> dict[str, str]:
    """Little of ours: strangers' files meet native code there, so no credential goes along."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # Children import what the worker imports, however its path came about.
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    threads = {name: os.environ.get(name, "1") for name in _ONE_THREAD}
    # Each malloc arena reserves 64 MiB of the address space that is limited.
    return {**kept, **threads, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}
