"""Keeps indexes as the committed catalogue is: after each commit, within the time of one look."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from adology.errors import AdologyError, describe
from adology.log import logger
from adology.store.changes import Change, Changes, Position, PositionLostError
from adology.store.database import Database
from adology.store.embedded import PAGE, Embedded, EmbeddedSubjects
from adology.store.subjects import SubjectKind
from adology_faiss.checks import check_query
from adology_faiss.errors import VectorRefusedError
from adology_faiss.home import Home
from adology_faiss.interface import VectorIndex
from adology_faiss.model import Entry, Vector
from adology_faiss.naming import Name

KINDS: tuple[SubjectKind, ...] = ("asset", "ad")
Owners = dict[str, set[str | None]]
"""Subject → owners whose entry of it may be there, besides those who have ads with it now."""


class Follower:
    """Reads the feed of changes and brings the indexes at `home` up to date; safe to repeat.

    What a change says is only where to look: entries are made from what is committed at that
    moment, so the order of changes does not matter, nor how often one is looked at.
    """

    def __init__(self, database: Database, home: Home) -> None:
        self._changes = Changes(database)
        self._embedded = EmbeddedSubjects(database)
        self._home = home
        self._position: Position | None = None
        self._known: set[int] = set()
        self._analyzers: dict[str, set[str]] = {}

    async def run(self, stop: asyncio.Event, *, poll_s: float) -> None:
        """Follow until `stop`; a store that is away is waited for."""
        while not stop.is_set():
            try:
                await self.catch_up()
            except AdologyError as error:
                logger.bind(error=describe(error)).warning("vector indexes are behind: the stores do not answer")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), poll_s)
        await self._home.close()

    async def catch_up(self) -> int:
        """Take in all changes that are there; how many. The first time: load or build the indexes.

        Raises:
            UnavailableError: a store is away; nothing is lost, the next call goes on.
        """
        if self._position is None:
            self._position = await self._home.load()
            await self._learn_analyzers()
        if self._position is None:
            await self.rebuild()
        try:
            return await self._follow()
        except PositionLostError as error:
            logger.bind(reason=str(error)).warning("vector indexes are too old to follow; building them anew")
            await self.rebuild()
            return await self._follow()

    async def rebuild(self) -> None:
        """Build every index from what is committed."""
        position = await self._changes.now()
        await self._home.begin()
        self._analyzers.clear()
        count = 0
        for kind in KINDS:
            async for subjects in self._embedded.everything(kind):
                await self._refresh(kind, subjects, {})
                count += len(subjects)
        await self._home.publish()
        await self._home.keep(position)
        self._position, self._known = position, set()
        logger.bind(subjects=count, spaces=len(self._home.list_spaces())).info("vector indexes built")

    async def _learn_analyzers(self) -> None:
        for space in self._home.list_spaces():
            self._analyzers[space] = await self._home.analyzers(space)

    async def _follow(self) -> int:
        assert self._position is not None  # noqa: S101 - asked by the caller
        count = 0
        while True:
            known = set(self._known)
            page = await self._changes.after(self._position, known)
            for kind, owners in (await self._touched(page.changes)).items():
                subjects = sorted(owners)
                for start in range(0, len(subjects), PAGE):
                    await self._refresh(kind, subjects[start : start + PAGE], owners)
            # Only now: what failed on the way is read again.
            self._position, self._known = page.position, known
            count += len(page.changes)
            if page.whole:
                await self._home.keep(page.position)
                return count

    async def _touched(self, changes: Iterable[Change]) -> dict[SubjectKind, Owners]:
        """The assets and copies that are to be looked at again."""
        touched: dict[SubjectKind, Owners] = {kind: defaultdict(set) for kind in KINDS}
        for change in changes:
            if change.kind != "batch":
                touched[change.kind][change.subject].add(change.owner)
                continue
            for kind in KINDS:
                for subject in await self._embedded.of_batch(change.subject, kind):
                    touched[kind][subject].add(None)
        return touched

    async def _refresh(self, kind: SubjectKind, subjects: Sequence[str], owners: Owners) -> None:
        """Make the entries of these subjects what is committed of them."""
        embedded = await self._embedded.load(kind, subjects)
        stale = self._possible_ids(embedded, subjects, owners)
        for space, entries in make_entries(embedded).items():
            index = await self._home.open(space, dimensions_of(space, entries[0].vector))
            self._analyzers.setdefault(space, set()).update(
                one.analyzer for one in embedded.embeddings if one.space == space
            )
            stale[space] -= await _upsert(index, entries)
        for space, ids in stale.items():
            known = self._home.get(space)
            if known is not None and ids:
                await known.remove(sorted(ids))

    def _possible_ids(self, embedded: Embedded, subjects: Sequence[str], owners: Owners) -> dict[str, set[str]]:
        """By space, the ids under which entries of these subjects may be there."""
        of_subject: Owners = {subject: {None, *owners.get(subject, ())} for subject in subjects}
        for seen in embedded.appearances:
            of_subject[seen.subject].add(seen.owner)
        possible: dict[str, set[str]] = defaultdict(set)
        for space, analyzers in self._analyzers.items():
            possible[space] = {
                Name(analyzer=analyzer, subject=subject, owner=owner).id
                for analyzer in analyzers
                for subject, whose in of_subject.items()
                for owner in whose
            }
        return possible


def make_entries(embedded: Embedded) -> dict[str, list[Entry]]:
    """By space, one entry per embedding and owner that it is seen with."""
    appearances = defaultdict(list)
    for seen in embedded.appearances:
        appearances[seen.subject].append(seen)
    entries: dict[str, list[Entry]] = defaultdict(list)
    for one in embedded.embeddings:
        vector: Vector = one.vector
        for seen in appearances[one.subject]:
            entries[one.space].append(
                Entry(
                    id=Name(analyzer=one.analyzer, subject=one.subject, owner=seen.owner).id,
                    vector=vector,
                    owner=seen.owner,
                    brands=seen.brands,
                    sources=seen.sources,
                    first_seen=seen.first_seen,
                    last_seen=seen.last_seen,
                    labels=embedded.labels.get(one.subject, frozenset()),
                )
            )
    return entries


def dimensions_of(space: str, vector: Vector) -> int:
    """What the space's id says (``model/version/384/f32``), else what there is."""
    parts = space.split("/")
    said = parts[2] if len(parts) == 4 else ""  # noqa: PLR2004 - the parts of an id
    return int(said) if said.isdecimal() and int(said) > 0 else len(vector)


async def _upsert(index: VectorIndex, entries: Sequence[Entry]) -> set[str]:
    """The ids of those that went in. A vector that is not of its space is left out: others must not wait for it."""
    good: list[Entry] = []
    for entry in entries:
        try:
            check_query(index.space, index.dimensions, entry.vector)
        except VectorRefusedError as error:
            logger.bind(space=index.space, entry=entry.id, error=error.problem).error("embedding left out of its index")
        else:
            good.append(entry)
    await index.upsert(good)
    return {entry.id for entry in good}
