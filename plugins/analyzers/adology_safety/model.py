"""What the safety analyzers say. Stored as it is: fields are only ever added."""

from __future__ import annotations

from typing import Literal

from adology import Struct

Level = Literal["none", "low", "medium", "high"]

Category = Literal[
    "adult", "gambling", "alcohol", "tobacco", "cannabis", "drugs", "weapons", "social_issue", "politics", "hate",
    "obscenity",
]  # fmt: skip

Strength = Literal["strong", "weak"]

Where = Literal["body", "title", "caption", "description", "cta"]


class FrameScore(Struct, frozen=True, kw_only=True):
    """The model's probability of pornographic content, in [0, 1], for one frame `time_s` seconds from the start."""

    time_s: float
    score: float


class MediaSafety(Struct, frozen=True, kw_only=True):
    """How likely a creative shows pornographic content; nothing else is judged here.

    `score` is the highest of the pictures that were looked at, in [0, 1], and `time_s` when that one
    is shown, None for stills. `level` is "high", "medium" or "low" from the settings of that name
    on, else "none". Between the frames nothing was seen: `looked_at` pictures of `duration_s`
    seconds (None for stills and where unknown). `damaged`: parts could not be decoded. `model`
    names the classifier and its version.
    """

    model: str
    score: float
    level: Level
    time_s: float | None = None
    looked_at: int = 1
    duration_s: float | None = None
    damaged: bool = False
    frames: tuple[FrameScore, ...] = ()


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
    texts; `truncated`: the copy was longer than the setting max_chars allows.
    """

    rules: str
    level: Level
    risks: tuple[Risk, ...] = ()
    hits: tuple[Hit, ...] = ()
    truncated: bool = False
