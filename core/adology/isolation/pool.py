"""A few warm child processes, lent to one item at a time."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from adology.abc.analyzer import Derived, MediaItem
from adology.errors import AnalyzerCrashedError, MediaUnusableError, Retry
from adology.isolation.errors import IsolatedFaultError, unpack_error
from adology.isolation.process import ChildLostError, ChildProcess
from adology.isolation.wire import (
    MAX_FRAME,
    Answer,
    Call,
    Done,
    Failed,
    Fault,
    FromWorker,
    Item,
    Made,
    OutOfMemory,
    Request,
    encode,
)
from adology.log import logger
from adology.types import Struct

T = TypeVar("T")

GIB = 1024**3


class Outcome(Struct, frozen=True, kw_only=True):
    """What an isolated analyzer gave: its result as plain data, and the files that it made."""

    result: Any
    derived: tuple[Derived, ...]


class IsolatedPool:
    """Runs analyzers in at most `processes` children. One per worker; use `async with`.

    Children start when first needed and are kept; each is replaced after `max_tasks` items, and
    at once after a crash, a passed deadline, a cancelled item or exhausted memory. None outlives
    the worker. They get no environment but the harmless part, so `ctx.secret` finds nothing.

    Args:
        processes: most children at once; further items wait in order of arrival.
        memory_bytes: address space of one child.
        max_tasks: items after which a child is replaced, against leaks of native libraries.
    """

    def __init__(self, processes: int, *, memory_bytes: int = 2 * GIB, max_tasks: int = 500) -> None:
        self._memory_bytes = memory_bytes
        self._max_tasks = max_tasks
        self._slots = asyncio.Semaphore(processes)
        self._idle: list[ChildProcess] = []
        self._busy: set[ChildProcess] = set()
        self._background: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End all children at once; items in work raise Retry. May be called twice."""
        self._closed = True
        for child in (*self._idle, *self._busy):
            self._retire(child)
        self._idle.clear()
        while self._background:
            await asyncio.wait(self._background)

    async def run(
        self, reference: str, settings: dict[str, Any], item: MediaItem, *, scratch: Path, deadline_s: float
    ) -> Outcome:
        """The outcome of the analyzer that `reference` (``module:Class``) names, on `item`.

        `deadline_s` counts from the moment the child has loaded the analyzer. Derived files are
        in `scratch` when this returns.

        Raises:
            AnalyzerCrashedError: the child died or passed its deadline.
            MediaUnusableError: the item needs more memory than a child may have.
            IsolatedFaultError: the analyzer raised something that is not ours.
            AdologyError: what the analyzer raised.
            Retry: no child could be started, or the pool is closing.
        """
        request = Request(
            reference=reference, settings=settings, item=_plain(item), scratch=str(scratch), deadline_s=deadline_s
        )
        answer = await self._ask(request, f"{reference} on {item.sha256[:12]}")
        if isinstance(answer, Done):
            return Outcome(result=answer.result, derived=_check_derived(answer.derived, scratch, reference))
        raise self._error(answer, reference, f"{item.sha256[:12]} ({item.size_bytes} bytes of {item.content_type})")

    async def call(
        self,
        reference: str,
        args: Sequence[Any],
        *,
        deadline_s: float,
        started: Callable[[], None] = lambda: None,
    ) -> Any:
        """The result of the function that `reference` (``module:function``) names, as plain data.

        `args` and result are what MessagePack knows, bytes among it. `deadline_s` counts from the
        moment the child has imported the function; `started` is called then.

        Raises:
            ValueError: the arguments are too long for a message.
            TypeError: an argument is not plain.
            AdologyError: as `run`, and what the function raised.
            IsolatedFaultError: it raised something that is not ours, or its result is not plain.
        """
        request = Call(reference=reference, args=list(args), deadline_s=deadline_s)
        size = len(encode(request))
        if size > MAX_FRAME:
            raise ValueError(f"{reference} is given {size} bytes; allowed are {MAX_FRAME}: pass a path")
        answer = await self._ask(request, reference, started)
        if isinstance(answer, Done):
            return answer.result
        raise self._error(answer, reference, "what it was given")

    async def _ask(self, request: FromWorker, what: str, started: Callable[[], None] = lambda: None) -> Answer:
        """The answer of a child that is lent for it; `what` names the work."""
        async with self._slots:
            child = await self._take()
            self._busy.add(child)
            try:
                answer = await child.ask(request, started)
            except ChildLostError as error:
                await self._bury(child, request.reference, what, str(error))
                raise self._lost(what, str(error)) from None
            except BaseException:
                # Cancelled: it may be in the middle of anything.
                self._retire(child)
                raise
            self._give_back(child, answer)
        return answer

    async def _take(self) -> ChildProcess:
        """A warm child, or a new one."""
        while self._idle and not self._closed:
            child = self._idle.pop()
            if child.is_alive:
                return child
            self._retire(child)
        if self._closed:
            raise self._closing()
        starting = self._spawn(self._start())
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Half a start cannot be undone; a whole one can.
            self._spawn(self._undo(starting))
            raise

    async def _start(self) -> ChildProcess:
        """A new child, which `close` knows of from its first moment."""
        try:
            child = await ChildProcess.start(memory_bytes=self._memory_bytes)
        except (ChildLostError, OSError) as error:
            raise Retry(
                f"no child process for isolated analyzers could be started: {error}.",
                hint="See settings worker.isolation_processes and the machine's memory.",
                code="ADO-5201",
            ) from error
        if self._closed:
            await child.end()
            raise self._closing()
        self._busy.add(child)
        logger.bind(child=child.pid).debug("isolation child started")
        return child

    async def _undo(self, starting: asyncio.Task[ChildProcess]) -> None:
        try:
            child = await starting
        except Retry:
            return
        self._retire(child)

    def _give_back(self, child: ChildProcess, answer: Answer) -> None:
        self._busy.discard(child)
        worn = isinstance(answer, OutOfMemory) or child.tasks >= self._max_tasks
        if worn or self._closed or not child.is_alive:
            self._retire(child)
        else:
            self._idle.append(child)

    async def _bury(self, child: ChildProcess, reference: str, what: str, how: str) -> None:
        self._busy.discard(child)
        try:
            await child.end()
        except BaseException:
            self._retire(child)
            raise
        if not self._closed:
            logger.bind(
                analyzer=reference,
                work=what,
                child=child.pid,
                how=how,
                last_words=child.last_words()[-1500:],
            ).warning("isolation child lost")

    def _retire(self, child: ChildProcess) -> None:
        """Kill now, reap in the background."""
        self._busy.discard(child)
        child.kill()
        self._spawn(child.end())

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that `close` waits for."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    def _lost(self, what: str, how: str) -> AnalyzerCrashedError | Retry:
        if self._closed:
            return self._closing()
        return AnalyzerCrashedError(f"{what}: its process {how}.")

    @staticmethod
    def _closing() -> Retry:
        return Retry("the pool of isolated analyzers is closing.", code="ADO-5202")

    def _error(self, answer: Failed | Fault | OutOfMemory, reference: str, given: str) -> Exception:
        if isinstance(answer, Failed):
            return unpack_error(answer)
        if isinstance(answer, Fault):
            return IsolatedFaultError(reference, answer.error, answer.text, answer.trace)
        return MediaUnusableError(f"{reference} needs more than {self._memory_bytes} bytes of memory for {given}.")


def _plain(item: MediaItem) -> Item:
    return Item(
        sha256=item.sha256,
        path=str(item.path),
        kind=item.kind,
        content_type=item.content_type,
        size_bytes=item.size_bytes,
        results=item.results,
    )


def is_regular(path: Path) -> bool:
    """Whether a file is there that is no link to another."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _check_derived(made: Sequence[Made], scratch: Path, analyzer: str) -> tuple[Derived, ...]:
    """Regular files by plain names in our scratch folder: the engine will read and archive them.

    A child that a hostile file has taken over must not choose what is archived.
    """
    for file in made:
        if not file.name or "/" in file.name or file.name.startswith(".") or "\0" in file.name:
            raise IsolatedFaultError(analyzer, "ValueError", f"{file.name!r} is no plain name for a derived file")
        if not is_regular(scratch / file.name):
            raise IsolatedFaultError(analyzer, "ValueError", f"it wrote no regular file for derived {file.name!r}")
    return tuple(Derived(name=m.name, content_type=m.content_type, path=scratch / m.name) for m in made)
