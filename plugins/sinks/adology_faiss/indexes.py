"""Keeps the indexes at a `Home` as the committed embeddings are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from adology.log import logger
from adology.store.changes import Position
from adology.store.database import Database
from adology.store.embedded import Embedded, EmbeddedSubjects
from adology.store.follower import Owners
from adology.store.subjects import SubjectKind
from adology_faiss.checks import check_query, check_space
from adology_faiss.errors import VectorIndexError, VectorRefusedError
from adology_faiss.home import Home
from adology_faiss.interface import VectorIndex
from adology_faiss.model import LONGEST_TEXT, Entry, Vector
from adology_faiss.naming import Name

_LENGTH = re.compile("[1-9][0-9]{0,4}")


class VectorIndexes:
    """What a `Follower` keeps in step: the indexes of all spaces."""

    name = "vector indexes"
    kinds: tuple[SubjectKind, ...] = ("asset", "ad")

    def __init__(self, database: Database, home: Home) -> None:
        self._embedded = EmbeddedSubjects(database)
        self._home = home
        self._analyzers: dict[str, set[str]] = {}

    async def load(self) -> Position | None:
        """See `Derived.load`."""
        position = await self._home.load()
        for space in self._home.list_spaces():
            self._analyzers[space] = await self._home.analyzers(space)
        return position

    async def begin(self) -> None:
        """See `Derived.begin`."""
        self._analyzers.clear()
        await self._home.begin()

    async def publish(self) -> None:
        """See `Derived.publish`."""
        await self._home.publish()

    async def keep(self, position: Position) -> None:
        """See `Derived.keep`."""
        await self._home.keep(position)

    async def close(self) -> None:
        """See `Derived.close`."""
        await self._home.close()

    async def refresh(self, kind: SubjectKind, subjects: Sequence[str], owners: Owners) -> None:
        """See `Derived.refresh`."""
        embedded = await self._embedded.load(kind, subjects)
        stale = self._possible_ids(embedded, subjects, owners)
        for space, entries in make_entries(embedded).items():
            dimensions = dimensions_of(space, entries[0].vector)
            try:
                check_space(space, dimensions)
            except VectorIndexError as error:
                logger.bind(space=space[:LONGEST_TEXT], error=str(error)[:LONGEST_TEXT]).error(
                    "embeddings left out: no index can be made of such a space"
                )
                continue
            index = await self._home.open(space, dimensions)
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
            if seen.owner == "":
                continue  # nobody's: no question can be asked for it
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
    return int(said) if _LENGTH.fullmatch(said) else len(vector)


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
