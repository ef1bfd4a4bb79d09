"""Keeps something in step with the committed catalogue: after each commit, within the time of one look."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

from adology.errors import AdologyError, describe
from adology.log import logger
from adology.store.changes import Change, Changes, Position, PositionLostError
from adology.store.database import Database
from adology.store.embedded import PAGE, CommittedSubjects
from adology.store.locks import AdvisoryLocks
from adology.store.subjects import SubjectKind

STANDBY_S = 5.0

Owners = dict[str, set[str | None]]
"""Subject → owners whose ads may have shown it until now."""


async def hold_alone(stack: contextlib.AsyncExitStack, locks: AdvisoryLocks, name: str, stop: asyncio.Event) -> bool:
    """True once the lock is ours until the stack ends; False when `stop` came before.

    Raises:
        UnavailableError: the server does not answer.
    """
    while not stop.is_set():
        held = contextlib.AsyncExitStack()
        if await held.enter_async_context(locks.hold(name)):
            stack.push_async_exit(held)
            return True
        await held.aclose()
        logger.bind(lock=name).debug("another process follows; standing by")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), STANDBY_S)
    return False


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

    async def run(self, stop: asyncio.Event, *, poll_s: float) -> None:
        """Follow until `stop`; a store that is away is waited for."""
        while not stop.is_set():
            try:
                await self.catch_up()
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
            return await self._follow()
        except PositionLostError as error:
            logger.bind(what=self._derived.name, reason=str(error)).warning("too far behind to follow; making it anew")
            await self.rebuild()
            return await self._follow()

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
        while True:
            known = dict(self._known)
            page = await self._changes.after(self._position, known)
            for kind, owners in (await self._touched(page.changes)).items():
                subjects = sorted(owners)
                for start in range(0, len(subjects), PAGE):
                    await self._derived.refresh(kind, subjects[start : start + PAGE], owners)
            # Only now: what failed on the way is read again.
            self._position, self._known = page.position, known
            count += len(page.changes)
            if page.whole:
                await self._derived.keep(page.position)
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
