"""What the safety analyzer says of copy. Stored as it is: fields are only ever added."""

from __future__ import annotations

from typing import Literal

from adology import Struct
from adology_safety.levels import Level
from adology_safety.moderation_model import Moderated

Category = Literal[
    "adult", "gambling", "alcohol", "tobacco", "cannabis", "drugs", "weapons", "social_issue", "politics", "hate",
    "obscenity",
]  # fmt: skip

Strength = Literal["strong", "weak"]

Where = Literal["body", "title", "caption", "description", "cta"]


class Hit(Struct, frozen=True, kw_only=True):
    """One rule that fires: `phrase` as written, at character `start` of the `index`-th text of that kind.

    A `weak` phrase may mean something harmless. `language` is the list's that it stands in, "mul"
    for words of many; not necessarily the ad's.
    """

    category: Category
    strength: Strength
    phrase: str
    language: str
    where: Where
    index: int
    start: int


class Risk(Struct, frozen=True, kw_only=True):
    """One category that the copy touches, and how many phrases say so."""

    category: Category
    level: Level
    hits: int


class CopySafety(Struct, frozen=True, kw_only=True):
    """Sensitive subjects that an ad's copy names, by lists of words and phrases, with the evidence.

    `level` is the highest of `risks`. `rules` is the version of the lists. "none" means that no
    listed phrase was found, not that the ad is safe. `hits` are the first ones, in order of the
    texts; `truncated`: the copy was longer than the setting max_chars allows. `moderation` is a
    vendor's verdict on the same texts, None without one: it changes none of the other fields.
    """

    rules: str
    level: Level
    risks: tuple[Risk, ...] = ()
    hits: tuple[Hit, ...] = ()
    truncated: bool = False
    moderation: Moderated | None = None
