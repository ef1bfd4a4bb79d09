"""Compares each creative, once, with those that share hashes with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from adology.log import logger
from adology.store.changes import Changes, Position
from adology.store.database import Database
from adology.store.follower import Owners
from adology.store.likenesses import Known, Likenesses, Pair
from adology.store.subjects import SubjectKind
from adology_likeness import Creative, Likeness, Looks, Signature, compare

NAME = "duplicates"


class Duplicates:
    """What a `Follower` keeps in step: pairs and groups in Postgres.

    A creative that was compared by the same analyses is not compared again, however often it is
    committed. Two that are new find each other when the second one comes.
    """

    name = NAME
    kinds: tuple[SubjectKind, ...] = ("asset",)

    def __init__(self, database: Database, *, candidates: int = 12, confidence: float = 0.5) -> None:
        self._changes = Changes(database)
        self._store = Likenesses(database)
        self._candidates = candidates
        self._confidence = confidence

    async def load(self) -> Position | None:
        """See `Derived.load`."""
        return await self._changes.place(NAME)

    async def begin(self) -> None:
        """See `Derived.begin`: what was compared by the same analyses stands, so nothing is thrown away."""
        await self._changes.move(NAME, None)

    async def publish(self) -> None:
        """See `Derived.publish`."""

    async def keep(self, position: Position) -> None:
        """See `Derived.keep`."""
        await self._changes.move(NAME, position)

    async def close(self) -> None:
        """See `Derived.close`."""

    async def refresh(self, kind: SubjectKind, subjects: Sequence[str], owners: Owners) -> None:  # noqa: ARG002 - the interface's
        """See `Derived.refresh`."""
        compared = await self._store.compared(subjects)
        known = await self._store.load(subjects)
        for sha256, one in known.items():
            if compared.get(sha256) != one.keys:
                await self._compare(one)

    async def _compare(self, known: Known) -> None:
        mine = _creative(known)
        if mine is None:
            return
        tokens = mine.signature.tokens
        proposed = await self._store.propose(known.sha256, tokens, limit=self._candidates)
        others = await self._store.load(proposed)
        pairs: list[Pair] = []
        for sha256, other in others.items():
            creative = _creative(other)
            if creative is None:
                continue
            # In order of their hashes, as pairs are stored: what is said of a and b is said of those.
            first, second = (mine, creative) if known.sha256 < sha256 else (creative, mine)
            found = await _likeness(first, second, known.sha256, sha256)
            if found is not None and found.confidence >= self._confidence:
                pairs.append(_pair(sha256, found))
        await self._store.put(known, tokens, pairs)


async def _likeness(a: Creative, b: Creative, *names: str) -> Likeness | None:
    """What comparing says. A pair that cannot be compared must not keep all that come after it from being looked at."""
    try:
        return await asyncio.to_thread(compare, a, b)
    except Exception:  # noqa: BLE001 - whatever a stored signature holds
        logger.bind(assets=[name[:12] for name in names]).opt(exception=True).error("creatives cannot be compared")
        return None


def _creative(known: Known) -> Creative | None:
    """What `compare` takes; None for a result of another form, which an older version left."""
    try:
        signature = msgspec.convert(known.results["likeness"], Signature)
        looks = known.results.get("visual_embedding")
        return Creative(signature=signature, looks=None if looks is None else msgspec.convert(looks, Looks))
    except msgspec.ValidationError as error:
        logger.bind(asset=known.sha256[:12], error=str(error)).warning("signature of another form; not compared")
        return None


def _pair(other: str, found: Likeness) -> Pair:
    result: Any = msgspec.to_builtins(found)
    return Pair(other=other, kind=found.kind, confidence=found.confidence, result=result)
