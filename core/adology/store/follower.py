"""Keeps something in step with the committed catalogue: after each commit, within the time of one look."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Protocol

from adology.errors import AdologyError, describe
from adology.log import logger
from adology.store.changes import Change, Changes, Position, PositionLostError
from adology.store.database import Database
from adology.store.embedded import PAGE, CommittedSubjects
from adology.store.locks import AdvisoryLocks, Held
from adology.store.subjects import SubjectKind

STANDBY_S = 5.0

Owners = dict[str, set[str | None]]
"""Subject → owners whose ads may have shown it until now."""


async def hold_alone(
    stack: contextlib.AsyncExitStack, locks: AdvisoryLocks, name: str, stop: asyncio.Event
) -> Held | None:
    """The lock, once it is ours until the stack ends; None when `stop` came before.

    Raises:
        UnavailableError: the server does not answer.
    """
    while not stop.is_set():
        own = contextlib.AsyncExitStack()
        held = await own.enter_async_context(locks.take(name))
        if held is not None:
            stack.push_async_exit(own)
            return held
        await own.aclose()
        logger.bind(lock=name).debug("another process follows; standing by")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), STANDBY_S)
    return None


class Derived(Protocol):
    """What is kept in step."""

    name: str
    kinds: tuple[SubjectKind, ...]
    """Which subjects it is about."""

    async def load(self) -> Position | None:
        """Take up what was kept; None when there is nothing, and all is to be made."""
        ...

    async def begin(self) -> None:
        """All is made anew from here on, until `publish`."""
        ...

    async def refresh(self, kind: SubjectKind, subjects: Sequence[str], owners: Owners) -> None:
        """Make what is derived of these subjects what is committed of them now; safe to repeat."""
        ...

    async def publish(self) -> None:
        """What was made takes the place of what there was."""
        ...

    async def keep(self, position: Position) -> None:
        """All changes up to `position` are in: remember that, now or in a while."""
        ...

    async def close(self) -> None:
        """Keep what is not kept yet."""
        ...


async def _until(stop: asyncio.Event, work: Coroutine[Any, Any, int]) -> None:
    """Do the work, or as much of it as there is time for."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


class Follower:
    """Reads the feed of changes and has what they are about refreshed.

    What a change says is only where to look: things are made from what is committed at that
    moment, so the order of changes does not matter, nor how often one is looked at.
    """

    def __init__(self, database: Database, derived: Derived) -> None:
        self._changes = Changes(database)
        self._committed = CommittedSubjects(database)
        self._derived = derived
        self._position: Position | None = None
        self._known: dict[int, int] = {}
        """Changes that were taken in already, and lie after the position."""
        self.in_step_at: float | None = None
        """When all changes that were there were last in, by `time.monotonic`; None: not yet."""

    async def run(self, stop: asyncio.Event, *, poll_s: float, held: Held | None = None) -> None:
        """Follow until `stop`; a store that is away is waited for.

        What is in work when `stop` comes is broken off: the next one to follow takes it up again.

        Raises:
            UnavailableError: `held` is not ours any more: another process may follow by now.
        """
        while not stop.is_set():
            if held is not None:
                await held.check()
            try:
                await _until(stop, self.catch_up())
            except AdologyError as error:
                logger.bind(what=self._derived.name, error=describe(error)).warning("behind: the stores do not answer")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), poll_s)
        await self._derived.close()

    async def catch_up(self) -> int:
        """Take in all changes that are there; how many. The first time: load, or make everything.

        Raises:
            UnavailableError: a store is away; nothing is lost, the next call goes on.
        """
        if self._position is None:
            self._position = await self._derived.load()
        if self._position is None:
            await self.rebuild()
        try:
            count = await self._follow()
        except PositionLostError as error:
            logger.bind(what=self._derived.name, reason=str(error)).warning("too far behind to follow; making it anew")
            await self.rebuild()
            count = await self._follow()
        self.in_step_at = time.monotonic()
        return count

    async def rebuild(self) -> None:
        """Make everything from what is committed."""
        position = await self._changes.now()
        await self._derived.begin()
        count = 0
        for kind in self._derived.kinds:
            async for subjects in self._committed.everything(kind):
                await self._derived.refresh(kind, subjects, {})
                count += len(subjects)
        await self._derived.publish()
        await self._derived.keep(position)
        self._position, self._known = position, {}
        logger.bind(what=self._derived.name, subjects=count).info("made anew from what is committed")

    async def _follow(self) -> int:
        assert self._position is not None  # noqa: S101 - asked by the caller
        count = 0
        async for page in self._changes.sweep(self._position, self._known):
            for kind, owners in (await self._touched(page.changes)).items():
                subjects = sorted(owners)
                for start in range(0, len(subjects), PAGE):
                    await self._derived.refresh(kind, subjects[start : start + PAGE], owners)
            # Only now: what failed on the way is read again.
            self._position = page.position
            seen = {**self._known, **{change.id: change.xid for change in page.changes}}
            self._known = {one: xid for one, xid in seen.items() if xid >= page.position.horizon}
            count += len(page.changes)
        await self._derived.keep(self._position)
        return count

    async def _touched(self, changes: Iterable[Change]) -> dict[SubjectKind, Owners]:
        """The assets and copies that are to be looked at again."""
        kinds = self._derived.kinds
        touched: dict[SubjectKind, Owners] = {kind: defaultdict(set) for kind in kinds}
        for change in changes:
            if change.kind == "batch":
                for kind in kinds:
                    for subject in await self._committed.of_batch(change.subject, kind):
                        touched[kind][subject].add(None)
            elif change.kind in kinds:
                touched[change.kind][change.subject].add(change.owner)
        return touched
