"""What goes into an index, what it is asked, what it answers."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adology import Struct

Vector = NDArray[np.float32]
"""Shape (dimensions,), length 1."""

Facet = Literal["brand", "source", "label"]

LONGEST_TEXT = 1000


class Entry(Struct, frozen=True, kw_only=True):
    """One thing that can be found, known by `id` within its space.

    An entry belongs to everybody (`owner` None) or to one organisation. What is seen in a public
    ad and in a private one as well is two entries: brands, dates and labels of the private one
    must not show on the other. `first_seen` and `last_seen` are UTC days, both included.
    """

    id: str
    vector: Vector
    owner: str | None
    brands: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    first_seen: date
    last_seen: date
    labels: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        _check_texts("id", [self.id])
        _check_texts("sources", self.sources)
        _check_texts("owner", [] if self.owner is None else [self.owner])
        _check_texts("brands", self.brands)
        _check_texts("labels", self.labels)
        if self.first_seen > self.last_seen:
            raise ValueError(f"entry {self.id!r}: first_seen {self.first_seen} is after last_seen {self.last_seen}")


class Filter(Struct, frozen=True, kw_only=True):
    """Which entries may be found. All conditions hold together; an empty set is no condition.

    `owner` has no default, so that nobody forgets it: None sees what is public, an organisation
    sees that and its own. `brands`, `sources` and `labels_any` ask for at least one of theirs,
    `labels_all` for every one. `seen_from` and `seen_to` are UTC days, both included: entries that
    were seen at some time between them.
    """

    owner: str | None
    brands: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    labels_any: frozenset[str] = frozenset()
    labels_all: frozenset[str] = frozenset()
    seen_from: date | None = None
    seen_to: date | None = None

    def __post_init__(self) -> None:
        _check_texts("owner", [] if self.owner is None else [self.owner])
        for name in ("brands", "sources", "labels_any", "labels_all"):
            _check_texts(name, getattr(self, name))
        if self.seen_from and self.seen_to and self.seen_from > self.seen_to:
            raise ValueError(f"filter: seen_from {self.seen_from} is after seen_to {self.seen_to}")


class Match(NamedTuple):
    """An entry and how alike it is: cosine, in [-1, 1], 1 being the same direction."""

    id: str
    similarity: float


def _check_texts(field: str, texts: list[str] | frozenset[str]) -> None:
    if isinstance(texts, str):
        raise TypeError(f"{field}: a set of texts is wanted; seen: the text {texts!r}")
    for text in texts:
        if not 0 < len(text) <= LONGEST_TEXT:
            raise ValueError(f"{field}: a text has 1 to {LONGEST_TEXT} characters; seen: {len(text)}")
        if "\0" in text or not _is_utf8(text):
            raise ValueError(f"{field}: {text!r} holds a NUL or half of a surrogate pair, which no store keeps")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
