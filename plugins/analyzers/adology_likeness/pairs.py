"""Near-duplicates among creatives, without any server: propose by tokens, confirm by comparing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from adology_likeness.model import Creative, Group, Likeness, Looks, Pair, Signature

SURE = 0.5
"""Confidence from which `compare` calls two creatives one; chosen so that no hard negative was merged."""
MOST_SHARING = 200
"""A token of more creatives says nothing: a logo, a price tag. It proposes nothing."""
MOST_PROPOSED = 50
"""Creatives compared with one other at most, those that share most tokens first."""


def tokens(signature: Signature) -> set[str]:
    """What proposes: creatives that share a token may be near-duplicates.

    At most 64 for an image and 400 for a video; images and videos share none.
    """
    letter = signature.kind[0]
    return {f"{letter}{signature.recipe}.{token}" for token in signature.tokens}


def creative_of(signature: Mapping[str, Any] | Signature, looks: Mapping[str, Any] | None = None) -> Creative:
    """What `compare` takes, from stored results of `likeness` and `visual_embedding` as plain data.

    Raises:
        msgspec.ValidationError: they are not such results.
    """
    if not isinstance(signature, Signature):
        signature = msgspec.convert(signature, Signature)
    return Creative(signature=signature, looks=None if looks is None else msgspec.convert(looks, Looks))


def compare(a: Creative, b: Creative, *, least: float = SURE) -> Likeness | None:
    """How b is a, changed; None where the confidence is below `least`, or nothing can be compared.

    Comparing b with a gives the same, seen from the other side: spans and scale are turned round.
    Images are not compared with videos, nor signatures of two recipes.

    Raises:
        ValueError: a signature or a vector is damaged.
    """
    if (a.signature.kind, a.signature.recipe) != (b.signature.kind, b.signature.recipe):
        return None
    from adology_likeness import judge  # noqa: PLC0415 - slow to import

    # One order for both ways round, so that both give the same.
    swap = _key(b) < _key(a)
    likeness = judge.judge(b, a) if swap else judge.judge(a, b)
    if likeness is None or likeness.confidence < least:
        return None
    return judge.turned_round(likeness) if swap else likeness


def find(creatives: Mapping[str, Creative], *, least: float = SURE) -> Iterator[Pair]:
    """The near-duplicates among creatives by name, in order of names."""
    for one, other in proposals(creatives):
        likeness = compare(creatives[one], creatives[other], least=least)
        if likeness is not None:
            yield Pair(a=one, b=other, likeness=likeness)


def proposals(creatives: Mapping[str, Creative]) -> list[tuple[str, str]]:
    """Pairs of names worth comparing, in order."""
    holders: dict[str, list[str]] = defaultdict(list)
    for name in sorted(creatives):
        for token in sorted(tokens(creatives[name].signature)):
            holders[token].append(name)
    found: set[tuple[str, str]] = set()
    for name in sorted(creatives):
        shared: Counter[str] = Counter()
        for token in tokens(creatives[name].signature):
            others = holders[token]
            if len(others) <= MOST_SHARING:
                shared.update(other for other in others if other != name)
        ranked = sorted(shared, key=lambda other: (-shared[other], other))
        found.update((min(name, other), max(name, other)) for other in ranked[:MOST_PROPOSED])
    return sorted(found)


def groups(pairs: Iterable[Pair], *, least: float = SURE) -> list[Group]:
    """Creatives that hang together by pairs of confidence `least` or more, in order of their first names.

    A group may hold two that do not resemble each other, each of which resembles a third.
    """
    chosen = sorted(pairs, key=lambda pair: (-pair.likeness.confidence, pair.a, pair.b))
    parent: dict[str, str] = {}
    weakest: dict[str, float] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for pair in chosen:
        confidence = pair.likeness.confidence
        one, other = root(pair.a), root(pair.b)
        if confidence >= least and one != other:
            parent[other] = one
            # Surest first: the one that joins two groups is the weakest that holds them together.
            weakest[one] = confidence
    members: dict[str, list[str]] = defaultdict(list)
    for name in sorted(parent):
        members[root(name)].append(name)
    made = [Group(members=tuple(names), confidence=weakest[top]) for top, names in members.items() if len(names) > 1]
    return sorted(made, key=lambda group: group.members)


def _key(creative: Creative) -> bytes:
    return msgspec.msgpack.encode(creative)
